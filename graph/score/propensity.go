package score

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// SessionCounts is how many sessions of a visitor there were, and how many of them ended in an order, by 30 days. It is
// a sum of integers: the order of events and merges does not matter.
type SessionCounts struct {
	cells []sessionCell // by bucket
}

type sessionCell struct {
	bucket                int32
	sessions, conversions uint32
}

// sessionCellsMax bounds the periods kept: ten years. The oldest are dropped, whose weight is next to nothing.
const sessionCellsMax = 122

// Add counts sessions that began at a time (ms since 1970 UTC), and those of them that converted.
func (c *SessionCounts) Add(at int64, sessions, conversions uint32) {
	if sessions == 0 {
		return
	}
	cell := sessionCell{bucket: bucket(at), sessions: sessions, conversions: conversions}
	i, found := slices.BinarySearchFunc(c.cells, cell, func(a, b sessionCell) int { return cmp.Compare(a.bucket, b.bucket) })
	if found {
		c.cells[i].merge(&cell)
		return
	}
	c.cells = slices.Insert(c.cells, i, cell)
	c.bound()
}

// Merge adds the counts of other sessions.
func (c *SessionCounts) Merge(o *SessionCounts) {
	c.cells = unite(slices.Concat(c.cells, o.cells), func(a, b *sessionCell) int { return cmp.Compare(a.bucket, b.bucket) }, (*sessionCell).merge)
	c.bound()
}

func (c *sessionCell) merge(o *sessionCell) {
	c.sessions = addCount(c.sessions, o.sessions)
	c.conversions = addCount(c.conversions, o.conversions)
}

// bound keeps the newest periods. Which they are depends on the set of periods alone: a dropped one never comes back.
func (c *SessionCounts) bound() {
	if extra := len(c.cells) - sessionCellsMax; extra > 0 {
		c.cells = slices.Delete(c.cells, 0, extra)
	}
}

// Session is the visit under way.
type Session struct {
	Cart      bool   // something is in the cart
	Views     uint32 // products viewed
	SinceLast int64  // ms since the visit before; 0 when there was none
}

// ConversionParameters is what the chance of an order in a session depends on. Coefficients are log-odds; a
// coefficient that was not measured is 0, and then its term says nothing.
type ConversionParameters struct {
	HalfLife int     // days in which evidence fades to half; 0: 365
	Sessions Beta    // how the share of sessions with an order differs between visitors; zero: Beta(1, 1)
	Cart     float64 // for a cart that is not empty
	Views    float64 // for each e-fold of (1 + products viewed)
	Absence  float64 // for each e-fold of (1 + days since the visit before)
}

// Conversion is conversion parameters made ready for reading.
type Conversion struct {
	parameters ConversionParameters
	decay      Decay
}

const coefficientMax = 20

// ErrConversion is returned for parameters that describe no conversion.
var ErrConversion = errors.New("no such conversion")

// NewConversion checks parameters and makes them ready.
func NewConversion(p ConversionParameters) (*Conversion, error) {
	setDefault(&p.HalfLife, halfLifeDays)
	setDefault(&p.Sessions, Beta{A: 1, B: 1})
	for _, c := range []struct {
		name           string
		v, least, most float64
	}{
		{"HalfLife", float64(p.HalfLife), 1, halfLifeMax},
		{"Sessions.A", p.Sessions.A, betaMin, betaMax},
		{"Sessions.B", p.Sessions.B, betaMin, betaMax},
		{"Cart", p.Cart, -coefficientMax, coefficientMax},
		{"Views", p.Views, -coefficientMax, coefficientMax},
		{"Absence", p.Absence, -coefficientMax, coefficientMax},
	} {
		if !(c.v >= c.least && c.v <= c.most) {
			return nil, fmt.Errorf("%w: %s is %v; give one from %v to %v", ErrConversion, c.name, c.v, c.least, c.most)
		}
	}
	return &Conversion{parameters: p, decay: NewDecay(p.HalfLife)}, nil
}

// Propensity is the chance that the visit under way ends in an order: the visitor's own share of sessions with an
// order, shrunk to the population's and faded by age, moved in log-odds by what the visit shows so far.
func (m *Conversion) Propensity(c *SessionCounts, s Session, now int64) float64 {
	var sessions, conversions uint64
	today := day(clampTime(now))
	for i := range c.cells {
		cell := &c.cells[i]
		weight := m.decay.weight(today-(int64(cell.bucket)*bucketDays+bucketDays/2)) / (decayUnit / interestUnit)
		sessions += uint64(cell.sessions) * weight
		conversions += uint64(min(cell.conversions, cell.sessions)) * weight
	}
	of, won := float64(sessions)/interestUnit, float64(conversions)/interestUnit
	p := &m.parameters
	logit := math.Log((p.Sessions.A + won) / (p.Sessions.B + of - won))
	if s.Cart {
		logit += p.Cart
	}
	logit += p.Views * math.Log1p(float64(s.Views))
	logit += p.Absence * math.Log1p(float64(max(s.SinceLast, 0))/dayMillis)
	return sigmoid(logit)
}
