package cli

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestNotify(t *testing.T) {
	t.Setenv(notifyVariable, "")
	if err := Notify(NotifyReady); err != nil {
		t.Errorf("without a manager: %v", err)
	}
	path := filepath.Join(t.TempDir(), "s")
	t.Setenv(notifyVariable, path)
	if Notify(NotifyReady) == nil {
		t.Error("nobody listens, and nobody says so")
	}
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Skip("no datagram sockets here: ", err)
	}
	defer l.Close()
	if err := Notify(NotifyReady); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 64)
	if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Read(text); err != nil || string(text[:n]) != NotifyReady {
		t.Errorf("%q, %v", text[:n], err)
	}
}
