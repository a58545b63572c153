package hostport

import "testing"

func TestSplit(t *testing.T) {
	for address, want := range map[string]struct {
		host string
		port int
		good bool
	}{
		"10.0.0.7:7946": {"10.0.0.7", 7946, true}, "[::1]:0": {"::1", 0, true}, "node-1:65535": {"node-1", 65535, true}, ":80": {"", 80, true},
		"": {}, "node-1": {}, "node-1:": {}, "node-1:65536": {}, "node-1:-1": {}, "node-1:http": {}, "::1:80": {},
	} {
		host, port, err := Split(address)
		if host != want.host || port != want.port || (err == nil) != want.good {
			t.Errorf("%q: %q, %d, %v", address, host, port, err)
		}
	}
}
