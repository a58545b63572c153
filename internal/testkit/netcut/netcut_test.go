//go:build unix

package netcut

import (
	"bufio"
	"net"
	"os/exec"
	"testing"
	"time"
)

// The words of a group do not arrive at an address while it is cut off, not even over a connection that is there, and do once that is
// healed. Others are not disturbed.
func TestCut(t *testing.T) {
	if err := Check(); err != nil {
		t.Skip(err)
	}
	const group Group = 1<<31 - 3
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan string, 16)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				for in := bufio.NewScanner(c); in.Scan(); {
					heard <- in.Text()
				}
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	shell := exec.CommandContext(t.Context(), "bash", "-c", `exec 3>/dev/tcp/127.0.0.1/`+port+`; while read -r line; do echo "$line" >&3; done`)
	shell.SysProcAttr = group.Process()
	say, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	hear := func(want string, within time.Duration) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("heard %q, want %q", got, want)
			}
		case <-time.After(within):
			if want != "" {
				t.Fatalf("did not hear %q", want)
			}
		}
	}
	tell := func(line string) {
		t.Helper()
		if _, err := say.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	tell("before")
	hear("before", time.Minute)
	heal, err := Cut(group, []string{listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	tell("meanwhile")
	hear("", 500*time.Millisecond)
	other, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Write([]byte("another\n")); err != nil {
		t.Fatal(err)
	}
	hear("another", time.Minute)
	if err := heal(); err != nil {
		t.Fatal(err)
	}
	hear("meanwhile", time.Minute) // it was sent again
	if err := heal(); err != nil {
		t.Errorf("healed twice: %v", err)
	}
	say.Close()
	if err := shell.Wait(); err != nil {
		t.Error(err)
	}
}
