package broker

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/kindred-id/kindred/internal/redact"
)

// A token comes from a file, which may change, or from a token service, and is used until it expires.
func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	s := SASL{Mechanism: OAuth, TokenFile: path}
	for _, want := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.token()(t.Context()); err != nil || got.Token != want {
			t.Errorf("%q, %v", got.Token, err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.token()(t.Context()); err == nil {
		t.Error("no token is a token")
	}

	asked := 0
	lives := 3600
	giver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		if user, password, _ := r.BasicAuth(); user != "ali" || password != "sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "given", "token_type": "bearer", "expires_in": lives})
	}))
	defer giver.Close()
	s = SASL{Mechanism: OAuth, TokenURL: giver.URL, User: "ali", Password: redact.NewSecret("sesame")}
	for _, test := range []struct{ lives, want int }{{3600, 1}, {10, 3}} { // one that expires within the margin is not cached
		asked, lives = 0, test.lives
		token := s.token()
		for range 3 {
			if got, err := token(t.Context()); err != nil || got.Token != "given" {
				t.Fatalf("%q, %v", got.Token, err)
			}
		}
		if asked != test.want {
			t.Errorf("of tokens that live %d s, %d were asked for, want %d", test.lives, asked, test.want)
		}
	}
}
