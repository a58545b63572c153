package kafka

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Brokers that want TLS and a password are reached with those that are configured, and not with others.
func TestClient(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate, which is for 127.0.0.1
	defer web.Close()
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
	right, wrong := file("right", "sesame\n"), file("wrong", "simsim\n")
	for _, mechanism := range []string{saslPlain, saslScram256, saslScram512} {
		t.Run(mechanism, func(t *testing.T) {
			fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(mechanism, "ali", "sesame"),
				kfake.TLS(&tls.Config{Certificates: web.TLS.Certificates}))
			if err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			reaches := func(c Config) bool {
				t.Helper()
				c.Brokers, c.Topics = fake.ListenAddrs(), []Topic{{Topic: topic}}
				c.TLS.ServerName = "example.com" // one of those in the certificate
				if err := c.Check(); err != nil {
					t.Fatal(err)
				}
				admin, err := c.Admin()
				if err != nil {
					t.Fatal(err)
				}
				defer admin.Close()
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				_, err = admin.BrokerMetadata(ctx)
				return err == nil
			}
			login := SASL{Mechanism: mechanism, User: "ali", PasswordFile: right}
			if !reaches(Config{TLS: TLS{CAFile: ca}, SASL: login}) {
				t.Error("not reached")
			}
			byVariable := Config{TLS: TLS{CAFile: ca}, SASL: SASL{Mechanism: mechanism, User: "ali"}}
			byVariable.SetPassword("sesame")
			if !reaches(byVariable) {
				t.Error("not reached with the password of the environment")
			}
			if reaches(Config{TLS: TLS{CAFile: ca}, SASL: SASL{Mechanism: mechanism, User: "ali", PasswordFile: wrong}}) {
				t.Error("reached with a wrong password")
			}
			if reaches(Config{TLS: TLS{Enabled: true}, SASL: login}) {
				t.Error("a certificate of nobody was believed")
			}
		})
	}
}

// A token comes from a file, which may change, or from whoever gives them out, and is used until it ends.
func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	s := SASL{Mechanism: saslOAuth, TokenFile: path}
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
	s = SASL{Mechanism: saslOAuth, TokenURL: giver.URL, User: "ali", password: "sesame"}
	for _, test := range []struct{ lives, want int }{{3600, 1}, {10, 3}} { // one that ends within the margin is not kept
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
