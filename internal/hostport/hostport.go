// Package hostport reads addresses of nodes, host:port with a port by number.
package hostport

import (
	"fmt"
	"net"
	"strconv"
)

// Everywhere reports whether a host stands for all addresses of a machine: one can listen there, and nobody can connect to it.
func Everywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// Split returns the parts of host:port, without the brackets of an IPv6 address.
func Split(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q: want host:port: %w", address, err)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q: the port is no number up to 65535", address)
	}
	return host, int(number), nil
}
