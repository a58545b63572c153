package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// stream is what a comparison takes: what is there before, and what is measured.
type stream struct {
	before func(take func(lines []byte) error) error // may be nil
	lines  []byte
	// profile, if it is set, receives what the engine's processor time went to.
	profile **Profile
}

// compare measures engine and ceiling on a stream, round after round. With profiles, it notes what the engine's time went to.
func (r *run) compare(ctx context.Context, c *Comparison, config trial.Config, s stream, profiles bool) error {
	for n := range r.Rounds {
		r.step("%s, round %d of %d", c.Name, n+1, r.Rounds)
		var both Both
		var err error
		if both.Ceiling, err = r.ceiling(s); err != nil {
			return err
		}
		if profiles {
			s.profile = &both.Profile
		}
		if both.Engine, err = r.engine(ctx, config, s, nil); err != nil {
			return err
		}
		if e, c := both.Engine.People, both.Ceiling.People; e != c {
			return fmt.Errorf("the engine makes %d people, the ceiling %d", e, c)
		}
		c.Rounds = append(c.Rounds, both)
	}
	c.sum()
	return nil
}

func (r *run) ceiling(s stream) (trial.Measure, error) {
	c := ceiling.New(r.env.Registry, segment.Options{})
	received := time.Now().UnixMilli()
	take := func(lines []byte) error {
		_, err := c.Run(lines, received)
		return err
	}
	if s.before != nil {
		if err := s.before(take); err != nil {
			return trial.Measure{}, err
		}
	}
	m, err := trial.Time(func() (int, int, error) {
		n, err := c.Run(s.lines, received)
		return n, 0, err
	})
	m.People = c.People()
	return m, err
}

// engine ingests a stream into a new engine. look is called before the engine is closed; it may be nil.
func (r *run) engine(ctx context.Context, config trial.Config, s stream, look func(*trial.Trial) error) (m trial.Measure, err error) {
	if config.Memory == 0 {
		config.Memory = r.Memory
	}
	config.Dir = r.Dir
	t, err := trial.Open(ctx, config)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.Close(context.WithoutCancel(ctx))) }()
	if s.before != nil {
		err := s.before(func(lines []byte) error {
			_, err := t.Ingest(ctx, r.env.Registry, lines)
			return err
		})
		if err != nil {
			return m, err
		}
	}
	var stop func() (*Profile, error)
	m, err = trial.Time(func() (n int, _ int, err error) {
		if s.profile != nil {
			if stop, err = startProfile(); err != nil {
				return 0, 0, err
			}
		}
		n, err = t.Ingest(ctx, r.env.Registry, s.lines)
		return n, 0, err
	})
	if stop != nil {
		profile, failed := stop()
		*s.profile, err = profile, errors.Join(err, failed)
	}
	if err != nil {
		return m, err
	}
	if m.People, err = t.People(ctx); err == nil && look != nil {
		err = look(t)
	}
	return m, err
}

// open is an engine under the preset open.
func (r *run) open() trial.Config { return trial.Config{Rules: r.env.Rules} }

// divided is an engine under the default rules.
func (r *run) divided() trial.Config { return trial.Config{Rules: graph.DefaultRules()} }
