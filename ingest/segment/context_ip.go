package segment

import "net/netip"

// Bits of an address that IPTruncated keeps: what is usual to tell a region and not a household.
const (
	ipv4Kept = 24
	ipv6Kept = 48
)

// truncateIP appends the network of an address in quotes; false for what is no address. An IPv4 address that is
// written as IPv6 is one of IPv4, and a zone is left out.
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
