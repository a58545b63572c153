// Package loopback finds addresses for processes that tests and benchmarks start.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that the system uses for outgoing connections, and apart from those of test brokers: so a port
// is still free when the process that it is for starts, and starts again.
const low, high = 10_000, 20_000

// Free returns the first of n addresses of loopback, with ports one after the other, at which nobody listens.
func Free(n int) (string, error) {
	for range 1000 {
		port := low + rand.IntN(high-low-n)
		if free(port, n) {
			return address(port), nil
		}
	}
	return "", fmt.Errorf("loopback: no %d ports in a row are free from %d to %d", n, low, high)
}

// free reports whether nobody listens at n ports, for TCP and UDP.
func free(port, n int) bool {
	for at := port; at < port+n; at++ {
		l, err := net.Listen("tcp", address(at))
		if err != nil {
			return false
		}
		l.Close()
		p, err := net.ListenPacket("udp", address(at))
		if err != nil {
			return false
		}
		p.Close()
	}
	return true
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
