package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
)

// A server without keys is open on loopback, and says so. It does not start on a network, where only an explicit setting
// opens it.
func TestOpenServers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var log logBuffer
	start := func(listen string, a Access) (*Kindred, error) {
		t.Helper()
		log.Reset()
		k, err := Open(t.Context(), Config{
			Dir: dir, Memory: storage.MinMemory, Shards: 1, Listen: listen, Access: a, Locale: Locale{Region: "DE", Currency: "EUR"}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		t.Cleanup(func() { stopped(t, k) })
		return k, err
	}
	refused := func(listen string) {
		t.Helper()
		var wrong *ConfigError
		if _, err := start(listen, Access{}); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "has no keys") {
			t.Fatalf("%s: %v", listen, err)
		}
	}
	refused("0.0.0.0:0")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a refused start left a directory: %v", err)
	}
	k, err := start("127.0.0.1:0", Access{})
	if err != nil || !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "every program on this machine") {
		t.Fatal(err, log.String())
	}
	if status := ask(k.URL() + "/v1/stats"); status != 200 {
		t.Errorf("an open server answers %d", status)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", k.URL()+"/v1/stats", nil)
	req.Host = "evil.example"
	if status := sent(t, req); status != http.StatusMisdirectedRequest {
		t.Errorf("a name of a page is answered with %d", status)
	}
	stopped(t, k)
	refused(":0")
	k, err = start("0.0.0.0:0", Access{InsecureDev: true})
	if err != nil || !strings.Contains(log.String(), "EVERY CLIENT") {
		t.Fatal(err, log.String())
	}
	stopped(t, k)
	k, err = start("0.0.0.0:0", Access{Provider: access.Provider{Issuer: "https://id.example", Audience: "kindred"}})
	if err != nil || strings.Contains(log.String(), "WARN") {
		t.Fatal(err, log.String())
	}
	stopped(t, k)

	key := keyOn(t, dir)
	k, err = start("0.0.0.0:0", Access{AllowedHosts: []string{"kindred.example"}})
	if err != nil || strings.Contains(log.String(), "WARN") {
		t.Fatal(err, log.String())
	}
	_, port, _ := net.SplitHostPort(k.http.listener.Addr().String())
	url := "http://127.0.0.1:" + port + "/v1/stats"
	if status := ask(url); status != http.StatusUnauthorized {
		t.Errorf("a request without a key is answered with %d", status)
	}
	req, _ = http.NewRequestWithContext(t.Context(), "GET", url, nil)
	req.Host = "kindred.example"
	req.Header.Set("Authorization", "Bearer "+key)
	if status := sent(t, req); status != 200 {
		t.Errorf("a request with a key is answered with %d", status)
	}
	if strings.Contains(log.String(), key[3:20]) {
		t.Error("the log has a key")
	}
}

// keyOn makes an admin key on a data directory that no server has open.
func keyOn(t *testing.T, dir string) string {
	t.Helper()
	k, err := Open(t.Context(), Config{Dir: dir, Memory: storage.MinMemory, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stopped(t, k)
	w := httptest.NewRecorder()
	k.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/v1/admin/keys", strings.NewReader(`{"name":"ann","kind":"admin"}`)))
	var made document.NewAccessKey
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Key == "" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return made.Key
}

// logBuffer takes a log that is read while a node writes to it.
type logBuffer struct {
	mu   sync.Mutex // guards the following
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Reset()
}

func stopped(t *testing.T, k *Kindred) {
	t.Helper()
	if k == nil {
		return
	}
	if err := k.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func sent(t *testing.T, req *http.Request) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestAccessSettings(t *testing.T) {
	for _, a := range []Access{{AllowedHosts: []string{"http://kindred.example"}}, {KeyRate: -1}, {Provider: access.Provider{Issuer: "id.example"}}, {Provider: access.Provider{Claim: "x"}}} {
		var wrong *ConfigError
		if _, err := New(Config{Dir: "x", Access: a}); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
