package journaltest

import "testing"

// Schedules of copies meet what they are for.
func TestCopiesMeet(t *testing.T) {
	var dropped, trims, disks uint64
	for seed := range uint64(500) {
		c, err := simulateCopies(seed)
		if err != nil {
			t.Fatal(err)
		}
		dropped, trims, disks = dropped+c.dropped, trims+c.trims, disks+c.disks
	}
	t.Logf("%d copies dropped, %d trims, %d disks lost", dropped, trims, disks)
	if dropped < 100 || trims < 100 || disks < 100 {
		t.Error("some of that is met too rarely to prove anything")
	}
}
