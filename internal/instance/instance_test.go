package instance

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/storage"
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
			secret, err := ReadSecret(path)
			if (err == nil) != test.ok || (secret == storage.Secret{}) == test.ok {
				t.Fatalf("%v", err)
			}
			if err != nil && test.text != "" && strings.Contains(err.Error(), test.text) {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
}

// What is wrong with the settings is found before anything is made (N1), and rules stay those of the
// last time (N2).
func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	o := Options{Dir: dir, Memory: storage.MinMemory, Shards: 2}
	for _, wrong := range []func(*Options){
		func(o *Options) { o.Memory = 1 },
		func(o *Options) { o.Rules = "none" },
		func(o *Options) { o.SecretFile = "none" },
		func(o *Options) { o.MustExist = true },
	} {
		bad := o
		wrong(&bad)
		if i, err := Open(ctx, bad); err == nil {
			_ = i.Close(ctx)
			t.Fatalf("%+v was opened", bad)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Fatalf("%+v made a directory", bad)
		}
	}
	open := func(rules string) (string, error) {
		t.Helper()
		o := Options{Dir: dir, Memory: storage.MinMemory, Rules: rules}
		i, err := Open(ctx, o)
		if err != nil {
			return "", err
		}
		if err := i.Judged(ctx); err != nil {
			t.Fatal(err)
		}
		return i.Rules.Rules.Name, i.Close(ctx)
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
	if _, err := open(""); err == nil || !strings.Contains(err.Error(), `last used with the rules "acme"`) {
		t.Errorf("rules of a file were forgotten: %v", err)
	}
}
