package row

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// again reads an encoding, and writes it by an encoder of an older version.
func again(enc *Encoder, dec *Decoder, kind string, src []byte) ([]byte, error) {
	switch kind {
	case "event":
		ev, err := dec.Event(src)
		if err != nil {
			return nil, err
		}
		return enc.Event(nil, ev, true), nil
	case "root", "forward":
		key := sampleUser
		if kind == "forward" {
			key = sampleCookie
		}
		n, applied, err := dec.Node(key, src)
		if err != nil {
			return nil, err
		}
		return enc.Node(nil, n, applied), nil
	case "message":
		m, err := dec.Message(src)
		if err != nil {
			return nil, err
		}
		return enc.Message(nil, m), nil
	case "feed-settings":
		s, err := parse[FeedSettings]("feed settings", src)
		if err != nil {
			return nil, err
		}
		s.encode(enc.begin(nil))
		return enc.finish(), nil
	}
	return nil, fmt.Errorf("no kind %s", kind)
}

// An encoder of a former program's version writes that program's values to the same bytes.
func TestEncoderWritesOlderVersions(t *testing.T) {
	dec := NewDecoder()
	for v := generation(1); v < newest; v++ {
		for kind, version := range map[string]uint8{
			"event": versions[v].event, "root": versions[v].node, "forward": versions[v].node,
			"message": versions[v].message, "feed-settings": versions[v].settings,
		} {
			if newest := versions[newest]; version == map[string]uint8{
				"event": newest.event, "root": newest.node, "forward": newest.node, "message": newest.message, "feed-settings": newest.settings,
			}[kind] {
				continue // TestCodecGolden holds it
			}
			pattern := kind + "*"
			if kind == "feed-settings" {
				pattern = kind
			}
			paths, err := filepath.Glob(filepath.Join("testdata", "codec", fmt.Sprintf("%s-v%d.golden", pattern, version)))
			must(t, err)
			if len(paths) == 0 {
				t.Errorf("nothing of kind %s and version %d is kept", kind, version)
			}
			for _, path := range paths {
				want := readGolden(t, path)
				enc := newEncoderOf(v)
				got, err := again(enc, dec, kind, want)
				must(t, err)
				if kind == "message" && strings.Contains(path, "absorb") {
					sameMessage(t, got, want) // but for what it tells of identities
				} else if !bytes.Equal(got, want) {
					t.Errorf("version %d: %s\n got %x\nwant %x", v, filepath.Base(path), got, want)
				}
				if enc.Lossy() {
					t.Errorf("version %d: something of %s was left out", v, filepath.Base(path))
				}
			}
		}
	}
}

// sameMessage checks that two encodings are read as the same message.
func sameMessage(t *testing.T, got, want []byte) {
	t.Helper()
	dec := NewDecoder()
	a, err := dec.Message(got)
	must(t, err)
	b, err := dec.Message(want)
	must(t, err)
	sameValue(t, "message", a, b)
}

// An older encoding of anything is read, says that it is of its version, and where nothing was left out says the same.
func TestOlderEncodingsAreRead(t *testing.T) {
	dec := NewDecoder()
	for v := generation(1); v <= newest; v++ {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				enc := newEncoderOf(v)
				ev := genEvent(rt, true)
				src := enc.Event(nil, ev, true)
				got, err := dec.Event(src)
				if err != nil || src[0] != versions[v].event {
					rt.Fatalf("event of version %d: %v", src[0], err)
				}
				same(rt, enc, v, got, ev)

				enc = newEncoderOf(v)
				n := genNode(rt)
				src = enc.Node(nil, n, 7)
				node, applied, err := dec.Node(n.Key, src)
				if err != nil || applied != 7 || src[0] != versions[v].node {
					rt.Fatalf("node of version %d: %v", src[0], err)
				}
				same(rt, enc, v, node, n)

				enc = newEncoderOf(v)
				m := genMessage(rt)
				src = enc.Message(nil, m)
				message, err := dec.Message(src)
				if err != nil || src[0] != versions[v].message {
					rt.Fatalf("message of version %d: %v", src[0], err)
				}
				if v < 4 && m.Kind == graph.KindJoin {
					m.Node = graph.NodeName{}
				}
				if v < 3 {
					m.Passed = 0
				}
				same(rt, enc, v, message, m)
			})
		})
	}
}

func same(t *rapid.T, enc *Encoder, v generation, got, want any) {
	t.Helper()
	switch equal := reflect.DeepEqual(got, want); {
	case v == newest && enc.Lossy():
		t.Fatalf("the newest version leaves something out of %+v", want)
	case !equal && !enc.Lossy():
		t.Fatalf("version %d leaves something out, and does not say so\n got %+v\nwant %+v", v, got, want)
	}
}

func fragmentOf(enc *Encoder, orders []graph.OrderEvidence) {
	evidenceWriter{enc.begin(nil)}.fragment(&graph.Fragment{Orders: orders})
	enc.finish()
}

// An older encoder says what it had no place for.
func TestLossy(t *testing.T) {
	for _, c := range []struct {
		name  string
		since generation // that has a place for it
		write func(enc *Encoder)
	}{
		{"context", 4, func(enc *Encoder) { enc.Event(nil, &graph.Event{Type: graph.TypeTrack, Context: []byte("{}")}, true) }},
		{"apart", 4, func(enc *Encoder) { enc.Event(nil, &graph.Event{Type: graph.TypeTrack, Apart: true}, false) }},
		{"roles of an alias", 4, func(enc *Encoder) {
			enc.Event(nil, &graph.Event{Type: graph.TypeAlias, Identifiers: make([]graph.Identifier, 1), Alias: []graph.AliasRole{graph.AliasCarried}}, true)
		}},
		{"mention", 6, func(enc *Encoder) {
			enc.Event(nil, &graph.Event{Type: graph.TypeTrack, Mentions: make([]graph.Identifier, 1)}, false)
		}},
		{"message of a mention", 6, func(enc *Encoder) {
			enc.Message(nil, &graph.Message{Kind: graph.KindMention, Event: sampleMention()})
		}},
		{"marks", 7, func(enc *Encoder) { enc.Event(nil, &graph.Event{Type: graph.TypeTrack, Marked: 1}, false) }},
		{"sections", 7, func(enc *Encoder) { enc.Node(nil, sampleRootOfSignals(), 1) }},
		{"patch", 7, func(enc *Encoder) { enc.Message(nil, samplePatch()) }},
		{"audiences of evidence", 8, func(enc *Encoder) {
			enc.Message(nil, &graph.Message{Kind: graph.KindAbsorb, To: sampleUser, Evidence: &graph.Evidence{Told: sampleTold().People}})
		}},
		{"group", 7, func(enc *Encoder) {
			enc.Event(nil, &graph.Event{Type: graph.TypeGroup, Group: &graph.GroupCall{ID: []byte("g")}}, true)
		}},
		{"message to a group", 7, func(enc *Encoder) { enc.Message(nil, sampleGroupMessage()) }},
		{"interest", 2, func(enc *Encoder) {
			enc.Event(nil, &graph.Event{Type: graph.TypeTrack, Interest: graph.Interest{Kind: graph.InterestViewed}}, true)
		}},
		{"two refunds", 4, func(enc *Encoder) {
			refunds := []graph.Refund{{Key: 1, Kind: graph.RefundFull, Stamp: graph.Stamp{Tie: 1}}, {Key: 2, Kind: graph.RefundFull, Stamp: graph.Stamp{Tie: 2}}}
			fragmentOf(enc, []graph.OrderEvidence{{ID: "o", Completed: never, Updated: never, Refunds: refunds}})
		}},
		{"a fraction of a currency that had none", 4, func(enc *Encoder) {
			totals := graph.OrderTotals{Net: 1250, Currency: graph.Currency{'I', 'D', 'R'}}
			fragmentOf(enc, []graph.OrderEvidence{{ID: "o", Completed: never, Updated: never, Totals: totals, Named: namedByTotals(&totals)}})
		}},
		{"nothing", 1, func(enc *Encoder) { enc.Message(nil, &graph.Message{Kind: graph.KindRecheck, To: sampleUser}) }},
	} {
		for v := generation(1); v <= newest; v++ {
			enc := newEncoderOf(v)
			if c.write(enc); enc.Lossy() != (v < c.since) {
				t.Errorf("%s, version %d: lossy is %t", c.name, v, enc.Lossy())
			}
		}
	}
}
