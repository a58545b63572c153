package node

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage"
)

// The settings of scores are stored with the rules, given settings override them, and neither starts a sweep.
func TestTermsOfRules(t *testing.T) {
	ctx := context.Background()
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "shop.yaml")
	var log bytes.Buffer
	open := func(scores string, given Terms) (terms score.Terms, version uint64) {
		t.Helper()
		log.Reset()
		o := Config{Dir: dir, Memory: storage.MinMemory, Shards: 2, Terms: given, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		if scores != "" {
			o.Rules = file
			if err := os.WriteFile(file, []byte("extends: default\nscores: "+scores), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		k, err := Open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		terms, version = k.directory.scores.Scorer().Terms(), k.directory.rules.Rules.Version
		if judged := k.directory.deployment.RulesVersion; judged != version {
			t.Errorf("judged by %x while the rules are %x", judged, version)
		}
		if err := k.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "judged") {
			t.Errorf("settings of scores let everything be judged again:\n%s", log.String())
		}
		return terms, version
	}
	zero, tenth := 0.0, 0.1
	_, first := open("{}", Terms{})
	for _, step := range []struct {
		scores string
		given  Terms
		want   score.Terms
	}{
		{"", Terms{}, score.Terms{HorizonDays: 365, Margin: 1}},
		{"{margin: 0.4, annual_discount: 0.2}", Terms{}, score.Terms{HorizonDays: 365, AnnualDiscount: 0.2, Margin: 0.4}},
		{"", Terms{}, score.Terms{HorizonDays: 365, AnnualDiscount: 0.2, Margin: 0.4}}, // kept
		{"", Terms{Margin: &tenth, AnnualDiscount: &zero}, score.Terms{HorizonDays: 365, Margin: 0.1}},
		{"", Terms{}, score.Terms{HorizonDays: 365, AnnualDiscount: 0.2, Margin: 0.4}}, // given settings are not stored
		{"{horizon_days: 90}", Terms{}, score.Terms{HorizonDays: 90, Margin: 1}},
	} {
		terms, version := open(step.scores, step.given)
		if terms != step.want || version != first {
			t.Errorf("scores %q: %+v under version %x, want %+v under %x", step.scores, terms, version, step.want, first)
		}
	}
	if text := log.String(); !strings.Contains(text, "scores.margin: 1, was 0.4") {
		t.Errorf("logged:\n%s", text)
	}
}
