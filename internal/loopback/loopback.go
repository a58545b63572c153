// Package loopback finds addresses for processes that tests and benchmarks start.
package loopback

import (
	"fmt"
	"net"
	"strconv"
)

// Free returns the first of n addresses of loopback, with ports one after the other, at which nobody listens. Another process may
// take them until they are used.
func Free(n int) (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		address, free := l.Addr().(*net.TCPAddr), true
		for i := 1; i < n && free; i++ {
			next, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(address.Port+i)))
			if free = err == nil; free {
				next.Close()
			}
		}
		l.Close()
		if free {
			return address.String(), nil
		}
	}
	return "", fmt.Errorf("loopback: no %d ports in a row are free", n)
}
