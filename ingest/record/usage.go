package record

import (
	"fmt"
	"strings"
	"sync"
)

// Usage counts what a mapping found in records, so that a path that leads nowhere can be told. Any number of decoders
// count into one.
type Usage struct {
	mapping *Mapping

	mu      sync.Mutex // guards the following
	records int64
	skipped int64 // records that made no event
	events  []eventUsage
}

// eventUsage counts one event of the mapping.
type eventUsage struct {
	made  int64
	found []int64 // by field: how often the record had its value
}

// NewUsage returns the counts of a mapping, at 0.
func NewUsage(m *Mapping) *Usage {
	u := &Usage{mapping: m, events: make([]eventUsage, len(m.events))}
	for i := range u.events {
		u.events[i].found = make([]int64, len(m.events[i].fields))
	}
	return u
}

// record counts a record that made some events.
func (u *Usage) record(events int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.records++
	if events == 0 {
		u.skipped++
	}
}

// event counts an event that is made of the values that are read.
func (u *Usage) event(number int, e *eventPicker) {
	u.mu.Lock()
	defer u.mu.Unlock()
	counts := &u.events[number]
	counts.made++
	for i := range e.fields {
		f := &e.fields[i]
		found := len(f.from) == 0 && f.sum.scope == nil // a constant
		for _, at := range f.from {
			found = found || at.value().Kind > 0
		}
		if f.sum.scope != nil {
			found = found || f.sum.value().Kind > 0
		}
		if found {
			counts.found[i]++
		}
	}
}

// Skipped returns how many records made no event.
func (u *Usage) Skipped() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.skipped
}

// Warnings says what of the mapping is read by nobody (Mapping.Unread), and what never met a record. Of a ready-made mapping it says so only if no record made an
// event: a system need not fill all that its export may hold.
func (u *Usage) Warnings() (warnings []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mapping.Ready == "" {
		warnings = u.mapping.Unread()
	}
	if u.records == 0 {
		return warnings
	}
	if u.skipped == u.records {
		return append(warnings, fmt.Sprintf("no event was made of %d records: no condition of the mapping holds for any; see kindred map show", u.records))
	}
	if u.mapping.Ready != "" {
		return warnings
	}
	for i := range u.events {
		e, m := &u.events[i], &u.mapping.events[i]
		if e.made == 0 {
			warnings = append(warnings, fmt.Sprintf("line %d of the mapping: event %d was made of none of %d records: its conditions never hold", m.line, i+1, u.records))
			continue
		}
		for j, found := range e.found {
			if f := &m.fields[j]; found == 0 {
				warnings = append(warnings, fmt.Sprintf("line %d of the mapping: %s: none of %d records has %s", f.Line, f.Target, e.made, strings.Join(f.sources(), " or ")))
			}
		}
	}
	return warnings
}

// sources lists the paths of a field.
func (f *mappingField) sources() []string {
	if f.Sum != "" {
		return append([]string{f.Sum}, f.From...)
	}
	return f.From
}
