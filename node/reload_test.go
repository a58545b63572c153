package node

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/storage"
)

// lockedText is a log that a test reads while others write it.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lockedText) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lockedText) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// Settings that may change while parts run change for the next request, and an invalid configuration changes none of them (N7).
func TestReload(t *testing.T) {
	dir := t.TempDir()
	var level slog.LevelVar
	var told lockedText
	mapping := filepath.Join(dir, "map.yaml")
	writeMapping := func(text string) {
		t.Helper()
		if err := os.WriteFile(mapping, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeMapping("type: {value: track}\nevent: {value: Ordered}\nuserId: id\n")
	config := Config{
		Dir: filepath.Join(dir, "data"), Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0", LogLevel: &level,
		Logger: slog.New(slog.NewTextHandler(&told, nil)), Origins: []string{"https://a.example"}, Access: Access{AllowedHosts: []string{"a.example"}}, Feed: feed.Settings{On: true},
	}
	k, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(config); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before it runs: %v", err)
	}
	if err := k.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })

	// state is what the settings do: of origins, hosts and mappings a and b, whether they are let in; and the level.
	state := func() string {
		t.Helper()
		var said []string
		tell := func(what string, ok bool) {
			if ok {
				said = append(said, what)
			}
		}
		for _, name := range []string{"a", "b"} {
			req, _ := http.NewRequestWithContext(t.Context(), "POST", k.URL()+"/v1/track", strings.NewReader(`{"userId":"1","event":"e"}`))
			req.Header.Set("Origin", "https://"+name+".example")
			tell("origin "+name, sent(t, req) == http.StatusOK)
			req, _ = http.NewRequestWithContext(t.Context(), "GET", k.URL()+"/v1/stats", nil)
			req.Host = name + ".example"
			tell("host "+name, sent(t, req) == http.StatusOK)
			req, _ = http.NewRequestWithContext(t.Context(), "POST", k.URL()+"/v1/map/"+name, strings.NewReader(`{"id":"1"}`))
			tell("mapping "+name, sent(t, req) == http.StatusOK)
		}
		return strings.Join(append(said, level.Level().String()), ", ")
	}
	expect := func(when, want string) {
		t.Helper()
		if got := state(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	expect("at first", "origin a, host a, INFO")

	debug := new(slog.LevelVar)
	debug.Set(slog.LevelDebug)
	next := config
	next.Origins, next.Access.AllowedHosts, next.Mappings, next.LogLevel = []string{"https://b.example"}, []string{"b.example"}, []string{"b=" + mapping}, debug
	for name, wrong := range map[string]func(*Config){
		"origin":  func(c *Config) { c.Origins = []string{"b.example"} },
		"host":    func(c *Config) { c.Access.AllowedHosts = []string{"https://b.example"} },
		"mapping": func(c *Config) { c.Mappings = []string{"b=" + mapping, "c=" + mapping + "x"} },
		"rules":   func(c *Config) { c.Rules = "none" },
		"rate":    func(c *Config) { c.Access.KeyRate = -1 },
	} {
		c := next
		wrong(&c)
		if err := k.Reload(c); err == nil {
			t.Errorf("a wrong %s is taken", name)
		}
		expect("after a wrong "+name, "origin a, host a, INFO")
	}
	if err := k.Reload(next); err != nil {
		t.Fatal(err)
	}
	expect("after a reload", "origin b, host b, mapping b, DEBUG")

	// A level that the admin listener set stays while its setting does.
	level.Set(slog.LevelWarn)
	if err := k.Reload(next); err != nil {
		t.Fatal(err)
	}
	expect("after the same again", "origin b, host b, mapping b, WARN")

	// A mapping with a field that nothing reads is taken, and told: at the start, and at each reload. One that the rules name is read.
	writeMapping("type: {value: track}\nevent: {value: Ordered}\nusrId: id\nuserId: id\n")
	told.Reset()
	if err := k.Reload(next); err != nil {
		t.Fatal(err)
	}
	if log := told.String(); !strings.Contains(log, "did you mean userId?") || !strings.Contains(log, `mapping="--map b"`) {
		t.Errorf("a field that nothing reads: %s", log)
	}

	// A mapping is read again even if its name stays.
	writeMapping("read: {recrods: orders}\n")
	if err := k.Reload(next); err == nil || !strings.Contains(err.Error(), "map.yaml:1") {
		t.Errorf("a mapping that is wrong: %v", err)
	}
	expect("after a wrong mapping", "origin b, host b, mapping b, WARN")
	former := config
	former.LogLevel = new(slog.LevelVar)
	if err := k.Reload(former); err != nil {
		t.Fatal(err)
	}
	expect("after the former", "origin a, host a, INFO")
}

// A key has the rate of the last reload.
func TestReloadRate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	config := Config{Dir: dir, Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0"}
	made, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, made)
	key := keyOn(t, dir)
	k, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })
	limited := func() bool {
		for range 3 { // within the second of a bucket that holds one
			req, _ := http.NewRequestWithContext(t.Context(), "GET", k.URL()+"/v1/stats", nil)
			req.Header.Set("Authorization", "Bearer "+key)
			if sent(t, req) == http.StatusTooManyRequests {
				return true
			}
		}
		return false
	}
	if limited() {
		t.Error("a key has a rate that nobody set")
	}
	config.Access.KeyRate = 1
	if err := k.Reload(config); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); !limited(); { // a slow machine may take a second for each request
		if time.Since(start) > time.Minute {
			t.Fatal("the rate of the reload bounds no key")
		}
	}
}

// Events with an unknown key are treated as the last reload says.
func TestReloadUnknownKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	config := Config{Dir: dir, Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0"}
	made, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	stopped(t, made)
	keyOn(t, dir)
	k, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })
	for _, test := range []struct {
		setting string
		status  int
	}{{KeyRejected, http.StatusUnauthorized}, {KeyQuarantined, http.StatusOK}, {KeyRejected, http.StatusUnauthorized}} {
		config.Access.UnknownKey = test.setting
		if err := k.Reload(config); err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), "POST", k.URL()+"/v1/track", strings.NewReader(`{"userId":"1","event":"e"}`))
		req.Header.Set("Authorization", "Bearer wk_"+strings.Repeat("b", 52))
		if got := sent(t, req); got != test.status {
			t.Errorf("%s: %d, want %d", test.setting, got, test.status)
		}
	}
	config.Access.UnknownKey, config.DeadLetters.Off = KeyQuarantined, true
	if err := k.Reload(config); err == nil {
		t.Error("events are to be kept where no dead letters are")
	}
}
