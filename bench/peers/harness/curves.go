package harness

import (
	"context"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
)

func stepsOfPairs(r *run) int { return r.Rounds }

// measurePairs measures events that join two people each.
func measurePairs(ctx context.Context, r *run) error {
	people, joins := workload.Pairs(r.Seed, r.Events/4)
	r.report.Pairs = &Comparison{Name: "merge of two identities"}
	return r.compare(ctx, r.report.Pairs, r.open(), stream{
		before: func(take func([]byte) error) error { return take(people) }, lines: joins,
	}, false)
}

// The points of the curves.
var (
	identifierPoints = []int{2, 4, 8, 16, 32}
	mergePoints      = []float64{0, 0.05, 0.1, 0.2}
	shardPoints      = []int{1, 4, 16, 64, 256}
)

const (
	identitiesLeast = 10_000
	identitiesMost  = 10_000_000
	firstPart       = 100_000 // people made at once
)

// identityPoints are the powers of ten up to the limit.
func (r *run) identityPoints() (list []int) {
	for n := identitiesLeast; n <= min(identitiesMost, max(identitiesLeast, r.Identities)); n *= 10 {
		list = append(list, n)
	}
	return list
}

func stepsOfCurves(r *run) int {
	return r.Rounds * (len(r.identityPoints()) + len(identifierPoints) + len(mergePoints) + len(shardPoints))
}

// measureCurves measures what an event costs, beside the ceiling on the same events.
func measureCurves(ctx context.Context, r *run) error {
	events := max(1000, r.Events/4)
	point := func(c *Curve, x float64, config trial.Config, s stream) error {
		p := Comparison{X: x, Name: c.X + " " + plain(x)}
		err := r.compare(ctx, &p, config, s, true)
		c.Points = append(c.Points, p)
		return err
	}
	curve := func(name, x string, measure func(*Curve) error) error {
		c := Curve{Name: name, X: x}
		err := measure(&c)
		c.Bends = c.bends()
		r.report.Curves = append(r.report.Curves, c)
		return err
	}
	if err := curve("identities", "identities on disk", func(c *Curve) error {
		for _, n := range r.identityPoints() {
			s := stream{before: r.first(n), lines: workload.Later(r.Seed, n, events)}
			if err := point(c, float64(n), r.open(), s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := curve("identifiers", "identifiers a person", func(c *Curve) error {
		for _, n := range identifierPoints {
			if err := point(c, float64(n), r.open(), stream{lines: workload.Wide(r.Seed, events, n)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := curve("merges", "share of events that join two people", func(c *Curve) error {
		for _, share := range mergePoints {
			if err := point(c, share, r.open(), stream{lines: workload.Joined(r.Seed, events, share)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return curve("shards", "shards", func(c *Curve) error {
		retail, _ := workload.Named("retail")
		lines := retail.Lines(r.Seed, events)
		for _, n := range shardPoints {
			config := r.open()
			config.Shards = n
			if err := point(c, float64(n), config, stream{lines: lines}); err != nil {
				return err
			}
		}
		return nil
	})
}

// first makes people, a part after another.
func (r *run) first(people int) func(take func([]byte) error) error {
	return func(take func([]byte) error) error {
		for from := 0; from < people; from += firstPart {
			if err := take(workload.First(r.Seed, from, min(people, from+firstPart))); err != nil {
				return err
			}
		}
		return nil
	}
}
