package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
	"golang.org/x/sync/errgroup"
)

// sender takes files to a running server, in batches.
type sender struct {
	address  string
	patience time.Duration
	rejects  *rejects
	bar      *cli.Progress

	client *client.Client
	mu     sync.Mutex // guards the following, and rejects
	sum    file.Summary
}

// Bounds of a batch, and batches under way at once.
const (
	batchEvents = 1000
	batchBytes  = 1 << 20
	senders     = 4
)

// firstReasons is how many rejections a summary tells of, and how many fields left out.
const firstReasons = 10

// outBatch is the body of a request, and which line each of its events was.
type outBatch struct {
	file   string
	body   bytes.Buffer
	lines  []int64
	ends   []int // of each line's text in body
	source int64 // bytes of the source that it accounts for
}

func (s *sender) run(ctx context.Context, names []string) (file.Summary, error) {
	c, err := client.New(s.address, nil)
	if err != nil {
		return s.sum, cli.Exit(cli.ExitUsage, err)
	}
	s.client = c
	before, err := c.Stats(ctx)
	if err != nil {
		return s.sum, err
	}
	start := time.Now()
	full := make(chan *outBatch)
	var unread error // of a source that breaks off: what was read before is sent all the same
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		for _, source := range sources(names) {
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
		err = cmp.Or(unread, c.AwaitVisible(ctx))
	}
	s.sum.Seconds = time.Since(start).Seconds()
	s.sum.EventsPerSecond = float64(s.sum.Read) / s.sum.Seconds
	if after, statsErr := c.Stats(ctx); statsErr == nil {
		s.sum.Conflicting = after.Conflicting - before.Conflicting
		s.sum.Merges = after.Merges - before.Merges // other clients' included: the server has one count
		s.sum.Identities = after.Identities
	} else if err == nil {
		err = statsErr
	}
	return s.sum, err
}

// read cuts a source into batches.
func (s *sender) read(ctx context.Context, source file.Source, full chan<- *outBatch) error {
	reader, err := source.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	b := &outBatch{file: source.Name}
	flush := func() error {
		if len(b.lines) == 0 && b.source == 0 {
			return nil
		}
		select {
		case full <- b:
			b = &outBatch{file: source.Name}
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
		chunk.Lines(func(line int64, raw []byte, tooLong *segment.Rejection) {
			if stopped != nil || !s.check(source.Name, line, raw, tooLong) {
				return
			}
			if len(b.lines) == batchEvents || len(b.lines) > 0 && b.body.Len()+len(raw) > batchBytes {
				if stopped = flush(); stopped != nil {
					return
				}
			}
			b.add(line, raw)
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

// check keeps back what would spoil a batch: a line that is no JSON makes none of its neighbours JSON.
func (s *sender) check(name string, line int64, raw []byte, tooLong *segment.Rejection) bool {
	s.mu.Lock()
	s.sum.Read++
	s.mu.Unlock()
	if tooLong == nil && !json.Valid(raw) {
		tooLong = &segment.Rejection{Code: segment.CodeInvalidJSON, Message: whyInvalid(raw), Hint: "send one complete JSON object per event"}
	}
	if tooLong != nil {
		s.reject(name, line, raw, tooLong)
	}
	return tooLong == nil
}

func whyInvalid(raw []byte) string {
	var any json.RawMessage
	if err := json.Unmarshal(raw, &any); err != nil {
		return err.Error()
	}
	return "not JSON"
}

func (b *outBatch) add(line int64, raw []byte) {
	if len(b.lines) == 0 {
		b.body.WriteString(`{"batch":[`)
	} else {
		b.body.WriteByte(',')
	}
	b.body.Write(raw)
	b.lines, b.ends = append(b.lines, line), append(b.ends, b.body.Len())
}

// text is the event of that index as it was read, from the body.
func (b *outBatch) text(index int) []byte {
	start := len(`{"batch":[`)
	if index > 0 {
		start = b.ends[index-1] + 1
	}
	return b.body.Bytes()[start:b.ends[index]]
}

// send sends a batch until it is taken, and counts what became of its events.
func (s *sender) send(ctx context.Context, b *outBatch) error {
	if len(b.lines) > 0 {
		b.body.WriteString(`]}`)
		result, err := s.client.Send(ctx, b.body.Bytes(), s.patience)
		if err != nil {
			return fmt.Errorf("send lines %d to %d of %s: %w", b.lines[0], b.lines[len(b.lines)-1], b.file, err)
		}
		var warnings segment.Stats
		if len(result.Warnings) > 0 {
			if err := json.Unmarshal(result.Warnings, &warnings); err != nil {
				return fmt.Errorf("read the warnings of %s: %w", s.address, err)
			}
		}
		s.mu.Lock()
		s.sum.Accepted += int64(result.Accepted)
		s.sum.Duplicates += int64(result.Duplicates)
		s.sum.WithoutIdentifier += int64(result.WithoutIdentifier)
		s.sum.Dropped.Add(warnings)
		for _, drop := range result.Dropped {
			if at := drop.Index; at != nil && 0 <= *at && *at < len(b.lines) && len(s.sum.DroppedFields) < firstReasons {
				s.sum.DroppedFields = append(s.sum.DroppedFields, file.Reason{
					File: b.file, Line: b.lines[*at], Code: drop.Code, Field: drop.Field, Message: drop.Message, Hint: drop.Hint,
				})
			}
		}
		s.mu.Unlock()
		for _, r := range result.Rejected {
			if r.Index < 0 || r.Index >= len(b.lines) {
				return fmt.Errorf("%s rejects event %d of a batch of %d: is it a Kindred server?", s.address, r.Index, len(b.lines))
			}
			s.reject(b.file, b.lines[r.Index], b.text(r.Index), &segment.Rejection{Code: segment.Code(r.Code), Field: r.Field, Message: r.Message, Hint: r.Hint})
		}
	}
	s.bar.Add(b.source)
	return nil
}

func (s *sender) reject(name string, line int64, raw []byte, reason *segment.Rejection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reason.Code == "quarantined" {
		s.sum.Quarantined++
	} else {
		s.sum.Rejected++
		if len(s.sum.Reasons) < firstReasons {
			s.sum.Reasons = append(s.sum.Reasons, file.Reason{File: name, Line: line, Code: string(reason.Code), Field: reason.Field, Message: reason.Message, Hint: reason.Hint})
		}
	}
	s.rejects.add(file.Reject{File: name, Line: line, Raw: raw, Reason: reason})
}
