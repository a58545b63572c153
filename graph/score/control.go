package score

import (
	"errors"
	"fmt"
	"math"
)

// Control is the permanent group of customers who get no offers, so that what offers do can be told from
// what would have happened anyway. Membership is a function of the identity's canonical id and not of a random
// number: it is the same in every process and after every restart, and after a merge the survivor's id decides. A group
// of a smaller share is part of one of a larger share. The zero value is a group without members.
type Control struct {
	share float64
}

// errControl is returned for a share outside 0 to 1.
var errControl = errors.New("control group: invalid share")

// NewControl makes a group of a share of all customers, from 0 to 1. Any other share is errControl.
func NewControl(share float64) (Control, error) {
	if !(share >= 0 && share <= 1) {
		return Control{}, fmt.Errorf("%w: a share of %v; give one from 0 to 1", errControl, share)
	}
	return Control{share}, nil
}

// Share is the share of all customers that the group is drawn with.
func (c Control) Share() float64 { return c.share }

// controlSalt keeps the draw apart from other uses of the hash.
var controlSalt = []byte("kindred control group")

// Holds reports whether an identity is in the group, by its canonical id.
func (c Control) Holds(id []byte) bool {
	return math.Ldexp(float64(hash64(controlSalt, id)>>11), -53) < c.share // 53 bits are exact, so that a share of 1 holds all
}
