package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/stream"
)

// Access says whom the HTTP server lets in, and under which names it answers. Without Config.Listen none of it matters: only
// this process can reach Handler, and may do everything.
type Access struct {
	// AllowedHosts are names that the server answers for, beside addresses, names of one label, and that of this machine; see
	// access.NewHosts.
	AllowedHosts []string
	// InsecureDev lets a server without keys listen on a network.
	InsecureDev bool
	// Announced keeps the warning of an open server on loopback out of the log: the caller tells it in its own words.
	Announced bool
	// TLSCert and TLSKey name the files of the certificate chain and its private key, in PEM. They are read again when they
	// change. Default: the server speaks HTTP without TLS.
	TLSCert, TLSKey string
	// UnknownKey is what happens to events with a write key that is not known, has expired or was revoked: KeyRejected, or
	// KeyQuarantined. Default: KeyRejected.
	UnknownKey string
	// BackupDir is the folder below which backups over HTTP are written. Default: there are no backups over HTTP.
	BackupDir string
	// Provider is an identity provider whose people are let in, beside keys. Default: none.
	Provider access.Provider
	// KeyRate is how many requests a key may make in a second, unless the key has a number of its own. Default: 0, as many as
	// come.
	KeyRate int
	// MaxConnections and MaxStreams bound the connections of clients, and the streams of changes among them; see api.Config.
	// Default: 0, as many as the memory is made for, and 16.
	MaxConnections, MaxStreams int
}

// The treatments of events without a valid write key.
const (
	KeyRejected    = "reject"     // the request is refused
	KeyQuarantined = "quarantine" // they are kept as dead letters, within bounds
)

// check validates the settings.
func (a *Access) check() error {
	_, hosts := access.NewHosts(a.AllowedHosts)
	_, provider := a.people()
	return errors.Join(hosts, provider, unless(a.UnknownKey == "" || a.UnknownKey == KeyRejected || a.UnknownKey == KeyQuarantined, "--unknown-key %q: want %s or %s", a.UnknownKey, KeyRejected, KeyQuarantined),
		unless(a.KeyRate >= 0, "--key-rate %d: want 0 or more requests a second", a.KeyRate),
		unless(a.MaxConnections >= 0, "--max-connections %d: want 1 or more, or 0 for as many as the memory is made for", a.MaxConnections),
		unless(a.MaxStreams >= 0, "--max-streams %d: want 1 or more, or 0 for %d", a.MaxStreams, stream.DefaultStreams))
}

// people lets in the people of the provider; nil if the settings name none.
func (a *Access) people() (*access.People, error) {
	p := a.Provider
	if !p.On() {
		return nil, unless(p.Audience == "" && p.Claim == "" && len(p.Roles) == 0, "--oidc-audience, --oidc-claim and --oidc-roles: want --oidc-issuer, too")
	}
	people, err := access.NewPeople(p)
	if err != nil {
		return nil, fmt.Errorf("OIDC: %w", err)
	}
	return people, nil
}

// checkFiles reads the files that the settings name.
func (a *Access) checkFiles() error {
	_, err := a.certificate(slog.New(slog.DiscardHandler))
	if a.BackupDir != "" {
		switch info, missing := os.Stat(a.BackupDir); {
		case missing != nil:
			err = errors.Join(err, fmt.Errorf("--backup-dir: %w; make the folder first", missing))
		case !info.IsDir():
			err = errors.Join(err, fmt.Errorf("--backup-dir %s: it is no folder", a.BackupDir))
		}
	}
	return err
}

// errOpen is why a server without keys does not start on an address of a network.
const errOpen = "listen on %s: the deployment has no keys, so every client that reaches the address could read and change everything; " +
	"make one with kindred keys create admin --data %s, listen on 127.0.0.1, or give --insecure-dev"

// refuseOpen fails if the server would be open to a network.
func (k *Kindred) refuseOpen(keys bool) error {
	address := k.http.listener
	if k.config.Listen == "" || keys || k.config.Access.Provider.On() || k.config.Access.InsecureDev || onLoopback(address.Addr()) {
		return nil
	}
	return &ConfigError{fmt.Errorf(errOpen, address.Addr(), k.config.Dir)}
}

func onLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// gate makes the gate of the HTTP server.
func (k *Kindred) gate(keys *keyring.Keyring) (*access.Gate, error) {
	if err := k.refuseOpen(!keys.Empty()); err != nil {
		return nil, err
	}
	if k.config.Listen == "" {
		return access.New(access.Config{}), nil
	}
	bounds, err := k.bounds(&k.config.Access)
	if err != nil {
		return nil, err
	}
	people, err := k.config.Access.people()
	if err != nil {
		return nil, err
	}
	gate := access.New(access.Config{Keys: keys, People: people, Bounds: bounds})
	if gate.Open() {
		k.warnOpen()
	}
	return gate, nil
}

// bounds are those of the settings.
func (k *Kindred) bounds(a *Access) (access.Bounds, error) {
	hosts, err := access.NewHosts(append(k.ownNames(), a.AllowedHosts...))
	return access.Bounds{Hosts: hosts, PerSecond: a.KeyRate, SetAside: a.UnknownKey == KeyQuarantined}, err
}

// ownNames are the names of this machine, and of the address to listen on.
func (k *Kindred) ownNames() (names []string) {
	own, _ := os.Hostname()
	listen, _, _ := net.SplitHostPort(k.config.Listen)
	for _, name := range []string{own, listen} {
		if _, err := access.NewHosts([]string{name}); err == nil && net.ParseIP(name) == nil {
			names = append(names, name)
		}
	}
	return names
}

// warnOpen says that everybody may do everything.
func (k *Kindred) warnOpen() {
	local := onLoopback(k.http.listener.Addr())
	if local && k.config.Access.Announced {
		return
	}
	reach := "every program on this machine"
	if !local {
		reach = "EVERY CLIENT THAT REACHES THIS ADDRESS"
	}
	k.config.Logger.Warn("the server is open: the deployment has no keys, so "+reach+" can read and change everything",
		"address", k.http.listener.Addr().String(), "remedy", "kindred keys create admin")
}
