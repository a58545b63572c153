package egress

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/document/documenttest"
	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

func drawKey(t *rapid.T) graph.NodeKey {
	return graph.MakeNodeKey(graph.Class(rapid.IntRange(1, 4).Draw(t, "class")), rapid.Uint64().Draw(t, "hi"), rapid.Uint64Min(1).Draw(t, "lo"))
}

func drawKeys(t *rapid.T) (keys []graph.NodeKey) {
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		keys = append(keys, drawKey(t))
	}
	return keys
}

// drawText draws text that all JSON readers agree on: NUL becomes U+FFFD.
func drawText(t *rapid.T, label string) string {
	return rapid.String().Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }).Draw(t, label)
}

func drawName(t *rapid.T) graph.NodeName {
	return graph.NodeName{Key: drawKey(t), Namespace: "anonymous_id", Value: drawText(t, "value")}
}

// drawTime draws a time that JSON can express, except the first moment of 1970, which means no time.
func drawTime(t *rapid.T) int64 { return rapid.Int64Range(1, 253_402_300_799_999).Draw(t, "time") }

func drawCause(t *rapid.T) graph.Cause {
	c := graph.Cause{Verb: graph.Verb(rapid.IntRange(0, int(graph.VerbForce)).Draw(t, "verb"))}
	switch c.Verb {
	case 0:
		return c
	case graph.VerbForce:
		c.Assertion = "a" + drawText(t, "assertion")
	default:
		c.Mark = graph.Mark{Stamp: graph.Stamp{Time: drawTime(t)}, ID: []byte(drawText(t, "id")), Source: []byte(drawText(t, "source"))}
	}
	c.By = [2]graph.NodeName{drawName(t), drawName(t)}
	return c
}

func drawDelta(t *rapid.T) graph.Delta {
	d := graph.Delta{Full: rapid.Bool().Draw(t, "full"), Fields: graph.DeltaFields(rapid.IntRange(0, int(graph.DeltaAll)).Draw(t, "fields"))}
	if d.Fields&graph.DeltaEvents != 0 {
		d.Events = rapid.Uint64().Draw(t, "events")
	}
	if d.Fields&graph.DeltaFirst != 0 {
		d.First = drawTime(t)
	}
	if d.Fields&graph.DeltaLast != 0 {
		d.Last = drawTime(t)
	}
	for kind := graph.TypeIdentify; int(kind) < graph.EventTypes; kind++ {
		if rapid.Bool().Draw(t, "a count") {
			d.Counts = append(d.Counts, graph.TypeCount{Type: kind, Count: rapid.Uint64().Draw(t, "count")})
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "identifiers") {
		s := graph.Sighting{NodeName: drawName(t)}
		if rapid.Bool().Draw(t, "seen") {
			s.First, s.Last = drawTime(t), drawTime(t)
		}
		d.Identifiers = append(d.Identifiers, s)
	}
	d.Left = drawKeys(t)
	for _, name := range []string{"", `"city"`, "plan"} {
		if rapid.Bool().Draw(t, "a trait") {
			d.Traits = append(d.Traits, graph.TraitValue{Name: name, Value: rapid.SampledFrom([][]byte{nil, []byte(`"x y"`), []byte(`{"a":[1,2]}`), []byte("false")}).Draw(t, "trait")})
		}
	}
	for _, code := range []string{"\x00\x00\x00", "EUR", "JPY", "KWD"} {
		if !rapid.Bool().Draw(t, "money") {
			continue
		}
		m := graph.Money{Currency: graph.Currency([]byte(code)), Orders: uint64(rapid.IntRange(0, 9).Draw(t, "orders"))}
		if m.Orders > 0 {
			amount := rapid.Int64Range(-1<<62, 1<<62)
			m.Revenue, m.Discount, m.Discounted = amount.Draw(t, "revenue"), amount.Draw(t, "discount"), rapid.Uint64().Draw(t, "discounted")
		}
		d.Money = append(d.Money, m)
	}
	return d
}

func drawEvent(t *rapid.T) feed.Event {
	e := feed.Event{
		Shard: graph.ShardID(rapid.Uint16().Draw(t, "shard")), Number: rapid.Uint64().Draw(t, "number"),
		At: drawTime(t), Rules: rapid.Uint64().Draw(t, "rules"),
	}
	e.Kind, e.ID = graph.FeedKind(rapid.IntRange(1, int(graph.FeedExited)).Draw(t, "kind")), drawKey(t)
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		e.Delta = drawDelta(t)
	case graph.FeedLinked:
		e.Name, e.Cause = drawName(t), drawCause(t)
	case graph.FeedMerged:
		e.Others, e.Cause = drawKeys(t), drawCause(t)
	case graph.FeedSplit:
		e.Others = drawKeys(t)
	case graph.FeedGeneric:
		e.Name = drawName(t)
	case graph.FeedEntered, graph.FeedExited:
		e.Audience, e.Why = drawText(t, "audience"), graph.AudienceCause(rapid.IntRange(1, int(graph.ByDefinition)).Draw(t, "why"))
		if e.Why == graph.ByEvent {
			e.Cause.Mark = graph.Mark{Stamp: graph.Stamp{Time: drawTime(t)}, ID: []byte(drawText(t, "id")), Source: []byte(drawText(t, "source"))}
		}
	case graph.FeedErased:
	}
	return e
}

// Append writes the same as encoding/json does for the documents.
func TestCloudEventDocuments(t *testing.T) {
	var all [graph.FeedExited + 1]bytes.Buffer
	rapid.Check(t, func(t *rapid.T) {
		for range 20 { // so that each member occurs even with few checks
			e := drawEvent(t)
			var scores []byte
			if rapid.Bool().Draw(t, "scored") {
				scores = []byte(`{"as_of":"2026-01-02T03:04:05.678Z"}`)
			}
			text := Append(nil, &e, "/kindred/1", scores)
			documenttest.CheckSame[document.Change](t, text)
			data := AppendData(nil, &e, scores)
			switch e.Kind {
			case graph.FeedCreated, graph.FeedUpdated:
				documenttest.CheckSame[document.IdentityChange](t, data)
			case graph.FeedLinked:
				documenttest.CheckSame[document.Linked](t, data)
			case graph.FeedMerged:
				documenttest.CheckSame[document.Merged](t, data)
			case graph.FeedSplit:
				documenttest.CheckSame[document.Split](t, data)
			case graph.FeedGeneric:
				documenttest.CheckSame[document.GenericValue](t, data)
			case graph.FeedEntered, graph.FeedExited:
				documenttest.CheckSame[document.AudienceChange](t, data)
			case graph.FeedErased:
				documenttest.CheckSame[document.Erased](t, data)
			}
			all[e.Kind].Write(text)
		}
	})
	documenttest.CheckMembers[document.Change](t, all[graph.FeedCreated].Bytes())
	documenttest.CheckMembers[document.IdentityDelta](t, all[graph.FeedUpdated].Bytes())
	documenttest.CheckMembers[document.Linked](t, all[graph.FeedLinked].Bytes())
	documenttest.CheckMembers[document.Merged](t, all[graph.FeedMerged].Bytes())
	documenttest.CheckMembers[document.Split](t, all[graph.FeedSplit].Bytes())
	documenttest.CheckMembers[document.GenericValue](t, all[graph.FeedGeneric].Bytes())
	documenttest.CheckMembers[document.AudienceChange](t, all[graph.FeedEntered].Bytes())
	documenttest.CheckMembers[document.Erased](t, all[graph.FeedErased].Bytes())
}

// E1: an entry passes through JSON unchanged, with scores and without.
func TestCloudEventRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		var scores []byte
		if rapid.Bool().Draw(t, "scored") {
			scores = []byte(`{"clv":1.25}`)
		}
		text := Append(nil, &e, "/kindred/1", scores)
		if !json.Valid(text) || strings.ContainsRune(string(text), '\n') {
			t.Fatalf("not a line of JSON: %s", text)
		}
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(got, e) {
			t.Fatalf("\n got %+v\nwant %+v\n%s", got, e, text)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	good := `{"specversion":"1.0","id":"3-41","source":"/kindred/1","type":"kindred.identity.erased","subject":"k57ysfgf2mfmc45ezyrsv504szw","time":"2026-01-01T00:00:00.000Z","data":{"rules":"1"}}`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"3-41"`, `"41"`},
		{`"3-41"`, `"70000-1"`},
		{"identity.erased", "identity.gone"},
		{"identity.erased", "identifier.erased"},
		{"k57ysf", "k57"},
		{`{"rules":"1"}`, `{"rules":"x"}`},
		{`{"rules":"1"}`, "[]"},
		{`"specversion"`, "specversion"},
	} {
		if e, err := Parse([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s for %s was read as %+v", change[1], change[0], e)
		}
	}
	counted := strings.NewReplacer("erased", "updated", `{"rules":"1"}`, `{"rules":"1","identity":{"counts":{"track":2}}}`).Replace(good)
	if _, err := Parse([]byte(counted)); err != nil {
		t.Fatal(err)
	}
	if e, err := Parse([]byte(strings.Replace(counted, "track", "tracks", 1))); err == nil {
		t.Errorf("counts of an unknown type of event were read as %+v", e)
	}
}

// A reader that knows only JSON merge patch (RFC 7396) ends with the counts of an export: a type whose last event has
// left is absent instead of 0.
func TestCountsAreAMergePatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known, want := map[string]any{}, map[string]any{}
		for range rapid.IntRange(1, 8).Draw(t, "entries") {
			var delta graph.Delta
			for kind := graph.TypeIdentify; int(kind) < graph.EventTypes; kind++ {
				if !rapid.Bool().Draw(t, "changes") {
					continue
				}
				n := rapid.Uint64Range(0, 3).Draw(t, "count")
				delta.Counts = append(delta.Counts, graph.TypeCount{Type: kind, Count: n})
				if delete(want, kind.String()); n > 0 {
					want[kind.String()] = float64(n)
				}
			}
			entry := feed.Event{FeedEntry: graph.FeedEntry{Kind: graph.FeedUpdated, Delta: delta}}
			var data struct {
				Identity struct {
					Counts map[string]any `json:"counts"`
				} `json:"identity"`
			}
			if err := json.Unmarshal(AppendData(nil, &entry, nil), &data); err != nil {
				t.Fatal(err)
			}
			for name, value := range data.Identity.Counts {
				if known[name] = value; value == nil {
					delete(known, name)
				}
			}
		}
		if !reflect.DeepEqual(known, want) {
			t.Fatalf("%v, want %v", known, want)
		}
	})
}
