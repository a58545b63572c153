package generate

import (
	"errors"
	"fmt"
	"time"
)

// Config describes a stream. A share is a part of one; 0 turns it off. Default gives every field a usual value.
type Config struct {
	Seed   uint64        // default 1; another seed is another shop
	People int           // default 100,000; at most maxPeople. They arrive over the first four fifths of the stream, as far as there are events for them
	Events int           // default 1,000,000; lines in the stream, re-deliveries included
	Start  time.Time     // default 2025-01-01 UTC; time of the first event, between the years 2000 and 2100
	Span   time.Duration // default 90 days; from the first event to the last, at least 1 ms an event (G2)
	// Concurrent is the number of simultaneous visits, and thus the distance between the events of one visit; default
	// 1,000, at most 65,536. Short streams and small shops have fewer.
	Concurrent int

	// Shares of people.
	LateLogin    float64 // default 0.4; of the devices of people with an account: first used without logging in
	Household    float64 // default 0.05; have an app on one device (context.device.id) with another person
	SharedTablet float64 // default 0.02; log in on one cookie (anonymousId) with another person
	Generic      float64 // default 0.002; sign up with the address of a call centre, about genericUsers people each
	Loyalty      float64 // default 0; have a loyalty card in context.externalIds, of a namespace that the rules must declare
	Alias        float64 // default 0.005; had another customer number, joined by an alias call alone

	// Shares of events.
	Junk       float64  // default 0.02; carry a worthless identifier beside a good one
	RawForms   float64  // default 0.1; of the e-mails and phones sent: in another form than the normalised one
	Redelivery float64  // default 0.02; come again, byte by byte
	Disorder   Disorder // default 0.05 of up to 1,000

	// Shares of orders.
	Discount  float64 // default 0.3; carry a discount, a coupon or both
	Refund    float64 // default 0.05; are refunded, half of them partly
	Cancel    float64 // default 0.02; are cancelled
	Update    float64 // default 0.03; are updated
	Copy      float64 // default 0.1; are reported a second time, by the server, with another message id
	TextMoney float64 // default 0.02; write money as text
}

// Disorder says how events come late.
type Disorder struct {
	Share float64 // of the events that come late
	Max   int     // how many younger events may come before one, from 1 to maxDisorder
}

// The bounds of a Config, and the size of a call centre's clientele.
const (
	maxPeople    = 100_000_000
	maxDisorder  = 100_000
	genericUsers = 48
)

// redeliveryMax bounds how many younger events come before a re-delivery.
const redeliveryMax = 5000

// Default is a shop of a hundred thousand people and a million events with every difficulty.
func Default() Config {
	return Config{
		Seed: 1, People: 100_000, Events: 1_000_000,
		Start: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Span: 90 * 24 * time.Hour,
		Concurrent: 1000,
		LateLogin:  0.4, Household: 0.05, SharedTablet: 0.02, Generic: 0.002, Alias: 0.005,
		Junk: 0.02, RawForms: 0.1, Redelivery: 0.02, Disorder: Disorder{Share: 0.05, Max: 1000},
		Discount: 0.3, Refund: 0.05, Cancel: 0.02, Update: 0.03, Copy: 0.1, TextMoney: 0.02,
	}
}

// Check reports every problem of a Config in one error.
func (c *Config) Check() error {
	var errs []error
	for _, f := range []struct {
		name     string
		value    int
		min, max int
	}{
		{"people", c.People, 1, maxPeople},
		{"events", c.Events, 1, 1 << 40},
		{"concurrent", c.Concurrent, 1, 1 << 16},
	} {
		if f.value < f.min || f.value > f.max {
			errs = append(errs, fmt.Errorf("%s %d: want %d to %d", f.name, f.value, f.min, f.max))
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"late login", c.LateLogin},
		{"household", c.Household},
		{"shared tablet", c.SharedTablet},
		{"generic", c.Generic},
		{"loyalty", c.Loyalty},
		{"alias", c.Alias},
		{"junk", c.Junk},
		{"raw forms", c.RawForms},
		{"redelivery", c.Redelivery},
		{"disorder", c.Disorder.Share},
		{"discount", c.Discount},
		{"refund", c.Refund},
		{"cancel", c.Cancel},
		{"update", c.Update},
		{"copy", c.Copy},
		{"text money", c.TextMoney},
	} {
		if !(f.value >= 0 && f.value <= 1) { // NaN too
			errs = append(errs, fmt.Errorf("share %q is %v: want 0 to 1", f.name, f.value))
		}
	}
	if c.Disorder.Share > 0 && (c.Disorder.Max < 1 || c.Disorder.Max > maxDisorder) {
		errs = append(errs, fmt.Errorf("disorder of up to %d events: want 1 to %d", c.Disorder.Max, maxDisorder))
	}
	if y := c.Start.UTC().Year(); y < 2000 || y > 2100 {
		errs = append(errs, fmt.Errorf("start %s: want a time between the years 2000 and 2100", c.Start.UTC().Format(time.RFC3339)))
	}
	if c.Span.Milliseconds() < int64(c.Events) {
		errs = append(errs, fmt.Errorf("span %s is too short for %d events: want 1 ms an event or more", c.Span, c.Events))
	}
	return errors.Join(errs...)
}

// A threshold is a share as a number of 53 bits: exact, and compared without floating point.
type threshold uint64

func thresholdOf(share float64) threshold { return threshold(share * (1 << 53)) }

// holds reports whether a random number is within the share.
func (t threshold) holds(random uint64) bool { return random>>11 < uint64(t) }
