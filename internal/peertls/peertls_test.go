package peertls_test

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/peertls"
	"github.com/kindred-id/kindred/internal/testkit/certs"
)

// connect reports what both ends say of a connection.
func connect(t *testing.T, server, client *tls.Config) (atServer, atClient error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		far, err := l.Accept()
		if err == nil {
			err = tls.Server(far, server).Handshake()
			far.Close()
		}
		done <- err
	}()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(near, client)
	atClient = c.Handshake()
	if atClient == nil { // a server refuses after the client is done
		_, atClient = c.Read(make([]byte, 1))
	}
	near.Close()
	return <-done, atClient
}

// Nodes of the list connect, whatever their addresses; any other end is refused, and refuses.
func TestWhoConnects(t *testing.T) {
	a, other := certs.New(t), certs.New(t)
	n1, n2 := a.Node("n1", "n1", "n2"), a.Node("n2", "n1", "n2")
	stranger := a.Node("n9", "n1", "n2")
	expired := a.Issue("n2", time.Now().Add(-time.Minute), "n1", "n2")
	foreign := other.Node("n2", "n1", "n2")
	foreign.Authority = n1.Authority // it trusts us, and we do not trust it
	for _, test := range []struct {
		name   string
		server peertls.Files
		client *tls.Config
		ok     bool
	}{
		{"two of the list", n1, n2.Client(), true},
		{"the same node", n1, n1.Client(), true},
		{"a name that is not listed", n1, stranger.Client(), false},
		{"a server that is not listed", stranger, n1.Client(), false},
		{"another authority", n1, foreign.Client(), false},
		{"a server of another authority", foreign, n1.Client(), false},
		{"expired", n1, expired.Client(), false},
		{"no certificate", n1, &tls.Config{InsecureSkipVerify: true}, false},
		{"an old version", n1, old(n2.Client()), false},
	} {
		server, client := connect(t, test.server.Server(), test.client)
		if good := server == nil; good != test.ok {
			t.Errorf("%s: server says %v, client says %v", test.name, server, client)
		}
	}
}

func old(c *tls.Config) *tls.Config {
	c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	return c
}

// Settings that name too little, or files that hold nothing, are refused.
func TestCheck(t *testing.T) {
	good := certs.New(t).Node("n1", "n1")
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*peertls.Files){
		"no key":       func(f *peertls.Files) { f.Key = "" },
		"no names":     func(f *peertls.Files) { f.Names = nil },
		"missing":      func(f *peertls.Files) { f.Cert += "x" },
		"no authority": func(f *peertls.Files) { f.Authority = f.Key },
	} {
		f := good
		change(&f)
		if f.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
