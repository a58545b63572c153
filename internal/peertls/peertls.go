// Package peertls secures connections between the nodes of a cluster: both ends show a certificate of one authority, with
// a name of one list.
//
//	Files{cert, key, authority}, names ──► Load ──► Server, Client: tls.Config
//
// Addresses prove nothing here: nodes move, and are reached by number. Names do, and there is no connection without one
// of the list. Certificates are read again at each connection, so they may be renewed while the process runs.
package peertls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Files are where a node's certificate is.
type Files struct {
	Cert, Key string   // of this node, in PEM
	Authority string   // of all nodes, in PEM
	Names     []string // of nodes that may connect, and be connected to: DNS names in their certificates
}

// Check reads the files once, and reports what is missing.
func (f Files) Check() error {
	switch {
	case f.Cert == "" || f.Key == "" || f.Authority == "":
		return errors.New("cluster: tls: a certificate, its key and an authority are needed; name all three, or start with --insecure-dev")
	case len(f.Names) == 0:
		return errors.New("cluster: tls: no names of nodes; list those whose certificates are accepted")
	}
	if _, err := f.certificate(); err != nil {
		return err
	}
	_, err := f.authority()
	return err
}

func (f Files) certificate() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("cluster: tls: certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	return &c, nil
}

func (f Files) authority() (*x509.CertPool, error) {
	pem, err := os.ReadFile(f.Authority)
	if err != nil {
		return nil, fmt.Errorf("cluster: tls: read the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cluster: tls: %s holds no certificate in PEM", f.Authority)
	}
	return pool, nil
}

// Server returns what a node accepts.
func (f Files) Server() *tls.Config {
	return &tls.Config{
		MinVersion:       tls.VersionTLS13,
		GetCertificate:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.certificate() },
		ClientAuth:       tls.RequireAnyClientCert, // verify does the rest: the authority may change while the process runs
		VerifyConnection: f.verify(x509.ExtKeyUsageClientAuth),
	}
}

// Client returns what a node connects with.
func (f Files) Client() *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.certificate() },
		InsecureSkipVerify:   true, // of the address alone: verify checks authority and name
		VerifyConnection:     f.verify(x509.ExtKeyUsageServerAuth),
	}
}

// verify reports whether the other end has a certificate of the authority, for this use, with a name of the list. It runs at
// resumed sessions, too.
func (f Files) verify(use x509.ExtKeyUsage) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("cluster: tls: the other end shows no certificate")
		}
		roots, err := f.authority()
		if err != nil {
			return err
		}
		between := x509.NewCertPool()
		for _, c := range s.PeerCertificates[1:] {
			between.AddCert(c)
		}
		leaf := s.PeerCertificates[0]
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{use}}); err != nil {
			return fmt.Errorf("cluster: tls: the other end's certificate: %w", err)
		}
		if !slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return slices.Contains(f.Names, name) }) {
			return errors.New("cluster: tls: the other end's certificate has no name of the list; add it on every node")
		}
		return nil
	}
}
