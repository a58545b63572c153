package score

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// A twentieth of 100,000 ids is 5,000, with a standard deviation of 69. A group of a smaller share is part of it.
func TestControlHoldsItsShare(t *testing.T) {
	control, smaller := mustControl(t, 0.05), mustControl(t, 0.02)
	held := 0
	for i := range 100_000 {
		id := fmt.Append(nil, "customer ", i)
		if control.Holds(id) {
			held++
		}
		if smaller.Holds(id) && !control.Holds(id) {
			t.Fatalf("%s is held by a share of 2 %%, and not by one of 5 %%", id)
		}
		if mustControl(t, 0).Holds(id) || (Control{}).Holds(id) || !mustControl(t, 1).Holds(id) {
			t.Fatal("a share of 0 holds nobody, one of 1 everybody")
		}
	}
	near(t, "held", float64(held), 5000, 0.07)
}

func mustControl(t *testing.T, share float64) Control {
	t.Helper()
	c, err := NewControl(share)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Membership is for ever: these were drawn by the first version.
func TestControlIsPermanent(t *testing.T) {
	if got, want := hash64([]byte("spring"), "id"), uint64(0x4905c027ab71ea98); got != want {
		t.Errorf("hash %#x, want %#x: customers would change sides", got, want)
	}
	if hash64([]byte("a"), "bc") == hash64([]byte("ab"), "c") {
		t.Error("salt and id can be shifted into one another")
	}
	held := ""
	for id := range 40 {
		if mustControl(t, 0.1).Holds(fmt.Append(nil, id)) {
			held += fmt.Sprint(id, " ")
		}
	}
	if want := "16 25 27 30 "; held != want {
		t.Errorf("of 0 to 39 a tenth holds %s, want %s", held, want)
	}
}

func TestControlChecksItsShare(t *testing.T) {
	for share, valid := range map[float64]bool{-0.01: false, 0: true, 0.5: true, 1: true, 1.01: false, math.Inf(1): false} {
		if c, err := NewControl(share); (err == nil) != valid || !valid && !errors.Is(err, errControl) || valid && c.Share() != share {
			t.Errorf("%v: %v, %v", share, c, err)
		}
	}
	if _, err := NewControl(math.NaN()); !errors.Is(err, errControl) {
		t.Errorf("NaN: %v", err)
	}
}
