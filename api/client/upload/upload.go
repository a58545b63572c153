// Package upload sends files of events to a server, in batches.
//
//	file ──► reader ──► batches of lines that are JSON ──► Events.Send, several at once ──► Summary
//
// Invariants:
//   - U1: a line that is not JSON never reaches a batch: one such line would make the whole batch unreadable.
//   - U2: a file that breaks off is sent up to that point.
//   - U3: an event that the server rejects is reported with its file, its line and its text.
package upload

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
	"golang.org/x/sync/errgroup"
)

// Files is an upload: files to send, and the server that takes them. Client and Sources are required.
type Files struct {
	Client  *client.Client
	Sources []file.Source
	// Patience is how long to retry a batch that the server does not accept; see client.Events.Send.
	Patience time.Duration
	// Reject, if given, is called for each rejected line, one call at a time.
	Reject func(file.Reject)
	// Progress, if given, is called with numbers of bytes of the sources that are done, from several goroutines.
	Progress func(bytes int64)
}

// sender is the state of one Send.
type sender struct {
	Files

	mu  sync.Mutex // guards the following, and calls of Reject
	sum file.Summary
}

// Bounds of a batch, and of the number of concurrent batches.
const (
	batchEvents = 1000
	batchBytes  = 1 << 20
	senders     = 4
)

// firstReasons bounds the rejections in a summary, and the dropped fields.
const firstReasons = 10

// batch is the body of a request, and the place that each of its events came from.
type batch struct {
	file   string
	body   bytes.Buffer
	places []file.Place
	ends   []int // of each line's text in body
	source int64 // bytes of the source that it accounts for
}

// Send sends the files, after it has asked whether the server takes events with the client's key. It returns when all of
// their events are visible. The summary is valid even after an error: it covers what was sent before. Its merges and
// identities include those of other clients, because the server has one count. A key that may only send events may not
// read that count: these members are unknown then (Uncounted).
func (f Files) Send(ctx context.Context) (file.Summary, error) {
	s, c := &sender{Files: f}, f.Client
	before, counted, err := stats(ctx, c)
	if err != nil {
		return s.sum, err
	}
	// A batch of nothing needs the scope that events need: a key without it is told before a file is read.
	if _, err = c.Events.Send(ctx, []byte(`{"batch":[]}`), f.Patience); err != nil {
		return s.sum, err
	}
	start := time.Now()
	full := make(chan *batch)
	var unread error // why a source broke off; the events before that point are sent all the same
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		for _, source := range s.Sources {
			if unread = s.read(inner, source, full); unread != nil {
				return inner.Err()
			}
		}
		return nil
	})
	for range senders {
		group.Go(func() error {
			for b := range full {
				if err := s.send(inner, b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err = group.Wait(); err == nil {
		err = cmp.Or(unread, c.Events.AwaitVisible(ctx))
	}
	s.sum.Seconds = time.Since(start).Seconds()
	s.sum.EventsPerSecond = float64(s.sum.Read) / s.sum.Seconds
	if s.sum.Uncounted = !counted; !counted {
		return s.sum, err
	}
	if after, _, statsErr := stats(ctx, c); statsErr == nil {
		s.sum.Conflicting = after.Conflicting - before.Conflicting
		s.sum.Merges = after.Merges - before.Merges
		s.sum.Identities = after.Identities
	} else if err == nil {
		err = statsErr
	}
	return s.sum, err
}

// stats reads the counts of the server, if the client's key may.
func stats(ctx context.Context, c *client.Client) (_ document.Stats, counted bool, _ error) {
	s, err := c.Admin.Stats(ctx)
	var p *client.Problem
	if errors.As(err, &p) && p.Code == document.CodeWrongScope {
		return s, false, nil
	}
	return s, err == nil, err
}

// read cuts a source into batches.
func (s *sender) read(ctx context.Context, source file.Source, full chan<- *batch) error {
	reader, err := source.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	b := &batch{file: source.Name}
	flush := func() error {
		if len(b.places) == 0 && b.source == 0 {
			return nil
		}
		select {
		case full <- b:
			b = &batch{file: source.Name}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		chunk, err := reader.Next()
		if chunk == nil {
			if sent := flush(); sent != nil {
				return sent
			}
			return err
		}
		var stopped error
		chunk.Events(func(at file.Place, raw []byte, problem *segment.Rejection) {
			if stopped != nil || !s.check(source.Name, at, raw, problem) {
				return
			}
			if len(b.places) == batchEvents || len(b.places) > 0 && b.body.Len()+len(raw) > batchBytes {
				if stopped = flush(); stopped != nil {
					return
				}
			}
			b.add(at, raw)
		})
		b.source += chunk.SourceBytes
		chunk.Release()
		if stopped != nil {
			return stopped
		}
		if err != nil {
			return cmp.Or(flush(), err)
		}
	}
}

// check rejects a line that is not JSON, since it would make its whole batch unreadable (U1). It reports whether the line
// can be sent.
func (s *sender) check(name string, at file.Place, raw []byte, problem *segment.Rejection) bool {
	s.mu.Lock()
	s.sum.Read++
	s.mu.Unlock()
	if problem == nil && !json.Valid(raw) {
		problem = &segment.Rejection{Code: segment.CodeInvalidJSON, Message: whyInvalid(raw), Hint: "send one complete JSON object per event"}
	}
	if problem != nil {
		s.reject(name, at, raw, problem)
	}
	return problem == nil
}

// whyInvalid says where a line stops being JSON. It reads the line a second time, which only rejected lines cost.
func whyInvalid(raw []byte) string {
	var any json.RawMessage
	if err := json.Unmarshal(raw, &any); err != nil {
		return err.Error()
	}
	return "not JSON"
}

// add appends a line to the body as it is, and notes where it ends: a rejected event is reported with its text (text)
// and without a second copy of it.
func (b *batch) add(at file.Place, raw []byte) {
	if len(b.places) == 0 {
		b.body.WriteString(`{"batch":[`)
	} else {
		b.body.WriteByte(',')
	}
	b.body.Write(raw)
	b.places, b.ends = append(b.places, at), append(b.ends, b.body.Len())
}

// text returns the event of that index as it was read. It is a part of the body.
func (b *batch) text(index int) []byte {
	start := len(`{"batch":[`)
	if index > 0 {
		start = b.ends[index-1] + 1
	}
	return b.body.Bytes()[start:b.ends[index]]
}

// send sends a batch until it is accepted, and counts the outcomes of its events.
func (s *sender) send(ctx context.Context, b *batch) error {
	if len(b.places) > 0 {
		b.body.WriteString(`]}`)
		result, err := s.Client.Events.Send(ctx, b.body.Bytes(), s.Patience)
		if err != nil {
			return fmt.Errorf("send lines %d to %d of %s: %w", b.places[0].Line, b.places[len(b.places)-1].Line, b.file, err)
		}
		var warnings segment.Stats
		if len(result.Warnings) > 0 {
			if err := json.Unmarshal(result.Warnings, &warnings); err != nil {
				return fmt.Errorf("read the warnings of the server: %w", err)
			}
		}
		s.mu.Lock()
		s.sum.Accepted += int64(result.Accepted)
		s.sum.Duplicates += int64(result.Duplicates)
		s.sum.WithoutIdentifier += int64(result.WithoutIdentifier)
		s.sum.Dropped.Add(warnings)
		s.unidentified(b, result.Unidentified)
		for _, drop := range result.Dropped {
			if at := drop.Index; at != nil && 0 <= *at && *at < len(b.places) && len(s.sum.DroppedFields) < firstReasons {
				s.sum.DroppedFields = append(s.sum.DroppedFields, file.Reason{
					File: b.file, Line: b.places[*at].Line, Record: b.places[*at].Record, Code: drop.Code, Field: drop.Field, Message: drop.Message, Hint: drop.Hint,
				})
			}
		}
		s.mu.Unlock()
		for _, r := range result.Rejected {
			if r.Index < 0 || r.Index >= len(b.places) {
				return fmt.Errorf("the server rejects event %d of a batch of %d; check that the address is that of a Kindred server", r.Index, len(b.places))
			}
			s.reject(b.file, b.places[r.Index], b.text(r.Index), &segment.Rejection{Code: segment.Code(r.Code), Field: r.Field, Message: r.Message, Hint: r.Hint})
		}
	}
	if s.Progress != nil {
		s.Progress(b.source)
	}
	return nil
}

// unidentified lists the first events without an identifier. REQUIRES: mu held
func (s *sender) unidentified(b *batch, events []document.Rejection) {
	for _, u := range events {
		if u.Index < 0 || u.Index >= len(b.places) || len(s.sum.Unidentified) == firstReasons {
			return
		}
		at := b.places[u.Index]
		s.sum.Unidentified = append(s.sum.Unidentified, file.Reason{
			File: b.file, Line: at.Line, Record: at.Record, Code: u.Code, Field: u.Field, Message: u.Message, Hint: u.Hint,
		})
	}
}

// reject counts a rejected line and hands it to the caller, under the lock: callers write it to one file, so calls
// come one at a time.
func (s *sender) reject(name string, at file.Place, raw []byte, reason *segment.Rejection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reason.Code == "quarantined" {
		s.sum.Quarantined++
	} else {
		s.sum.Rejected++
		if len(s.sum.Reasons) < firstReasons {
			s.sum.Reasons = append(s.sum.Reasons, file.Reason{File: name, Line: at.Line, Record: at.Record, Code: string(reason.Code), Field: reason.Field, Message: reason.Message, Hint: reason.Hint})
		}
	}
	if s.Files.Reject != nil {
		s.Files.Reject(file.Reject{File: name, Place: at, Raw: raw, Reason: reason})
	}
}
