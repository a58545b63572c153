package signal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Op compares a property with the values of a condition.
type Op string

// The operators. An array stands for its elements, at any depth: a condition holds if it holds of one of them.
const (
	Eq         Op = "eq"
	Ne         Op = "ne" // the opposite of Eq: it holds of an event without the property
	In         Op = "in"
	NotIn      Op = "not_in" // the opposite of In
	Lt         Op = "lt"
	Le         Op = "le"
	Gt         Op = "gt"
	Ge         Op = "ge"
	Contains   Op = "contains"
	StartsWith Op = "starts_with"
	Exists     Op = "exists" // and is not null
	Missing    Op = "missing"
)

// Operand is a value that a condition compares with.
type Operand struct {
	Kind ScalarKind // Text, Number or Bool
	Text string
	Num  float64
	True bool
}

// Condition compares one property with a value.
type Condition struct {
	Path   string // of the property: names with dots between
	Op     Op
	Values []Operand // none of Exists and Missing, one or more of In and NotIn, else one
}

// Limits of a condition.
const (
	pathMax   = 200 // bytes
	valuesMax = 1_000
)

// Check reports what is wrong with the condition; the error does not say where it stands.
func (c *Condition) Check() error {
	if c.Path == "" || len(c.Path) > pathMax {
		return fmt.Errorf("a property's name of %d bytes; give 1 to %d", len(c.Path), pathMax)
	}
	for name := range strings.SplitSeq(c.Path, ".") {
		if name == "" {
			return fmt.Errorf("property %q has an empty name between dots", c.Path)
		}
	}
	low, high := 1, 1
	switch c.Op {
	case Exists, Missing:
		low, high = 0, 0
	case In, NotIn:
		high = valuesMax
	case Eq, Ne, Lt, Le, Gt, Ge, Contains, StartsWith:
	default:
		return fmt.Errorf("unknown operator %q; use eq, ne, in, not_in, lt, le, gt, ge, contains, starts_with, exists or missing", string(c.Op))
	}
	if n := len(c.Values); n < low || n > high {
		return fmt.Errorf("%q with %d values; give %d to %d", string(c.Op), n, low, high)
	}
	for _, v := range c.Values {
		if err := v.check(c.Op); err != nil {
			return err
		}
	}
	return nil
}

func (v *Operand) check(op Op) error {
	switch op {
	case Lt, Le, Gt, Ge:
		if v.Kind != Number {
			return fmt.Errorf("%q compares numbers; %s is none", string(op), v)
		}
	case Contains, StartsWith:
		if v.Kind != Text || v.Text == "" {
			return fmt.Errorf("%q needs a text that is not empty", string(op))
		}
	}
	if v.Kind == Number && (math.IsNaN(v.Num) || math.IsInf(v.Num, 0)) {
		return errors.New("a number that is not finite")
	}
	if len(v.Text) > ValueMax {
		return fmt.Errorf("a text of %d bytes; give at most %d", len(v.Text), ValueMax)
	}
	return nil
}

func (v *Operand) String() string {
	switch v.Kind {
	case Text:
		return fmt.Sprintf("%q", v.Text)
	case Number:
		return fmt.Sprint(v.Num)
	case Bool:
		return fmt.Sprint(v.True)
	}
	return "null"
}

func (v *Operand) compare(other *Operand) int {
	return cmp.Or(cmp.Compare(v.Kind, other.Kind), strings.Compare(v.Text, other.Text), cmp.Compare(v.Num, other.Num),
		compareBool(v.True, other.True))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func (c *Condition) compare(other *Condition) int {
	return cmp.Or(strings.Compare(c.Path, other.Path), strings.Compare(string(c.Op), string(other.Op)),
		slices.CompareFunc(c.Values, other.Values, func(a, b Operand) int { return a.compare(&b) }))
}

// canonical sorts and compacts the values, whose order says nothing.
func (c *Condition) canonical() {
	c.Values = slices.Clone(c.Values)
	slices.SortFunc(c.Values, func(a, b Operand) int { return a.compare(&b) })
	c.Values = slices.CompactFunc(c.Values, func(a, b Operand) bool { return a.compare(&b) == 0 })
}

// Properties gives the values of an event's properties, or of a person's traits.
type Properties interface {
	// Append appends the values at a path: those of all elements of an array, and nothing if there is no value.
	Append(values []Scalar, path string) []Scalar
}

// Scratch is memory that is used again from condition to condition, by one goroutine at a time.
type Scratch struct{ values []Scalar }

// at returns the values at a path, until the next call.
func (s *Scratch) at(p Properties, path string) []Scalar {
	s.values = p.Append(s.values[:0], path)
	return s.values
}

// Holds reports whether the condition holds of an event's properties. REQUIRES: c.Check() == nil
func (c *Condition) Holds(p Properties, scratch *Scratch) bool {
	return c.HoldsOf(scratch.at(p, c.Path))
}

// HoldsOf reports whether the condition holds of the values of its property. REQUIRES: c.Check() == nil
func (c *Condition) HoldsOf(values []Scalar) bool {
	opposite := c.Op == Ne || c.Op == NotIn || c.Op == Missing
	for i := range values {
		if c.matches(values[i]) {
			return !opposite
		}
	}
	return opposite
}

// matches reports whether the condition, or the one that it is the opposite of, holds of one value.
func (c *Condition) matches(s Scalar) bool {
	switch c.Op {
	case Exists, Missing:
		return s.Kind != Null
	case Contains:
		return s.Kind == Text && bytes.Contains(s.Text, []byte(c.Values[0].Text))
	case StartsWith:
		return s.Kind == Text && bytes.HasPrefix(s.Text, []byte(c.Values[0].Text))
	case Lt, Le, Gt, Ge:
		n, ok := s.number()
		return ok && c.orders(n)
	}
	for i := range c.Values {
		if c.Values[i].equals(s) {
			return true
		}
	}
	return false
}

func (c *Condition) orders(n float64) bool {
	bound := c.Values[0].Num
	switch c.Op {
	case Lt:
		return n < bound
	case Le:
		return n <= bound
	case Gt:
		return n > bound
	}
	return n >= bound
}

func (v *Operand) equals(s Scalar) bool {
	switch v.Kind {
	case Number:
		n, ok := s.number()
		return ok && n == v.Num
	case Bool:
		return s.Kind == Bool && s.True == v.True
	}
	return s.Kind == Text && string(s.Text) == v.Text
}
