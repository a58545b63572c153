package kafka

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Brokers that require TLS and a password accept the configured ones and reject others.
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
	for _, mechanism := range []string{broker.Plain, broker.Scram256, broker.Scram512} {
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
				admin, err := c.admin()
				if err != nil {
					t.Fatal(err)
				}
				defer admin.Close()
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				_, err = admin.BrokerMetadata(ctx)
				return err == nil
			}
			login := broker.SASL{Mechanism: mechanism, User: "ali", PasswordFile: right}
			if !reaches(Config{TLS: broker.TLS{CAFile: ca}, SASL: login}) {
				t.Error("not reached")
			}
			byVariable := Config{TLS: broker.TLS{CAFile: ca}, SASL: broker.SASL{Mechanism: mechanism, User: "ali"}}
			byVariable.SetPassword("sesame")
			if !reaches(byVariable) {
				t.Error("not reached with the password of the environment")
			}
			if reaches(Config{TLS: broker.TLS{CAFile: ca}, SASL: broker.SASL{Mechanism: mechanism, User: "ali", PasswordFile: wrong}}) {
				t.Error("reached with a wrong password")
			}
			if reaches(Config{TLS: broker.TLS{Enabled: true}, SASL: login}) {
				t.Error("a certificate of nobody was believed")
			}
		})
	}
}
