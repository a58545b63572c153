package collect

import (
	"fmt"
	"testing"
	"time"
)

// Addresses are bounded in number; those that send nothing for an hour are forgotten, and no others.
func TestStrangersAreBounded(t *testing.T) {
	var s strangers
	now := time.Unix(1<<30, 0)
	for i := range strangersMost {
		if !s.allow(fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255), strangerEvents, now) {
			t.Fatal(i)
		}
	}
	for range 3 {
		if s.allow("192.0.2.1:1", 1, now) || s.allow("10.0.0.1:2", 1, now) {
			t.Error("more addresses, or events, than allowed")
		}
		now = now.Add(forgetEvery)
	}
	if now = now.Add(time.Hour); !s.allow("192.0.2.1:1", 1, now) || len(s.of) != 1 {
		t.Errorf("%d addresses are remembered", len(s.of))
	}
}

func TestNeighbourhood(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1/32", "[::ffff:192.0.2.1]:80": "192.0.2.1/32", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "pipe": "invalid Prefix", "": "invalid Prefix",
	} {
		if got := neighbourhood(address).String(); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
}
