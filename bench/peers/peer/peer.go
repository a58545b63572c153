// Package peer has what the engine is measured against, and the engine itself in the same form: resolvers that take the same
// lines, make the same people, and are as durable as they say. A peer does what it does best, with its own batches.
//
//	lines ──► chunks ──► product's decoder ──► Event ──► peer: dedupe, resolve, merge, count ──► Outcome
//
// Peers do less than the engine, which favours them: a person is its identifiers, the number of its events and the times of
// the first and the last. They keep no trait, order or context apart, apply no rule, explain nothing, and cannot undo. Peers
// with "events" in their names also keep the line of every event with its route and its time, as a timeline needs; the engine
// always does. The others keep counts alone.
package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Peer is a resolver with no data yet.
type Peer interface {
	// Run takes the lines until all that it promises is done: written, and durable if it is. It returns the number of events.
	Run(ctx context.Context, lines []byte) (events int, err error)
	// Outcome returns the people. A peer that makes no people checks itself, and returns nil.
	Outcome(ctx context.Context) (*outcome.Outcome, error)
	// Outside is the processor time of other processes that the peer has used so far.
	Outside() time.Duration
	// DiskBytes is the size of what it wrote, or 0.
	DiskBytes() int64
	// Version is that of the program that does the work.
	Version() string
	Close(ctx context.Context) error
}

// Kind is a kind of peer.
type Kind struct {
	Name       string
	Durability string // what is durable when Run returns
	Settings   string
	Slow       bool // it takes a SlowShare of the events
	Open       func(ctx context.Context, env *Env) (Peer, error)
}

// SlowShare is the part of the events that a slow peer takes, from their beginning.
const SlowShare = 0.1

// Env is what peers share.
type Env struct {
	Dir      string // for data; empty is the system's directory of temporary files
	Memory   int64  // of the engine
	Registry *identifier.Registry
	Rules    *graph.Rules
}

// Kinds returns all peers; the engine is first, since others are compared with it.
func Kinds() []Kind {
	return []Kind{
		engineKind, ceilingKind, pebbleKind,
		postgresKind("on", false), postgresKind("off", false), postgresKind("on", true), postgresSingleKind,
		redisKind("always", false), redisKind("everysec", false), redisKind("always", true),
		sqliteKind(false), sqliteKind(true),
	}
}

// event is what peers take of an event.
type event struct {
	seen uint64
	time int64
	keys []graph.NodeKey
	line []byte
}

// named is the name of a peer that keeps the events, or counts alone.
func named(name string, events bool) string {
	if events {
		return name + ", with events"
	}
	return name
}

// decode calls take with each event of the lines. The event is valid during the call.
func decode(env *Env, lines []byte, take func(*event)) (events int, err error) {
	decoder := segment.NewDecoder(env.Registry, segment.Options{})
	var e graph.Event
	var small event
	received := time.Now().UnixMilli()
	for line := range bytes.Lines(lines) {
		decoder.Reset()
		if err := decoder.Event(bytes.TrimSuffix(line, []byte("\n")), received, nil, &e); err != nil {
			var rejection *segment.Rejection
			if errors.As(err, &rejection) && rejection.Code == segment.CodeNoIdentifier {
				continue
			}
			return events, fmt.Errorf("event %d: %w", events, err)
		}
		events++
		small.line = bytes.TrimSuffix(line, []byte("\n"))
		small.seen, small.time, small.keys = e.Seen, e.Stamp.Time, small.keys[:0]
		for i := range e.Identifiers {
			small.keys = append(small.keys, e.Identifiers[i].Key)
		}
		take(&small)
	}
	return events, nil
}

// chunks cuts lines into pieces of a number of lines each.
func chunks(lines []byte, size int) (list [][]byte) {
	for len(lines) > 0 {
		end := 0
		for n := 0; n < size && end < len(lines); n++ {
			next := bytes.IndexByte(lines[end:], '\n')
			if next < 0 {
				end = len(lines)
				break
			}
			end += next + 1
		}
		list = append(list, lines[:end])
		lines = lines[end:]
	}
	return list
}

// raw is a key as 16 bytes.
func raw(k graph.NodeKey) (b [16]byte) {
	for i := range 8 {
		b[i], b[8+i] = byte(k.Hi>>(56-8*i)), byte(k.Lo>>(56-8*i))
	}
	return b
}

// keyOf is the key of 16 bytes.
func keyOf(b []byte) (k graph.NodeKey) {
	for i := range 8 {
		k.Hi, k.Lo = k.Hi<<8|uint64(b[i]), k.Lo<<8|uint64(b[8+i])
	}
	return k
}

// Routes returns the distinct routes of the events of lines: identifiers by which their people are found.
func Routes(env *Env, lines []byte) (keys []graph.NodeKey, err error) {
	known := map[graph.NodeKey]bool{}
	_, err = decode(env, lines, func(e *event) {
		if key := e.keys[0]; !known[key] {
			known[key] = true
			keys = append(keys, key)
		}
	})
	return keys, err
}
