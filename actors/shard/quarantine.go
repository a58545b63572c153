package shard

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/storage/row"
)

// An input whose handler fails is set aside, so that one bad event never stops a shard: the step is undone by a recovery and
// done again without it. The input is kept in the quarantine, with the reason.

// errPoison names the input whose handler failed.
type errPoison struct {
	input int
	cause error
}

func (e *errPoison) Error() string { return fmt.Sprintf("input %d: %v", e.input, e.cause) }
func (e *errPoison) Unwrap() error { return e.cause }

// errUndecodable marks a message that can't be read.
var errUndecodable = errors.New("message: unreadable")

// ErrTooMuchPoison stops a shard whose handlers keep failing: that is a bug, not data.
var ErrTooMuchPoison = errors.New("quarantine: more than 100 inputs a minute, so the shard stops before it does harm; report this defect of Kindred")

// poisonRate allows 100 inputs a minute to be set aside.
type poisonRate struct {
	minute int64
	count  int
}

func (p *poisonRate) allow(now int64) bool {
	if m := now / 60_000; m != p.minute {
		p.minute, p.count = m, 0
	}
	p.count++
	return p.count <= 100
}

// setAside undoes a step whose handler failed, and marks the input, so that the next try passes it over. It returns any
// other error.
func (s *Shard) setAside(inputs []Input, now int64, err error) error {
	var poison *errPoison
	switch {
	case !errors.As(err, &poison):
		return err
	case !s.poisoned.allow(now):
		return fmt.Errorf("%w; the last one: %w", ErrTooMuchPoison, poison.cause)
	}
	inputs[poison.input].poison = poison.cause
	if err := s.recover(); err != nil {
		return fmt.Errorf("recover after a failed handler (%w): %w", poison.cause, err)
	}
	return nil
}

// quarantine keeps an input aside, with the reason.
func (t *step) quarantine(in *Input) {
	s := t.shard
	s.counting.Quarantined++
	q := row.Quarantined{Reason: in.poison.Error(), At: t.now, Input: row.Input{Source: uint16(in.From), Seq: in.Seq, Body: in.Body}}
	switch {
	case in.Event != nil:
		q.Input.Source = row.ExternalInput
	case in.Message != nil:
		q.Input.Source = row.ExternalMessage
	}
	s.codec.enc.PutQuarantined(&t.batch, s.config.ID, s.counting.Quarantined, &q)
	if in.Outcome == nil {
		t.skip(in)
	} else {
		t.begun = true // the counters are to be durable
	}
}
