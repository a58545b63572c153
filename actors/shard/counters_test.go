package shard

import "testing"

// Counters of a record from before Active was counted are read, and say that it is not known.
func TestOlderCounters(t *testing.T) {
	var c Counters
	if err := c.Decode([]byte{5, 4, 3, 2, 1, 0, 7}); err != nil || c.Accepted != 5 || c.Identities != 7 || c.Active != unknownActive {
		t.Fatalf("%+v, %v", c, err)
	}
	c.Active = 9
	var again Counters
	if err := again.Decode(c.append(nil)); err != nil || again != c {
		t.Fatalf("%+v, %v; want %+v", again, err, c)
	}
	if err := again.Decode([]byte{5, 4}); err == nil {
		t.Fatal("counters that end early are read")
	}
}
