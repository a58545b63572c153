package segment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/money"
)

// Options control how events are read. The zero value of each field is its default.
type Options struct {
	// Paths are identifiers beyond those of the Segment spec.
	Paths []Path
	// Currency is the ISO 4217 code for orders without a currency. Default defaultCurrency.
	Currency string
	// Sources are the sources by trust, the most trusted first: if two events of one time disagree, the more trusted
	// source wins. Other sources rank below. At most MaxSources.
	Sources []string
	// SourcesApart are the sources that number their messages independently: message id 1 of such a source differs from
	// that of any other. All other sources share one numbering, so that an event is one event whichever source sends it.
	// At most MaxSources.
	SourcesApart []string
	// FormerUntil is the time, ms since 1970 UTC, until which the memory of duplicates may hold events without
	// fingerprints of their content. 0: it never did.
	FormerUntil int64
	// MaxEventBytes bounds one event. Default DefaultMaxEventBytes.
	MaxEventBytes int
	// Context controls which part of an event's context is stored.
	Context ContextOptions
	// Live means that events arrive as they happen. The time of reception then distinguishes equal events without time and
	// id, and sentAt corrects times. Events of a file are not live: reading the file again must give the same ids and
	// times. SetLive overrides it for a batch.
	Live bool
	// Times controls which times of events are plausible.
	Times Times
}

// Path is a place at which events carry identifiers of a namespace: the keys of nested JSON objects, from the event
// down, separated by dots, as in properties.loyalty_card. It can't lead into arrays.
type Path struct{ Path, Namespace string }

// Defaults and bounds.
const (
	defaultCurrency      = "USD"
	DefaultMaxEventBytes = 1 << 20
	MaxSources           = 255 // so that a rank has eight bits
)

// Check reports every problem of the options in one error.
func (o Options) Check(reg *identifier.Registry) error {
	var errs []error
	for _, p := range o.Paths {
		if reg.Namespace([]byte(p.Namespace)) == nil {
			errs = append(errs, fmt.Errorf("path %q: namespace %q is not registered", p.Path, p.Namespace))
		}
		if slices.Contains(strings.Split(p.Path, "."), "") {
			errs = append(errs, fmt.Errorf("path %q: want keys with a dot between, as in properties.loyalty_card", p.Path))
		}
	}
	if o.Currency != "" {
		if _, err := money.ParseCurrency([]byte(o.Currency)); err != nil {
			errs = append(errs, fmt.Errorf("currency %q: %w", o.Currency, err))
		}
	}
	if err := o.Context.Check(); err != nil {
		errs = append(errs, err)
	}
	if len(o.Sources) > MaxSources {
		errs = append(errs, fmt.Errorf("%d sources: want %d or fewer", len(o.Sources), MaxSources))
	}
	if len(o.SourcesApart) > MaxSources {
		errs = append(errs, fmt.Errorf("%d sources that number apart: want %d or fewer", len(o.SourcesApart), MaxSources))
	}
	if o.MaxEventBytes < 0 {
		errs = append(errs, fmt.Errorf("event limit of %d bytes: want 0 (default) or more", o.MaxEventBytes))
	}
	errs = append(errs, o.Times.check())
	return errors.Join(errs...)
}

func (o Options) currency() graph.Currency {
	code := o.Currency
	if code == "" {
		code = defaultCurrency
	}
	c, err := money.ParseCurrency([]byte(code))
	if err != nil {
		panic(err) // Check has passed
	}
	return c
}
