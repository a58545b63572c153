package node

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// certificatePoll is how often the files of a certificate are looked at, at most: a connection that comes later than this after
// the last look looks again.
const certificatePoll = 10 * time.Second

// A certificate is a pair of files, which may be replaced while the server runs. A pair that can't be used, as one of two files
// that are replaced one after the other, is told once, and the former stays in use.
type certificate struct {
	certFile, keyFile string
	poll              time.Duration
	logger            *slog.Logger

	mu      sync.Mutex // guards the following
	pair    *tls.Certificate
	version string // of the files that pair was read from, or that could not be used
	looked  time.Time
}

// newCertificate reads a pair of files.
func newCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, poll: certificatePoll, logger: logger}
	version, err := c.versionOfFiles()
	if err != nil {
		return nil, err
	}
	c.pair, err = c.read()
	c.version, c.looked = version, time.Now()
	return c, err
}

// read reads the files. No error quotes their content.
func (c *certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w; want a certificate chain and its private key, both in PEM", c.certFile, c.keyFile, err)
	}
	return &pair, nil
}

// versionOfFiles changes when one of the files does.
func (c *certificate) versionOfFiles() (version string, err error) {
	for _, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return "", fmt.Errorf("certificate: %w", err)
		}
		version += fmt.Sprintf("%d %d ", info.ModTime().UnixNano(), info.Size())
	}
	return version, nil
}

// get returns the certificate for a connection, and reads the files again if they have changed.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= c.poll {
		c.lookLocked()
	}
	return c.pair, nil
}

// lookLocked reads the files again if they have changed. REQUIRES: c.mu held
func (c *certificate) lookLocked() {
	c.looked = time.Now()
	version, err := c.versionOfFiles()
	if err != nil {
		version = err.Error()
	}
	if version == c.version {
		return
	}
	c.version = version
	var pair *tls.Certificate
	if err == nil {
		pair, err = c.read()
	}
	if err != nil {
		c.logger.Error("the new certificate can't be used; the former one stays in use", "error", err)
		return
	}
	c.pair = pair
	c.logger.Info("certificate read again", "expires", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
}

// over returns a listener that speaks TLS 1.2 or later. It offers HTTP/1.1 alone: that is what deadlines and limits of the
// server are tested with.
func (c *certificate) over(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"http/1.1"}})
}

// certificate reads the certificate of the settings; nil if they name none.
func (a *Access) certificate(logger *slog.Logger) (*certificate, error) {
	if a.TLSCert == "" && a.TLSKey == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	if a.TLSCert == "" || a.TLSKey == "" {
		return nil, errors.New("TLS: want --tls-cert and --tls-key, or neither")
	}
	return newCertificate(a.TLSCert, a.TLSKey, logger)
}
