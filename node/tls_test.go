package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/storage"
)

// issue writes a certificate for 127.0.0.1 with this number, and its key.
func issue(t *testing.T, certFile, keyFile string, number int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// served is the number of the certificate that a server shows.
func served(t *testing.T, address string, versionMost uint16) (int64, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: versionMost}) //nolint:gosec // the certificate is looked at
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

// A server speaks TLS of version 1.2 and later. Its files may be replaced while it runs, and a pair that does not match keeps
// the former in use.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	issue(t, cert, key, 1)
	var log logBuffer
	k, err := Open(t.Context(), Config{
		Dir: filepath.Join(dir, "data"), Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0",
		Access: Access{TLSCert: cert, TLSKey: key}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })
	roots := x509.NewCertPool()
	text, _ := os.ReadFile(cert)
	roots.AppendCertsFromPEM(text)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if !strings.HasPrefix(k.URL(), "https://") {
		t.Fatal(k.URL())
	}
	res, err := client.Get(k.URL() + "/v1/stats")
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if status := ask("http://" + strings.TrimPrefix(k.URL(), "https://") + "/v1/stats"); status == 200 {
		t.Error("the server speaks without TLS as well")
	}
	address := k.http.listener.Addr().String()
	if _, err := served(t, address, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	k.http.certificate.mu.Lock()
	k.http.certificate.poll = 0
	k.http.certificate.mu.Unlock()
	shows := func(want int64) {
		t.Helper()
		if got, err := served(t, address, 0); got != want || err != nil {
			t.Errorf("certificate %d, want %d: %v", got, want, err)
		}
	}
	issue(t, cert, filepath.Join(dir, "other.pem"), 2) // does not match yet
	shows(1)
	shows(1)
	if n := strings.Count(log.String(), "can't be used"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
	if err := os.Rename(filepath.Join(dir, "other.pem"), key); err != nil {
		t.Fatal(err)
	}
	shows(2)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	shows(2)
}

// Files that can't be used are told before a directory is created.
func TestTLSFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	issue(t, at("a.pem"), at("a.key"), 1)
	issue(t, at("b.pem"), at("b.key"), 2)
	for _, c := range []struct{ cert, key, want string }{
		{at("a.pem"), at("b.key"), "private key does not match public key"},
		{at("a.key"), at("a.pem"), "want a certificate chain and its private key"},
		{at("a.pem"), at("none"), "no such file"},
		{at("a.pem"), "", "--tls-cert and --tls-key"},
		{"", at("a.key"), "--tls-cert and --tls-key"},
	} {
		config := Config{Dir: at("data"), Memory: storage.MinMemory, Listen: "127.0.0.1:0", Access: Access{TLSCert: c.cert, TLSKey: c.key}}
		var wrong *ConfigError
		for _, err := range []error{Check(config), func() error { _, err := Open(t.Context(), config); return err }()} {
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &wrong) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	}
	if _, err := os.Stat(at("data")); !os.IsNotExist(err) {
		t.Error("a directory was created")
	}
}

// A client that offers HTTP/2 first gets HTTP/1.1, with which the limits against abuse count.
func TestHTTP1OverTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	issue(t, cert, key, 1)
	k, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "data"), Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0", Access: Access{TLSCert: cert, TLSKey: key}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopped(t, k) })
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the protocol is looked at
	res, err := client.Get(k.URL() + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Proto != "HTTP/1.1" {
		t.Errorf("%s %s", res.Proto, res.Status)
	}
}
