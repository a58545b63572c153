package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"opened in 1m30s at 127.0.0.1:8080": "opened in 1m30s at 127.0.0.1:8080",
		"2026-11-29T13:09:11+01:00 offset 129384": "2026-11-29T13:09:11+01:00 offset 129384",
		"rules_file /etc/kindred/rules.yaml":      "rules_file /etc/kindred/rules.yaml",
		"no ann@example.com here":                 "no [redacted] here",
		`"Änn+x@exämple.de" twice`:                `"[redacted]" twice`,
		"call +49 (171) 234-5678 now":             "call [redacted] now",
		"+491712345678":                           "[redacted]",
		"unknown email:x, user_id:4711.":          "unknown [redacted], [redacted]",
		"GET /v1/profiles/ann%40example.com":      "GET /v1/profiles/[redacted]",
		"Authorization: Bearer abcdefgh12345":     "Authorization: [redacted]",
		"basic d3JpdGVrZXk6":                      "[redacted]",
		"key wk_0123456789abcdefABCDEF refused":   "key [redacted] refused",
		"dial tcp: lookup kafka: no such host":    "dial tcp: lookup kafka: no such host",
		"https://user:hunter2@broker:9092/x":      "https://user:[redacted]:9092/x",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Whatever form a value has, and wherever it was given, nothing of it is in the line.
func TestHandler(t *testing.T) {
	const canary = "ann@example.com"
	secret := NewSecret("hunter2")
	for name, make := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		l := slog.New(NewHandler(make(&b)))
		l.Info("of "+canary+"\nand more", "text", canary, "error", fmt.Errorf("no: %w", errors.New(canary)), "bytes", []string{canary},
			"any", struct{ Mail string }{canary}, "group", slog.GroupValue(slog.String("x", canary)), "secret", secret, "n", 3)
		l.With("mail", canary).WithGroup("g").Warn("x", "y", canary)
		out := b.String()
		if strings.Contains(out, "ann") || strings.Contains(out, "hunter2") {
			t.Errorf("%s: %s", name, out)
		}
		if n := strings.Count(out, "\n"); n != 2 {
			t.Errorf("%s: %d lines of two events:\n%s", name, n, out)
		}
		if !strings.Contains(out, "more") || !strings.Contains(out, Masked) {
			t.Errorf("%s: too much is masked: %s", name, out)
		}
	}
}

func TestSecret(t *testing.T) {
	holder := struct{ Password Secret }{NewSecret("hunter2")}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(holder), fmt.Sprintf("%v %+v %#v %s %q %x", holder, holder, holder, holder, holder, holder), string(asJSON),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") || !strings.Contains(text, Masked) {
			t.Error(text)
		}
	}
	if holder.Password.Reveal() != "hunter2" || holder.Password.Empty() || !NewSecret("").Empty() {
		t.Error("a secret is not its text")
	}
}

// BenchmarkText is what a line without anything sensitive costs, and one with.
func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{"plain": "request answered", "sign": "127.0.0.1:8080", "masked": "no ann@example.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Text(text)
			}
		})
	}
}
