package cli

import (
	"errors"
	"time"
)

// Moment is the value of a flag: a time as RFC 3339, kept as it was given.
type Moment string

// Type implements pflag.Value.
func (*Moment) Type() string { return "TIME" }

func (m *Moment) String() string { return string(*m) }

// Set implements pflag.Value.
func (m *Moment) Set(text string) error {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return errors.New("want a time such as 2026-01-31T09:30:00Z or 2026-01-31T10:30:00+01:00")
	}
	*m = Moment(text)
	return nil
}
