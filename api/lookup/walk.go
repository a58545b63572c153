package lookup

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Walk goes over all people in pages. People come in the order of the rows of their components, which is no order that
// means anything, and each page begins where the one before ended:
//
//		page 1 ──► Next ──► page 2 ──► … ──► Next is empty
//
//	  - A person who is there throughout, and whom nobody merges meanwhile, comes exactly once.
//	  - A page is bounded in people, in components that are read, and in time, so it may be short, or empty, and not the
//	    last: only an empty Next says so.
//	  - A page holds no lock and keeps nothing for the next one. The cursor is the place of a row.
type Walk struct {
	Cursor string                    // Next of the page before; empty is the first page
	Limit  int                       // people in the page
	Empty  bool                      // people without an event, too
	Wanted func(*graph.Profile) bool // only these; nil: all
	Each   func(*graph.Component, *graph.Profile) error

	People, Read int // of the page: people, and components that were read for it
	next         []byte
	until        time.Time
}

// Bounds of a page, beside its limit.
const (
	walkComponents = 50_000
	walkTime       = 2 * time.Second
)

// ErrCursor says that a cursor does not come from a Walk.
var ErrCursor = errors.New("not a cursor of this server")

// Run makes a page: it calls Each for the people of it. next is the cursor of the page that follows, empty at the end.
func (l *Lookup) Run(ctx context.Context, w *Walk) (next string, err error) {
	from, inside, err := parseWalk(w.Cursor)
	if err != nil {
		return "", err
	}
	w.until = time.Now().Add(walkTime)
	rules := l.Engine.Rules()
	err = l.Engine.Scan(ctx, from, w.Cursor != "" && inside.IsZero(), func(place actors.Place, c *graph.Component) error {
		if place != from {
			inside = graph.NodeKey{} // its component is no more
		}
		w.Read++
		return w.component(place, c, c.Profiles(rules, w.Empty), inside)
	})
	if errors.Is(err, storage.ErrStop) {
		err = nil
	}
	return base64.RawURLEncoding.EncodeToString(w.next), err
}

// component gives the people of one component, which descend in rank, after one of them. At the end of a page it notes
// where to go on: after the component, or inside it, after the last person that was given.
func (w *Walk) component(place actors.Place, c *graph.Component, people []graph.Profile, after graph.NodeKey) error {
	for i := range people {
		p := &people[i]
		if !after.IsZero() && !after.Outranks(p.ID) || w.Wanted != nil && !w.Wanted(p) {
			continue
		}
		if err := w.Each(c, p); err != nil {
			return err
		}
		if w.People++; w.People >= w.Limit && i+1 < len(people) {
			w.next = p.ID.AppendBinary(bytes.Clone(place[:]))
			return storage.ErrStop
		}
	}
	if w.People >= w.Limit || w.Read >= walkComponents || time.Now().After(w.until) {
		w.next = bytes.Clone(place[:])
		return storage.ErrStop
	}
	return nil
}

// parseWalk reads the place of a cursor, and the last person of a page that ended inside the component there.
func parseWalk(cursor string) (from actors.Place, inside graph.NodeKey, err error) {
	if cursor == "" {
		return from, inside, nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(text) != len(from) && len(text) != len(from)+16 {
		return from, inside, ErrCursor
	}
	copy(from[:], text)
	if rest := text[len(from):]; len(rest) > 0 {
		inside = graph.NodeKey{Hi: binary.BigEndian.Uint64(rest), Lo: binary.BigEndian.Uint64(rest[8:])}
	}
	return from, inside, nil
}
