package row

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"
)

// walk reads an encoding with the library's generic decoder: it is a version and MessagePack values.
func walk(t testing.TB, b []byte) {
	t.Helper()
	d := msgpack.NewDecoder(bytes.NewReader(b))
	for n := 0; ; n++ {
		v, err := d.DecodeInterface()
		switch {
		case errors.Is(err, io.EOF) && n >= 2:
			return
		case err != nil:
			t.Fatalf("value %d of %x: %v", n, b, err)
		case n == 0 && v != int8(b[0]):
			t.Fatalf("version %v (%T), want an integer of one byte", v, v)
		}
	}
}

func sameValue(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\n got %+v\nwant %+v", what, got, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkRoundTrip draws values, encodes them after a prefix that must stay, and compares what comes back.
func checkRoundTrip[T any](t *testing.T, draw func(*rapid.T) T, encode func(dst []byte, v T) []byte, decode func(v T, src []byte) (T, error)) {
	rapid.Check(t, func(rt *rapid.T) {
		v := draw(rt)
		b := encode([]byte("prefix"), v)
		if !bytes.HasPrefix(b, []byte("prefix")) {
			rt.Fatalf("the prefix became %q", b[:6])
		}
		b = b[len("prefix"):]
		walk(t, b)
		got, err := decode(v, b)
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(got, v) {
			rt.Fatalf("\n got %+v\nwant %+v", got, v)
		}
	})
}

func TestCodecRoundTrips(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	t.Run("event", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) *graph.Event { return genEvent(t, true) },
			func(dst []byte, ev *graph.Event) []byte { return enc.Event(dst, ev, true) },
			func(_ *graph.Event, src []byte) (*graph.Event, error) { return dec.Event(src) })
	})
	t.Run("message", func(t *testing.T) {
		checkRoundTrip(t, genMessage, enc.Message,
			func(_ *graph.Message, src []byte) (*graph.Message, error) { return dec.Message(src) })
	})
	t.Run("mention", func(t *testing.T) {
		mention := func(t *rapid.T) *graph.Event {
			ev := genEvent(t, true)
			ev.Identifiers = []graph.Identifier{{Key: sampleUser, Namespace: "user_id", Value: genBytes(t, "user")}, {Key: sampleCookie, Raw: genBytes(t, "raw")}}
			ev.Type = graph.TypeTrack
			return ev.KeepMention()
		}
		checkRoundTrip(t, func(t *rapid.T) *graph.Message {
			return &graph.Message{Kind: graph.KindMention, To: sampleCookie, Event: mention(t)}
		}, enc.Message, func(_ *graph.Message, src []byte) (*graph.Message, error) { return dec.Message(src) })
		checkRoundTrip(t, func(t *rapid.T) *graph.Node { return &graph.Node{Key: sampleCookie, Mention: mention(t)} },
			func(dst []byte, n *graph.Node) []byte { return enc.Node(dst, n, 7) },
			func(_ *graph.Node, src []byte) (*graph.Node, error) {
				n, _, err := dec.Node(sampleCookie, src)
				return n, err
			})
	})
	t.Run("patch", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) *graph.Message {
			patch := graph.Patch{Node: genKey(t, "patched"), Signals: genSignals(t, 1)}
			return &graph.Message{Kind: graph.KindPatch, To: genKey(t, "to"), Patch: &patch}
		}, enc.Message, func(_ *graph.Message, src []byte) (*graph.Message, error) { return dec.Message(src) })
	})
	t.Run("node", func(t *testing.T) {
		type row struct {
			*graph.Node
			applied uint64
		}
		checkRoundTrip(t, func(t *rapid.T) row { return row{genNode(t), genUint(t, "applied")} },
			func(dst []byte, r row) []byte { return enc.Node(dst, r.Node, r.applied) },
			func(r row, src []byte) (row, error) {
				n, applied, err := dec.Node(r.Key, src)
				return row{n, applied}, err
			})
	})
	t.Run("block", func(t *testing.T) {
		checkRoundTrip(t, func(t *rapid.T) [][]byte {
			var events [][]byte
			for range rapid.IntRange(0, 40).Draw(t, "events") {
				events = append(events, genBody(t))
			}
			return events
		}, enc.Block, func(_ [][]byte, src []byte) (events [][]byte, err error) {
			err = dec.Block(src, func(event []byte) error { events = append(events, event); return nil })
			return events, err
		})
	})
	t.Run("record", func(t *testing.T) {
		var w RecordWriter
		checkRoundTrip(t, genRecord,
			func(dst []byte, r Record) []byte { return append(dst, writeRecord(&w, nil, &r)...) },
			func(_ Record, src []byte) (Record, error) { return dec.Record(src) })
	})
	t.Run("meta", func(t *testing.T) {
		checkRoundTrip(t, genMeta, func(dst []byte, v ShardMeta) []byte { return appendValue(dst, &v) },
			func(_ ShardMeta, src []byte) (ShardMeta, error) { return parse[ShardMeta]("meta row", src) })
	})
	t.Run("channel", func(t *testing.T) {
		checkRoundTrip(t, genChannel, func(dst []byte, v Channel) []byte { return appendValue(dst, &v) },
			func(_ Channel, src []byte) (Channel, error) { return parse[Channel]("channel row", src) })
	})
	t.Run("positions", func(t *testing.T) {
		checkRoundTrip(t, genPositions, func(dst []byte, v ChannelPositions) []byte { return appendValue(dst, &v) },
			func(_ ChannelPositions, src []byte) (ChannelPositions, error) {
				return parse[ChannelPositions]("positions row", src)
			})
	})
	t.Run("quarantine", func(t *testing.T) {
		checkRoundTrip(t, genQuarantined, func(dst []byte, v Quarantined) []byte { return appendValue(dst, &v) },
			func(_ Quarantined, src []byte) (Quarantined, error) { return parse[Quarantined]("quarantine row", src) })
	})
}

func TestEventWithoutProperties(t *testing.T) {
	ev := sampleEvent()
	got, err := NewDecoder().Event(NewEncoder().Event(nil, ev, false))
	must(t, err)
	ev.Properties, ev.Context = nil, nil
	sameValue(t, "event", got, ev)
}

// An event decoded into another one keeps nothing of it.
func TestEventIntoForgets(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	want := &graph.Event{
		Type: graph.TypePage, Identifiers: []graph.Identifier{{Key: sampleCookie}}, Traits: []graph.Trait{},
		Interest: graph.Interest{Categories: [][]byte{}}, Order: graph.OrderChange{Lines: []graph.OrderLine{}},
	}
	got := sampleEvent()
	must(t, dec.EventInto(enc.Event(nil, want, true), got))
	sameValue(t, "event", got, want)
}

func TestDecodersInternNamespaces(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	for i := range 3 * internedMost {
		ev := &graph.Event{Type: graph.TypePage, Identifiers: []graph.Identifier{{Key: sampleCookie, Namespace: fmt.Sprintf("namespace-%d", i)}}}
		got, err := dec.Event(enc.Event(nil, ev, true))
		must(t, err)
		sameValue(t, "namespace", got.Identifiers[0].Namespace, ev.Identifiers[0].Namespace)
	}
	long := &graph.Event{Type: graph.TypePage, Identifiers: []graph.Identifier{{Key: sampleCookie, Namespace: strings.Repeat("n", internedLength+1)}}}
	dec = NewDecoder()
	_, err := dec.Event(enc.Event(nil, long, true))
	must(t, err)
	if len(dec.in.names) != 0 {
		t.Fatal("a long namespace was interned")
	}
}

// bytesOf lists the byte slices of evidence: the graph appends to each in place.
func bytesOf(ev *graph.Evidence) (all []*[]byte) {
	for i := range ev.Members {
		if f := ev.Members[i].Fragment; f != nil {
			for j := range f.Traits {
				all = append(all, &f.Traits[j].Value)
			}
		}
	}
	for i := range ev.Links {
		l := &ev.Links[i]
		all = append(all, &l.First.ID, &l.First.Source, &l.Last.ID, &l.Last.Source)
	}
	return all
}

func TestEvidenceSharesNothing(t *testing.T) { // C4
	enc, dec := NewEncoder(), NewDecoder()
	rapid.Check(t, func(rt *rapid.T) {
		n := &graph.Node{Key: genKey(rt, "node")}
		n.Component = graph.RestoreComponent(n.Key, genEvidence(rt))
		row := enc.Node(nil, n, 1)
		message := enc.Message(nil, &graph.Message{Kind: graph.KindAbsorb, To: n.Key, Evidence: genAbsorbed(rt)})
		restored, _, err := dec.Node(n.Key, row)
		must(t, err)
		absorbed, err := dec.Message(message)
		must(t, err)
		rowWas, messageWas := bytes.Clone(row), bytes.Clone(message)
		evidence := restored.Component.Evidence()
		all := append(bytesOf(&evidence), bytesOf(absorbed.Evidence)...)
		for i, b := range all {
			for j := range *b {
				(*b)[j] = byte(i)
			}
			if grown := append(*b, 0xee); len(*b) > 0 && &grown[0] == &(*b)[0] {
				rt.Fatalf("slice %d has room after it", i)
			}
		}
		for i, b := range all {
			for _, c := range *b {
				if c != byte(i) {
					rt.Fatalf("slice %d was overwritten through another", i)
				}
			}
		}
		if !bytes.Equal(row, rowWas) || !bytes.Equal(message, messageWas) {
			rt.Fatal("the input was overwritten")
		}
	})
}

func TestRecordWriterTellsWhereBodiesAre(t *testing.T) {
	var w RecordWriter
	w.Reset(nil, 1, 2)
	type place struct {
		start, end int
		body       string
	}
	var places []place
	add := func(start, end int, body string) { places = append(places, place{start, end, body}) }
	for i := range 300 {
		body := strings.Repeat("b", i)
		if i%2 == 0 {
			start, end := w.AddInput(uint16(i), uint64(i), []byte(body))
			add(start, end, body)
		} else {
			start, end := w.AddOutput(uint16(i), uint64(i), []byte(body))
			add(start, end, body)
		}
		w.AddAck(uint16(i), uint64(i))
		if i%100 == 0 {
			w.Bytes() // may be asked for at any time
		}
	}
	whole := w.Bytes()
	sameValue(t, "asked again", w.Bytes(), whole)
	was := bytes.Clone(whole)
	w.Reset(make([]byte, 0, 1<<10), 2, 3)
	w.AddInput(1, 1, []byte("next"))
	sameValue(t, "record after Reset", whole, was)
	for _, p := range places {
		sameValue(t, "body", string(whole[p.start:p.end]), p.body)
	}
	r, err := NewDecoder().Record(whole)
	must(t, err)
	if len(r.Inputs) != 150 || len(r.Outputs) != 150 || len(r.Acks) != 300 {
		t.Fatalf("%d inputs, %d outputs, %d acks", len(r.Inputs), len(r.Outputs), len(r.Acks))
	}
}

// A callback of Block may decode the event with the same decoder, and stop.
func TestBlockCallback(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	event := enc.Event(nil, sampleEvent(), true)
	block := enc.Block(nil, [][]byte{event, event, event})
	n := 0
	must(t, dec.Block(block, func(b []byte) error {
		n++
		got, err := dec.Event(b)
		must(t, err)
		sameValue(t, "event", got, sampleEvent())
		return nil
	}))
	sameValue(t, "calls", n, 3)
	stop := errors.New("stop")
	n = 0
	err := dec.Block(block, func([]byte) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Fatalf("%v after %d calls", err, n)
	}
}

var rewriteGolden = flag.Bool("rewrite-golden", false, "write testdata/codec/*.golden")

// A sampled encoding, and how to read and write it again: again fails as the decoder does.
type sample struct {
	name  string
	bytes []byte
	again func(src []byte) ([]byte, error)
}

// rewrite reads a value and writes it again.
func rewrite[V any, P interface {
	valueOf[V]
	value
}](kind string) func(src []byte) ([]byte, error) {
	return func(src []byte) ([]byte, error) {
		v, err := parse[V, P](kind, src)
		if err != nil {
			return nil, err
		}
		return appendValue(nil, P(&v)), nil
	}
}

func samples() []sample {
	enc, dec := NewEncoder(), NewDecoder()
	node := func(key graph.NodeKey) func(src []byte) ([]byte, error) {
		return func(src []byte) ([]byte, error) {
			n, applied, err := dec.Node(key, src)
			if err != nil {
				return nil, err
			}
			return enc.Node(nil, n, applied), nil
		}
	}
	event := func(src []byte) ([]byte, error) {
		ev, err := dec.Event(src)
		if err != nil {
			return nil, err
		}
		return enc.Event(nil, ev, true), nil
	}
	message := func(src []byte) ([]byte, error) {
		m, err := dec.Message(src)
		if err != nil {
			return nil, err
		}
		return enc.Message(nil, m), nil
	}
	block := func(src []byte) ([]byte, error) {
		var events [][]byte
		err := dec.Block(src, func(b []byte) error { events = append(events, b); return nil })
		if err != nil {
			return nil, err
		}
		return enc.Block(nil, events), nil
	}
	record := func(src []byte) ([]byte, error) {
		r, err := dec.Record(src)
		if err != nil {
			return nil, err
		}
		return writeRecord(&RecordWriter{}, nil, &r), nil
	}
	r := sampleRecord()
	all := []sample{
		{"event", enc.Event(nil, sampleEvent(), true), event},
		{"event-alias", enc.Event(nil, sampleAlias(), true), event},
		{"event-mention", enc.Event(nil, sampleMentioning(), true), event},
		{"event-marks", enc.Event(nil, sampleMarked(), true), event},
		{"mention", enc.Node(nil, &graph.Node{Key: sampleCookie, Mention: sampleMention()}, 299), node(sampleCookie)},
		{"message-counts", enc.Message(nil, &graph.Message{Kind: graph.KindCounts, To: sampleUser, Event: sampleMention()}), message},
		{"message-mention", enc.Message(nil, &graph.Message{Kind: graph.KindMention, To: sampleCookie, Event: sampleMention()}), message},
		{"event-group", enc.Event(nil, sampleGrouping(), true), event},
		{"message-group", enc.Message(nil, sampleGroupMessage()), message},
		{"group", appendValue(nil, (*groupValue)(sampleGroup())), rewrite[groupValue]("group")},
		{"member", appendValue(nil, (*memberValue)(sampleMember())), rewrite[memberValue]("member")},
		{"root", enc.Node(nil, sampleRoot(), 299), node(sampleUser)},
		{"root-signals", enc.Node(nil, sampleRootOfSignals(), 299), node(sampleUser)},
		{"message-patch", enc.Message(nil, samplePatch()), message},
		{"forward", enc.Node(nil, sampleForward(), 299), node(sampleCookie)},
		{"block", enc.Block(nil, [][]byte{[]byte("first"), []byte("second")}), block},
		{"record", writeRecord(&RecordWriter{}, nil, &r), record},
		{"meta", appendValue(nil, sampleMeta()), rewrite[ShardMeta]("meta row")},
		{"quarantine", appendValue(nil, sampleQuarantined()), rewrite[Quarantined]("quarantine row")},
		{"access-key", appendValue(nil, sampleAccessKey()), rewrite[AccessKey]("access key")},
		{"cluster-node", appendValue(nil, sampleClusterNode()), rewrite[ClusterNode]("cluster node")},
		{"journal-position", appendValue(nil, sampleJournalPosition()), rewrite[JournalPosition]("journal position")},
		{"dead-letter", appendValue(nil, sampleDeadLetter()), rewrite[DeadLetter]("dead letter")},
		{"definitions", appendValue(nil, sampleDefinitions()), rewrite[Definitions]("definitions")},
		{"marking", appendValue(nil, sampleMarking()), rewrite[Marking]("marking")},
		{"told", appendValue(nil, (*toldValue)(sampleTold())), rewrite[toldValue]("told")},
		{"audience-member", appendValue(nil, &memberSince{1_700_000_000_000}), rewrite[memberSince]("audience member")},
		{"audience-count", appendValue(nil, &audienceCount{300}), rewrite[audienceCount]("audience count")},
		{"telling", appendValue(nil, sampleTelling()), rewrite[Telling]("telling")},
		{"kept-answer", appendValue(nil, sampleKeptAnswer()), rewrite[KeptAnswer]("kept answer")},
		{"channel", appendValue(nil, sampleChannel()), rewrite[Channel]("channel row")},
		{"positions", appendValue(nil, samplePositions()), rewrite[ChannelPositions]("positions row")},
	}
	all = append(all, feedSamples()...)
	for _, m := range sampleMessages() {
		all = append(all, sample{"message-" + m.Kind.String(), enc.Message(nil, m), message})
	}
	return all
}

const goldenHead = `# Bytes on disk and between shards. When this file has to change, so has the version of its kind: add a
# new version and a new file, and keep reading this one.
`

// The bytes of every kind are fixed: what an earlier build wrote is read by a later one.
func TestCodecGolden(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			path := filepath.Join("testdata", "codec", s.name+".golden")
			if *rewriteGolden {
				must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				must(t, os.WriteFile(path, []byte(goldenHead+wrapHex(s.bytes)), 0o644))
			}
			text, err := os.ReadFile(path)
			must(t, err)
			if want := goldenHead + wrapHex(s.bytes); string(text) != want {
				t.Fatalf("%s has\n%s\nand the encoder writes\n%s", path, text, want)
			}
			again, err := s.again(s.bytes)
			must(t, err)
			sameValue(t, "encoded again", again, s.bytes)
			walk(t, s.bytes)
		})
	}
}

func wrapHex(b []byte) string {
	var text strings.Builder
	for len(b) > 0 {
		n := min(len(b), 32)
		text.WriteString(hex.EncodeToString(b[:n]) + "\n")
		b = b[n:]
	}
	return text.String()
}

// accepts decodes b and demands that it was refused as corrupt, or that it is the one encoding of
// what it says (C1); of an older version, that what it says has one encoding in the newest.
func accepts(t testing.TB, s *sample, b []byte) bool {
	t.Helper()
	again, err := s.again(b)
	if err != nil {
		if !errors.Is(err, storage.ErrCorrupt) {
			t.Fatalf("%s %x: %v, want storage.ErrCorrupt", s.name, b, err)
		}
		return false
	}
	if newest := s.bytes[0]; b[0] < newest {
		b = again
		written := b[0] == newest || s.name == "definitions" && b[0] == definitionsWithoutTraits
		if again, err = s.again(b); err != nil || !written {
			t.Fatalf("%s %x in the newest version: %v", s.name, b, err)
		}
	}
	if !bytes.Equal(again, b) {
		t.Fatalf("%s\n     %x\nread as\n     %x", s.name, b, again)
	}
	return true
}

// damage is what a byte is damaged to: one bit over, one more or less, and codes of every family.
func damage(was byte) (all []byte) {
	for bit := range 8 {
		all = append(all, was^1<<bit)
	}
	for _, c := range []byte{was + 1, was - 1, 0x00, 0x80, 0x90, 0xa0, 0xc0, 0xc4, 0xc6, 0xcc, 0xcf, 0xd0, 0xd3, 0xd9, 0xdd, 0xff} {
		if c != was {
			all = append(all, c)
		}
	}
	return all
}

// Every cut and every byte too many is refused; a damaged byte is refused or means something else.
func TestCodecDamage(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			for n := range s.bytes {
				if accepts(t, &s, s.bytes[:n]) {
					t.Fatalf("accepted the first %d bytes", n)
				}
			}
			for c := range 256 {
				if accepts(t, &s, append(bytes.Clone(s.bytes), byte(c))) {
					t.Fatalf("accepted %#02x after the end", c)
				}
			}
			b := bytes.Clone(s.bytes)
			for i, was := range b {
				for _, c := range damage(was) {
					b[i] = c
					older := i == 0 && 0 < c && c < was
					if accepts(t, &s, b) && (i == 0 && !older || s.name == "record") {
						t.Fatalf("accepted %#02x at byte %d", c, i)
					}
				}
				b[i] = was
			}
		})
	}
}
