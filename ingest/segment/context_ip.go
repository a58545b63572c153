package segment

import "net/netip"

// Bits of an address that ipTruncated keeps: by convention enough to identify a region but not a household.
const (
	ipv4Kept = 24
	ipv6Kept = 48
)

// truncateIP appends the network of an address in quotes; ok is false for an invalid address. An IPv4 address in IPv6
// form counts as IPv4, and a zone is removed.
func truncateIP(dst, text []byte) ([]byte, bool) {
	address, err := netip.ParseAddr(string(text))
	if err != nil {
		return dst, false
	}
	address = address.Unmap().WithZone("")
	bits := ipv4Kept
	if address.Is6() {
		bits = ipv6Kept
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return dst, false
	}
	dst = network.Addr().AppendTo(append(dst, '"'))
	return append(dst, '"'), true
}
