package node

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/node/rulesfile"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

func TestReadSecret(t *testing.T) {
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"good", "00112233445566778899aabbccddeeff", true},
		{"with white space", " 00112233445566778899AABBCCDDEEFF\n", true},
		{"empty", "", false},
		{"short", "0011", false},
		{"long", strings.Repeat("00", 17), false},
		{"no number", strings.Repeat("zz", 16), false},
		{"zero", strings.Repeat("00", 16), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			secret, err := readSecret(path)
			if (err == nil) != test.ok || (secret == row.Secret{}) == test.ok {
				t.Fatalf("%v", err)
			}
			if err != nil && test.text != "" && strings.Contains(err.Error(), test.text) {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
}

// Wrong settings are found before anything is created (N1), and the rules last used stay in force (N2).
func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	o := Config{Dir: dir, Memory: storage.MinMemory, Shards: 2}
	for _, wrong := range []func(*Config){
		func(o *Config) { o.Memory = 1 },
		func(o *Config) { o.Rules = "none" },
		func(o *Config) { o.SecretFile = "none" },
		func(o *Config) { o.MustExist = true },
		func(o *Config) { o.Terms.Margin = new(float64) },
	} {
		bad := o
		wrong(&bad)
		if k, err := Open(ctx, bad); err == nil {
			_ = k.Stop(ctx)
			t.Fatalf("%+v was opened", bad)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Fatalf("%+v made a directory", bad)
		}
	}
	open := func(rules string) (string, error) {
		t.Helper()
		o := Config{Dir: dir, Memory: storage.MinMemory, Rules: rules}
		k, err := Open(ctx, o)
		if err != nil {
			return "", err
		}
		if err := k.Judged(ctx); err != nil {
			t.Fatal(err)
		}
		return k.directory.rules.Rules.Name, k.Stop(ctx)
	}
	file := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte("extends: default\nlimits: {email: 2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ rules, want string }{
		{"open", "open"}, {"", "open"}, {"last_login", "last_login"}, {"", "last_login"}, {file, "acme"},
	} {
		if got, err := open(step.rules); got != step.want || err != nil {
			t.Fatalf("rules %q: %q, %v, want %q", step.rules, got, err, step.want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got, err := open(""); got != "acme" || err != nil {
		t.Errorf("rules of a file were forgotten: %q, %v", got, err)
	}
}

// The whole rules document is stored, a change is logged key by key, and a class cannot change.
func TestRulesKept(t *testing.T) {
	ctx := context.Background()
	dir, files := filepath.Join(t.TempDir(), "data"), t.TempDir()
	var log bytes.Buffer
	open := func(text string) (string, error) {
		t.Helper()
		log.Reset()
		o := Config{Dir: dir, Memory: storage.MinMemory, Shards: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		if text != "" {
			o.Rules = filepath.Join(files, "shop.yaml")
			if err := os.WriteFile(o.Rules, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k, err := Open(ctx, o)
		if err != nil {
			return "", err
		}
		if err := k.Judged(ctx); err != nil {
			t.Fatal(err)
		}
		return string(k.directory.rules.YAML()), k.Stop(ctx)
	}
	const first = "extends: default\nnamespaces: {card: {class: customer}}\nblocked: {values: [\"secret@example.com\"]}\nsources: [crm, web]\n"
	written, err := open(first)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := open(""); err != nil || kept != written || !strings.Contains(kept, "card: {class: customer, normalise: trim}") {
		t.Errorf("kept:\n%s%v\nwritten:\n%s", kept, err, written)
	}
	if strings.Contains(log.String(), "changed") {
		t.Errorf("nothing changed: %s", log.String())
	}
	if _, err := open(first + "limits: {email: 7, phone: none}\n"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"limits.email: 7, was 5", "limits.phone: not set, was 3", "existing data is judged by the new rules"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not logged: %s, in\n%s", want, log.String())
		}
	}
	// Settings for future events are stored and logged, and do not start a sweep.
	if _, err := open(strings.Replace(first, "secret", "other", 1) + "limits: {email: 7, phone: none}\nphone_region: DE\n"); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "phone_region: DE, was US") || !strings.Contains(text, "blocked.values: 1 added, 1 removed") ||
		strings.Contains(text, "judged") || strings.Contains(text, "@example.com") {
		t.Errorf("logged:\n%s", text)
	}
	if _, err := open(strings.Replace(first, "customer", "device", 1)); err == nil || !strings.Contains(err.Error(), "namespaces.card: class device") {
		t.Errorf("the class of a namespace was changed: %v", err)
	}
	if kept, err := open(""); err != nil || !strings.Contains(kept, "class: customer") || !strings.Contains(kept, "phone_region: DE") {
		t.Errorf("after a change that was refused:\n%s%v", kept, err)
	}
}

// If a Kindred stops during the sweep after a change of rules, the next start sweeps again, under any rules.
func TestJudgingBegunIsNotDone(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	open := func(rules string) *Kindred {
		t.Helper()
		k, err := Open(ctx, Config{Dir: dir, Memory: storage.MinMemory, Shards: 2, Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	judgedBy := func(k *Kindred) uint64 {
		t.Helper()
		d, err := row.ReadDeployment(k.directory.store)
		if err != nil {
			t.Fatal(err)
		}
		return d.RulesVersion
	}
	shut := func(k *Kindred) {
		t.Helper()
		if err := k.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	}
	shut(open("default"))
	// The state after a process died right after it stored the change.
	k := open("")
	k.directory.rules, _ = rulesfile.Load("open")
	stored, err := rulesfile.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	keep := func(change *catalog.Change) error {
		_, err := k.directory.keep(change, stored)
		return err
	}
	if err := k.Engine().Catalog().Change(ctx, keep); err != nil {
		t.Fatal(err)
	}
	if v := judgedBy(k); v != 0 {
		t.Errorf("judged by %x during the sweep", v)
	}
	shut(k)
	for _, step := range []struct{ rules, want string }{{"", "open"}, {"default", "default"}} {
		k = open(step.rules)
		if err := k.Judged(ctx); err != nil {
			t.Fatal(err)
		}
		if k.directory.rules.Rules.Name != step.want || judgedBy(k) != k.directory.rules.Rules.Version {
			t.Errorf("rules %q: runs under %s, judged by %x, want %x", step.rules, k.directory.rules.Rules.Name, judgedBy(k), k.directory.rules.Rules.Version)
		}
		shut(k)
	}
}

// An address that many people type was generic when the process died. Under rules by which it is not generic, all of them
// become one person, and no event in the log is lost (N5).
func TestRulesChangeAfterCrash(t *testing.T) {
	ctx := context.Background()
	dir, image := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "image")
	k, err := Open(ctx, Config{Dir: dir, Memory: storage.MinMemory, Shards: 4})
	if err != nil {
		t.Fatal(err)
	}
	const people = 30
	for n := range people {
		post(t, k, fmt.Sprintf(`{"type":"identify","messageId":"m%d","userId":"u%d","traits":{"email":"everybody@example.com"}}`, n, n))
	}
	if err := k.directory.store.Backup(image); err != nil { // what a crash would leave
		t.Fatal(err)
	}
	if err := k.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	k, err = Open(ctx, Config{Dir: image, Memory: storage.MinMemory, Rules: "open"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	if err := k.Judged(ctx); err != nil {
		t.Fatal(err)
	}
	stats, err := k.Engine().Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	id, err := k.Registry().Parse("user_id:u0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.Engine().Profile(ctx, id.Key)
	if err != nil || p.Events != people || len(p.Identifiers) != people+1 || stats.Identities != 1 {
		t.Errorf("%d events, %d identifiers, %d identities, %v, want %d, %d and 1", p.Events, len(p.Identifiers), stats.Identities, err, people, people+1)
	}
}

// post ingests one event.
func post(t *testing.T, k *Kindred, body string) {
	t.Helper()
	intake := ingest.NewIntake(k.Into(true))
	if v := intake.Take([]byte(body), ingest.Arrival{Received: 1}); v.Rejection != nil {
		t.Fatal(v.Rejection)
	}
	if err := intake.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}
