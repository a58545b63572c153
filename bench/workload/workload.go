package workload

import (
	"github.com/kindred-id/kindred/bench/generate"
)

// Workload is a kind of stream.
type Workload struct {
	Name string
	// Divided reports whether the stream has a generic value, so that rules must divide what it connects.
	Divided bool
	stream  func(seed uint64, events int) source
}

// source makes lines one after another: next appends a line without its end, and reports false at the end of the stream.
type source interface {
	Next(dst []byte) (line []byte, ok bool)
}

var all = []Workload{
	{Name: "web", stream: func(seed uint64, events int) source { return deliver(newWeb(seed, events), seed, events) }},
	{Name: "retail", stream: retail},
	{Name: "merge-storm", stream: func(seed uint64, events int) source { return newStorm(seed, events) }},
	{Name: "hot-key", stream: func(seed uint64, events int) source { return deliver(newCrowd(seed, events, hotKey), seed, events) }},
	{Name: "cold", stream: func(seed uint64, events int) source { return deliver(newCrowd(seed, events, cold), seed, events) }},
	{
		Name: "poison", Divided: true,
		stream: func(seed uint64, events int) source { return deliver(newCrowd(seed, events, poison), seed, events) },
	},
	{Name: "read-heavy", stream: func(seed uint64, events int) source { return deliver(newWeb(seed, events), seed, events) }},
}

// All returns the workloads, in the order of their description.
func All() []Workload { return all }

// Named returns the workload of a name.
func Named(name string) (Workload, bool) {
	for _, w := range all {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// Lines returns the stream as NDJSON.
func (w Workload) Lines(seed uint64, events int) []byte {
	return collect(w.stream(seed, events), events)
}

// Even returns a stream of people who all have equally many events, at random: what hot-key, cold and poison are compared
// with. The number of people is that of the events, times share.
func Even(seed uint64, events int, share float64) []byte {
	shape := crowd{people: func(int) int { return max(1, int(float64(events)*share)) }}
	return collect(deliver(newCrowd(seed, events, shape), seed, events), events)
}

// lineBytes is the memory reserved for a line.
const lineBytes = 640

func collect(s source, events int) []byte {
	data := make([]byte, 0, events*lineBytes)
	for {
		line, ok := s.Next(data)
		if !ok {
			return data
		}
		data = append(line, '\n')
	}
}

// retailPeople is how many events there are for a person of retail, and retailLate the share of devices that are used before
// their first login. They give the merges of a shop whose customers log in late.
const (
	retailPeople = 15
	retailLate   = 0.7
)

func retail(seed uint64, events int) source {
	c := generate.Default()
	c.Seed, c.Events, c.People = seed, events, max(1, events/retailPeople)
	c.LateLogin = retailLate
	c.Loyalty, c.Alias = 0, 0 // neither is a plain link
	g, err := generate.New(c)
	if err != nil {
		panic(err) // a bug: the configuration is constant but for its size
	}
	return g
}
