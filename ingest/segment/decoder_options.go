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

// Options say how events are read. The zero value is the default of each.
type Options struct {
	// Paths are identifiers beyond those of the Segment spec.
	Paths []Path
	// Currency is that of orders that name none: ISO 4217. Default DefaultCurrency.
	Currency string
	// Sources are the sources by trust, the most trusted first: where two events of one time
	// disagree, the more trusted source wins. Others rank below. At most MaxSources.
	Sources []string
	// SourcesApart are the sources that number their messages apart: message id 1 of such a source is another one
	// than that of any other. All others share one numbering, so that an event is one event by whichever way it
	// comes. At most MaxSources.
	SourcesApart []string
	// FormerUntil is until when, ms since 1970 UTC, the memory of duplicates may hold events that were remembered
	// without fingerprints of their content. 0: it never did.
	FormerUntil int64
	// MaxEventBytes bounds one event. Default DefaultMaxEventBytes.
	MaxEventBytes int
	// Context says what of an event's context is kept with it.
	Context ContextOptions
	// Live says that events come as they happen. One that names neither a time nor an id is then
	// told from an equal one by when it was received, and sentAt corrects times. In a file it is not:
	// reading the file again must give the same ids and times. A batch may say otherwise, see SetLive.
	Live bool
	// Times say which times of events are believed.
	Times Times
}

// Path says that events carry identifiers of a namespace at a path: the keys of nested JSON
// objects, from the event down, with dots between, as in properties.loyalty_card. It does not lead
// into arrays.
type Path struct{ Path, Namespace string }

// Defaults and bounds.
const (
	DefaultCurrency      = "USD"
	DefaultMaxEventBytes = 1 << 20
	MaxSources           = 255 // so that a rank has eight bits
)

// Check tells what is wrong with the options, all of it at once.
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
		code = DefaultCurrency
	}
	c, err := money.ParseCurrency([]byte(code))
	if err != nil {
		panic(err) // Check has passed
	}
	return c
}
