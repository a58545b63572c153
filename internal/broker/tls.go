package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLS describes how to encrypt the connection. Setting any field turns TLS on.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`
	CAFile     string `yaml:"ca_file"`   // authorities that may sign the brokers' certificates; default the system's
	CertFile   string `yaml:"cert_file"` // this client's certificate, with KeyFile
	KeyFile    string `yaml:"key_file"`
	ServerName string `yaml:"server_name"` // default the broker's host
}

// Check reports a certificate without a key, and the reverse.
func (t TLS) Check() error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return errors.New("kafka: tls: give cert_file and key_file, or neither")
	}
	return nil
}

// enabled reports whether any setting asks for TLS: one that is given and not used would be worse than an error.
func (t TLS) enabled() bool { return t != TLS{} }

// config makes the settings of a connection. The certificate is read here, so that a bad file fails at the start, and
// again at each connection, since certificates are renewed while the program runs. Authorities are read once.
func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pool, err := Certificates(t.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	if t.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			return nil, fmt.Errorf("kafka: tls: %w", err)
		}
		// Read at each connection, so that it may be renewed.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &pair, err
		}
	}
	return config, nil
}

// Certificates reads a file of certificates in PEM.
func Certificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kafka: tls: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("kafka: tls: %s holds no certificates in PEM", path)
	}
	return pool, nil
}

// Secret returns the content of a file without surrounding white space, or, without a path, the given secret.
func Secret(path, given string) (string, error) {
	if path == "" {
		return given, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("kafka: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
