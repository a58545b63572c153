package outcome

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func keys(numbers ...uint64) (list []graph.NodeKey) {
	for _, n := range numbers {
		list = append(list, graph.NodeKey{Hi: n, Lo: n})
	}
	return list
}

// Order does not matter; a partition, an identifier or a number of events that differs does.
func TestDiffer(t *testing.T) {
	build := func(add func(o *Outcome)) *Outcome {
		o := &Outcome{}
		add(o)
		return o
	}
	want := build(func(o *Outcome) { o.Add(keys(3, 1), 4); o.Add(keys(2), 1); o.Add(keys(9), 0) })
	for name, c := range map[string]struct {
		got   *Outcome
		equal bool
	}{
		"another order":         {build(func(o *Outcome) { o.Add(keys(2), 1); o.Add(keys(1, 3), 4) }), true},
		"another partition":     {build(func(o *Outcome) { o.Add(keys(2, 1), 4); o.Add(keys(3), 1) }), false},
		"another identifier":    {build(func(o *Outcome) { o.Add(keys(3, 1), 4); o.Add(keys(5), 1) }), false},
		"one merge too few":     {build(func(o *Outcome) { o.Add(keys(3), 2); o.Add(keys(1), 2); o.Add(keys(2), 1) }), false},
		"one merge too many":    {build(func(o *Outcome) { o.Add(keys(3, 1, 2), 5) }), false},
		"one event too many":    {build(func(o *Outcome) { o.Add(keys(3, 1), 5); o.Add(keys(2), 1) }), false},
		"one event elsewhere":   {build(func(o *Outcome) { o.Add(keys(3, 1), 3); o.Add(keys(2), 2) }), false},
		"one person is missing": {build(func(o *Outcome) { o.Add(keys(3, 1), 4) }), false},
	} {
		if err := c.got.Differ(want); (err == nil) != c.equal {
			t.Errorf("%s: %v", name, err)
		}
	}
}
