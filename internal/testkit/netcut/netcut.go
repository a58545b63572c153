// Package netcut drops what processes send to each other, as a network does that is cut: no connection is refused or closed, and
// nobody is told. It needs Linux, root and iptables, and leaves nothing behind once what was cut is healed.
package netcut

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// ErrUnavailable is returned where nothing can be cut.
var ErrUnavailable = errors.New("netcut: it needs Linux, root and iptables")

// A Group is a group id that processes run with, by which their packets are known.
type Group uint32

// Check returns ErrUnavailable, and why, where nothing can be cut.
func Check() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: this is not root", ErrUnavailable)
	}
	heal, err := Cut(unused, []string{"127.0.0.1:9"})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return heal()
}

// unused is a group that no process has.
const unused Group = 1<<31 - 2

// Cut drops what a group sends to addresses on this machine, by TCP and UDP, until heal is called. heal may be called again.
func Cut(from Group, to []string) (heal func() error, err error) {
	var rules [][]string
	for _, address := range to {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("netcut: %w", err)
		}
		for _, protocol := range []string{"tcp", "udp"} {
			rules = append(rules, []string{
				"OUTPUT", "-p", protocol, "-d", host, "--dport", port, "-m", "owner", "--gid-owner", strconv.FormatUint(uint64(from), 10), "-j", "DROP",
			})
		}
	}
	undo := sync.OnceValue(func() error {
		var failed error
		for _, rule := range rules {
			failed = errors.Join(failed, iptables("-D", rule))
		}
		return failed
	})
	for i, rule := range rules {
		if err := iptables("-I", rule); err != nil {
			rules = rules[:i]
			return nil, errors.Join(err, undo())
		}
	}
	return undo, nil
}

func iptables(do string, rule []string) error {
	cmd := exec.Command("iptables", append([]string{"-w", do}, rule...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("netcut: iptables %s %s: %w: %s", do, strings.Join(rule, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
