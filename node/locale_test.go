package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

// A directory assumes region and currency until somebody states them, and says so; what was stated stays, whatever rules
// without a word about it follow.
func TestLocale(t *testing.T) {
	ctx := context.Background()
	dir, rules := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "rules.yaml")
	var log bytes.Buffer
	open := func(text string, l Locale) (kept, logged string, err error) {
		t.Helper()
		log.Reset()
		c := Config{Dir: dir, Memory: storage.MinMemory, Shards: 2, Locale: l, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))}
		if text != "" {
			if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c.Rules = rules
		}
		k, err := Open(ctx, c)
		if err != nil {
			return "", "", err
		}
		r := k.directory.rules
		return r.Identifier.Region + " " + r.Currency + " " + strings.Join(r.Assumptions(), ", "), log.String(), k.Stop(ctx)
	}
	for _, step := range []struct {
		rules  string
		given  Locale
		kept   string
		logged string // empty: nothing
	}{
		{"", Locale{}, "US USD phone_region: US, default_currency: USD", "assumed"},
		{"", Locale{}, "US USD phone_region: US, default_currency: USD", ""}, // told once
		{"", Locale{Currency: "eur"}, "US EUR phone_region: US", "default_currency: EUR, was USD"},
		{"extends: default\n", Locale{}, "US EUR phone_region: US", ""},
		{"extends: open\nphone_region: DE\n", Locale{}, "DE EUR ", "phone_region: DE, was US"},
		{"extends: default\n", Locale{}, "DE EUR ", ""},
		{"", Locale{Region: "DE", Currency: "EUR"}, "DE EUR ", ""},
		{"", Locale{Region: "FR"}, "FR EUR ", "phone_region: FR, was DE"},
	} {
		kept, logged, err := open(step.rules, step.given)
		if err != nil || kept != step.kept || (step.logged == "") != (logged == "") || !strings.Contains(logged, step.logged) {
			t.Errorf("%+v: %q, %v, logged %s", step, kept, err, logged)
		}
	}
	for _, wrong := range []struct {
		rules string
		given Locale
		want  string
	}{
		{"extends: default\nphone_region: DE\n", Locale{Region: "FR"}, "--region FR: the rules \"rules\" say phone_region: DE; give one of them"},
		{"", Locale{Region: "Germany", Currency: "euros"}, "--currency: currency \"euros\""},
	} {
		_, _, err := open(wrong.rules, wrong.given)
		var config *ConfigError
		if !errors.As(err, &config) || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	if kept, _, err := open("", Locale{}); err != nil || kept != "FR EUR " {
		t.Errorf("after settings that were refused: %q, %v", kept, err)
	}
}
