package libraries

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"github.com/valyala/fastjson"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// picked holds the fields of an event that routing and the fold need; objects stay raw.
var picked = []string{"type", "messageId", "timestamp", "userId", "anonymousId", "event", "properties", "context", "traits"}

// event is picked for encoding/json.
type event struct {
	Type        json.RawMessage `json:"type"`
	MessageID   json.RawMessage `json:"messageId"`
	Timestamp   json.RawMessage `json:"timestamp"`
	UserID      json.RawMessage `json:"userId"`
	AnonymousID json.RawMessage `json:"anonymousId"`
	Event       json.RawMessage `json:"event"`
	Properties  json.RawMessage `json:"properties"`
	Context     json.RawMessage `json:"context"`
	Traits      json.RawMessage `json:"traits"`
}

// events returns the events of a generated shop.
func events(b *testing.B) (lines [][]byte, size int) {
	c := generate.Default()
	c.People, c.Events = 5_000, 2_000
	g, err := generate.New(c)
	if err != nil {
		b.Fatal(err)
	}
	for line, ok := g.Next(nil); ok; line, ok = g.Next(nil) {
		lines = append(lines, bytes.Clone(line))
		size += len(line)
	}
	return lines, size
}

// BenchmarkJSON picks the fields of events.
func BenchmarkJSON(b *testing.B) {
	lines, size := events(b)
	run := func(name string, read func(line []byte) int) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(lines)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if read(lines[i%len(lines)]) < 4 {
					b.Fatal("fields are missing")
				}
			}
		})
	}
	var s jsonscan.Scanner
	var arena jsonscan.Arena
	run("jsonscan", func(line []byte) (found int) {
		arena.Reset()
		s.Reset(line, &arena)
		if !s.Object() {
			return 0
		}
		for s.Next() {
			switch string(s.Key()) {
			case "type", "messageId", "timestamp", "userId", "anonymousId", "event", "properties", "context", "traits":
				found++
			}
			s.Value()
		}
		if s.End() != nil {
			return 0
		}
		return found
	})
	var p fastjson.Parser
	pick := func(line []byte) (found int) {
		v, err := p.ParseBytes(line)
		if err != nil {
			return 0
		}
		for _, key := range picked {
			if v.Get(key) != nil {
				found++
			}
		}
		return found
	}
	run("fastjson", pick)
	run("fastjson, checked", func(line []byte) (found int) {
		if !utf8.Valid(line) || fastjson.ValidateBytes(line) != nil {
			return 0
		}
		return pick(line)
	})
	run("gjson", func(line []byte) (found int) {
		if !gjson.ValidBytes(line) {
			return 0
		}
		for _, r := range gjson.GetManyBytes(line, picked...) {
			if r.Exists() {
				found++
			}
		}
		return found
	})
	run("encoding/json", func(line []byte) (found int) {
		var e event
		d := json.NewDecoder(bytes.NewReader(line))
		if d.Decode(&e) != nil {
			return 0
		}
		if _, err := d.Token(); err != io.EOF {
			return 0
		}
		for _, raw := range []json.RawMessage{e.Type, e.MessageID, e.Timestamp, e.UserID, e.AnonymousID, e.Event, e.Properties, e.Context, e.Traits} {
			if raw != nil {
				found++
			}
		}
		return found
	})
}
