package row

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/internal/msgpack"
	"github.com/kindred-id/kindred/storage"
	library "github.com/vmihailenco/msgpack/v5"
)

// Encoders check nothing, so they write what decoders must refuse (C2).
func TestDecodersRefuse(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	event := func(change func(*graph.Event)) error {
		ev := sampleEvent()
		change(ev)
		_, err := dec.Event(enc.Event(nil, ev, true))
		return err
	}
	root := func(change func(*graph.Evidence)) error {
		// Damage is made after the component is built: that relies on the orders.
		n := sampleRoot()
		evidence := n.Component.Evidence()
		o := evidenceWriter{enc.begin(nil)}
		o.start(nodeVersion)
		change(&evidence)
		o.array(rootFields)
		o.uint(nodeRoot)
		o.uint(1)
		o.uint(1)
		o.members(evidence.Members)
		o.links(evidence.Links)
		o.assertions(evidence.Assertions)
		_, _, err := dec.Node(sampleUser, enc.finish())
		return err
	}
	message := func(m graph.Message) error {
		_, err := dec.Message(enc.Message(nil, &m))
		return err
	}
	fragment := func(change func(*graph.Fragment)) error {
		return root(func(ev *graph.Evidence) { change(ev.Members[0].Fragment) })
	}
	signalsOf := func(change func(*graph.Sections)) error {
		return fragment(func(f *graph.Fragment) {
			f.Sections = sampleSignals()
			change(f.Sections)
		})
	}
	dealings := func(change func(*score.OfferBook, *score.InterestCounts, *score.VisitDays)) error {
		return fragment(func(f *graph.Fragment) { change(f.Offers, f.Interests, &f.Visits) })
	}
	meta := func(change func(*ShardMeta)) error {
		m := sampleMeta()
		change(m)
		_, err := ParseMeta(appendValue(nil, m))
		return err
	}
	raw := func(write func(o *writer)) []byte {
		o := &enc.out
		o.b = nil
		write(o)
		return enc.finish()
	}
	record := func(write func(o *writer)) error {
		_, err := dec.Record(appendChecksum(raw(func(o *writer) {
			o.uint(recordVersion)
			o.uint(1)
			o.int(2)
			write(o)
		})))
		return err
	}

	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"no identifier", event(func(ev *graph.Event) { ev.Identifiers = nil }), "without an identifier"},
		{"identifiers ascending", event(func(ev *graph.Event) { slices.Reverse(ev.Identifiers) }), "identifier 1 does not rank below"},
		{"identifier twice", event(func(ev *graph.Event) { ev.Identifiers[1].Key = ev.Identifiers[0].Key }), "identifier 1 does not rank below"},
		{"identifier without key", event(func(ev *graph.Event) { ev.Identifiers[3].Key = graph.NodeKey{} }), "key of zeroes"},
		{"no event type", event(func(ev *graph.Event) { ev.Type = 0 }), "unknown event type 0"},
		{"unknown event type", event(func(ev *graph.Event) { ev.Type = graph.EventType(graph.EventTypes) }), "unknown event type 7"},
		{"unknown order kind", event(func(ev *graph.Event) { ev.Order.Kind = graph.OrderRefunded + 1 }), "unknown order kind 5"},
		{"unknown net rule", event(func(ev *graph.Event) { ev.Order.Rule = graph.NetItems + 1 }), "unknown net revenue rule 6"},

		{"members ascending", root(func(ev *graph.Evidence) { slices.Reverse(ev.Members) }), "member 1 does not rank below"},
		{"member twice", root(func(ev *graph.Evidence) { ev.Members[1].Key = ev.Members[0].Key }), "member 1 does not rank below"},
		{"links out of order", root(func(ev *graph.Evidence) { slices.Reverse(ev.Links) }), "link 1 is not in the order"},
		{"link twice", root(func(ev *graph.Evidence) { ev.Links[1].LinkKey = ev.Links[0].LinkKey }), "link 1 is not in the order"},
		{"link upside down", root(func(ev *graph.Evidence) { ev.Links[0].A, ev.Links[0].B = ev.Links[0].B, ev.Links[0].A }), "link 0 has its lower end first"},
		{"link to itself", root(func(ev *graph.Evidence) { ev.Links[0].B = ev.Links[0].A }), "link 0 has its lower end first"},
		{"link to no member", root(func(ev *graph.Evidence) { ev.Members = ev.Members[:3] }), "link 2 has an end that is no member"},
		{"link from no member", root(func(ev *graph.Evidence) { ev.Members = ev.Members[1:] }), "link 0 has an end that is no member"},
		{"unknown verb", root(func(ev *graph.Evidence) { ev.Links[0].Verb = graph.VerbForce + 1 }), "unknown verb 5"},
		{"assertions out of order", root(func(ev *graph.Evidence) { slices.Reverse(ev.Assertions) }), "assertion 1 is not in the order"},
		{"unknown assertion", root(func(ev *graph.Evidence) { ev.Assertions[1].Verb = graph.AssertForget + 1 }), "unknown assertion 5"},
		{"assertion about one", root(func(ev *graph.Evidence) { ev.Assertions[0].B = graph.NodeName{} }), "the upper and then the lower"},
		{"assertion upside down", root(func(ev *graph.Evidence) { a := &ev.Assertions[0]; a.A, a.B = a.B, a.A }), "the upper and then the lower"},
		{"forget two", root(func(ev *graph.Evidence) { ev.Assertions[1].B.Key = sampleCookie }), "names two"},

		{"traits out of order", fragment(func(f *graph.Fragment) { slices.Reverse(f.Traits) }), "trait 1 is not in the order"},
		{"trait twice", fragment(func(f *graph.Fragment) { f.Traits[1].Name = f.Traits[0].Name }), "trait 1 is not in the order"},
		{"orders out of order", fragment(func(f *graph.Fragment) { slices.Reverse(f.Orders) }), "order 1 is not in the order"},
		{"refund of no kind", fragment(func(f *graph.Fragment) { f.Orders[0].Refunds[0].Kind = 0 }), "unknown kind of refund 0"},
		{"refunds out of order", fragment(func(f *graph.Fragment) { slices.Reverse(f.Orders[0].Refunds) }), "refund 1 is not in the order of keys"},
		{"too many refunds", fragment(func(f *graph.Fragment) {
			for i := range uint64(graph.RefundsMax) {
				f.Orders[0].Refunds = append(f.Orders[0].Refunds, graph.Refund{Key: 100 + i, Kind: graph.RefundFull})
			}
		}), "66 refunds, want at most 64"},
		{"no lines", fragment(func(f *graph.Fragment) { f.Orders[1].Lines.Lines = nil }), "no lines are nil"},
		{"too many lines", event(func(ev *graph.Event) { ev.Order.Lines = make([]graph.OrderLine, graph.LinesMax+1) }), "65 lines, want at most 64"},
		{"refund of no kind in an event", event(func(ev *graph.Event) { ev.Order.Kind = graph.OrderRefunded }), "unknown kind of refund 0"},
		{"unknown offer signal", event(func(ev *graph.Event) { ev.Offer.Signal = score.OfferWithdrawn + 1 }), "unknown offer signal 9"},
		{"unknown kind of interest", event(func(ev *graph.Event) { ev.Interest.Kind = graph.InterestBought + 1 }), "unknown kind of interest 4"},
		{"too many categories", event(func(ev *graph.Event) { ev.Interest.Categories = make([][]byte, graph.InterestCategoriesMax+1) }), "want 1 to 17"},
		{"offers out of order", dealings(func(o *score.OfferBook, _ *score.InterestCounts, _ *score.VisitDays) { slices.Reverse(o.Evidence()) }), "offers are not in the order"},
		{"offer twice", dealings(func(o *score.OfferBook, _ *score.InterestCounts, _ *score.VisitDays) {
			o.Evidence()[1] = o.Evidence()[0]
		}), "offers are not in the order"},
		{"categories out of order", dealings(func(_ *score.OfferBook, c *score.InterestCounts, _ *score.VisitDays) { slices.Reverse(c.Cells()) }), "counts of categories are not in order"},
		{"category without a count", dealings(func(_ *score.OfferBook, c *score.InterestCounts, _ *score.VisitDays) { c.Cells()[0].Count = 0 }), "counts of categories are not in order"},
		{"count of six years ago", dealings(func(_ *score.OfferBook, c *score.InterestCounts, _ *score.VisitDays) { c.Cells()[0].Period -= 30 }), "out of bounds"},
		{"visits out of order", dealings(func(_ *score.OfferBook, _ *score.InterestCounts, v *score.VisitDays) { slices.Reverse(v.Periods()) }), "periods of visits are not in order"},
		{"period without a visit", dealings(func(_ *score.OfferBook, _ *score.InterestCounts, v *score.VisitDays) { v.Periods()[0].Came = 0 }), "periods of visits are not in order"},
		{"visit on the 31st day", dealings(func(_ *score.OfferBook, _ *score.InterestCounts, v *score.VisitDays) { v.Periods()[0].Came = 1 << 30 }), "is above"},

		{"mark of no kind", event(func(ev *graph.Event) { ev.Marked, ev.Marks = 1, []graph.SignalMark{{}} }), "unknown kind of signal 0"},
		{"mark that keeps too much", event(func(ev *graph.Event) {
			ev.Marked, ev.Marks = 1, []graph.SignalMark{{Kind: signal.Newest, N: 65}}
		}), "kind 1 that keeps 65"},
		{"signals out of order", signalsOf(func(s *graph.Sections) { slices.Reverse(s.Signals) }), "signal 1 is not in the order"},
		{"moments out of order", signalsOf(func(s *graph.Sections) { slices.Reverse(s.Signals[0].Moments) }), "out of order or out of bounds"},
		{"too many moments", signalsOf(func(s *graph.Sections) { s.Signals[0].N = 1 }), "out of order or out of bounds"},
		{"days out of order", signalsOf(func(s *graph.Sections) { slices.Reverse(s.Signals[2].Days) }), "out of order or out of bounds"},
		{"day without an event", signalsOf(func(s *graph.Sections) { s.Signals[2].Days[1].Count = 0 }), "out of order or out of bounds"},
		{"count of what counts nothing", signalsOf(func(s *graph.Sections) { s.Signals[3].Values[0].Count = 1 }), "out of order or out of bounds"},
		{"values out of order", signalsOf(func(s *graph.Sections) { slices.Reverse(s.Signals[6].Values) }), "out of order or out of bounds"},
		{"patch of nothing", message(graph.Message{Kind: graph.KindPatch, To: sampleUser, Patch: &graph.Patch{Node: sampleUser}}), "no signals"},

		{"refused for nothing", message(graph.Message{Kind: graph.KindRefuse, To: sampleUser, Via: sampleEmail, Root: sampleEmail}), "unknown refusal 0"},
		{"join without root", message(graph.Message{Kind: graph.KindJoin, To: sampleUser}), "key of zeroes"},
		{"message to no one", message(graph.Message{Kind: graph.KindRepoint, Root: sampleUser}), "key of zeroes"},

		{"positions out of order", meta(func(m *ShardMeta) { slices.Reverse(m.Positions) }), "shard 0 is not in the order"},
		{"sent twice", meta(func(m *ShardMeta) { m.Sent = append(m.Sent, m.Sent[0]) }), "shard 2 is not in the order"},

		{"record of too few", record(func(o *writer) { o.array(2); o.uint(tagEnd); o.uint(1) }), "0 entries, and the end says 1"},
		{"record without end", record(func(*writer) {}), "ends within an array"},
		{"unknown entry", record(func(o *writer) { o.array(3); o.uint(9) }), "unknown entry 9"},
		{"entry of another length", record(func(o *writer) { o.array(3); o.uint(tagInput) }), "entry 1 of 3 values, want 4"},
		{"shard above all", record(func(o *writer) { o.array(4); o.uint(tagInput); o.uint(1 << 16) }), "65536 is above 65535"},
	} {
		switch {
		case !errors.Is(c.err, storage.ErrCorrupt):
			t.Errorf("%s: %v, want storage.ErrCorrupt", c.name, c.err)
		case !strings.Contains(c.err.Error(), c.want) || !strings.Contains(c.err.Error(), ": byte "):
			t.Errorf("%s: %v, want %q with the byte", c.name, c.err, c.want)
		}
	}

	// A forward whose parent is below it breaks H1.
	row := enc.Node(nil, sampleForward(), 1)
	if _, _, err := dec.Node(sampleUser, row); err == nil || !strings.Contains(err.Error(), "H1") {
		t.Errorf("parent that equals its node: %v", err)
	}
	// Properties and context do not travel between shards.
	m := sampleMessages()[0]
	for _, leave := range []func(ev *graph.Event){
		func(ev *graph.Event) { ev.Context = nil },
		func(ev *graph.Event) { ev.Properties = nil },
	} {
		ev := sampleEvent()
		leave(ev)
		with := raw(func(o *writer) {
			o.uint(messageVersion)
			o.array(messageFields[graph.KindObserve])
			o.uint(uint64(graph.KindObserve))
			o.key(m.To)
			o.null()
			o.uint(0)
			o.uint(0)
			o.uint(eventVersion)
			eventWriter{o}.event(ev, true)
		})
		if _, err := dec.Message(with); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "between shards") {
			t.Errorf("message with properties %s and context %s: %v", ev.Properties, ev.Context, err)
		}
	}
	// After an error the decoder is as new.
	if _, err := dec.Event(enc.Event(nil, sampleEvent(), true)); err != nil {
		t.Error(err)
	}
}

func TestDecodersRefuseOtherVersions(t *testing.T) {
	for _, s := range samples() {
		known := s.bytes[0]
		for _, version := range []byte{0, known + 1, 127, msgpack.Nil} {
			b := slices.Clone(s.bytes)
			b[0] = version
			if _, err := s.again(b); !errors.Is(err, storage.ErrCorrupt) {
				t.Errorf("%s, version %d: %v", s.name, version, err)
			} else if want := fmt.Sprintf("version %d, this program knows version %d", known+1, known); version == known+1 && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}
}

// Lengths that the input can't hold are refused before anything is allocated (C3).
func TestDecodersRefuseLengths(t *testing.T) {
	dec := NewDecoder()
	huge := func(code byte) []byte { return []byte{code, 0xff, 0xff, 0xff, 0xff} }
	head := func(fields int, rest ...byte) []byte {
		o := NewEncoder()
		out := o.begin(nil)
		out.start(1)
		out.array(fields)
		out.b = append(out.b, rest...)
		return o.finish()
	}
	inputs := map[string]func() error{
		"block":    func() error { return dec.Block(append([]byte{1}, huge(msgpack.Array32)...), nil) },
		"event id": func() error { _, err := dec.Event(head(eventFields, huge(msgpack.Bin32)...)); return err },
		"reason": func() error {
			_, err := ParseQuarantined(head(quarantineFields, huge(msgpack.String32)...))
			return err
		},
		"positions": func() error {
			_, err := ParseMeta(head(metaFields, append([]byte{0}, huge(msgpack.Array32)...)...))
			return err
		},
		"members": func() error {
			_, _, err := dec.Node(sampleUser, head(rootFields, append([]byte{nodeRoot, 0, 0}, huge(msgpack.Array32)...)...))
			return err
		},
		"a map":      func() error { return dec.Block(append([]byte{1}, huge(msgpack.Map32)...), nil) },
		"too little": func() error { return dec.Block([]byte{1, msgpack.Array16, 0, 16, msgpack.Bin8, 0}, nil) },
	}
	for name, decode := range inputs {
		if err := decode(); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if bytes := allocated(func() { _ = decode() }); bytes > 64<<10 {
			t.Errorf("%s: %d bytes allocated", name, bytes)
		}
	}
}

func TestNodeEncoderWantsARootOrAForward(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a node that was never seen got a row")
		}
	}()
	NewEncoder().Node(nil, &graph.Node{Key: sampleUser}, 1)
}

// TestOnlyShortestForms reads each number and length in every form that MessagePack has for it: the form that is
// written is read back, and every other is refused (C1).
func TestOnlyShortestForms(t *testing.T) {
	be := binary.BigEndian
	in := new(cursor)
	check := func(what string, v any, form, written []byte, read func() any) {
		t.Helper()
		in.b, in.at, in.err = form, 0, nil
		got := read()
		switch same := bytes.Equal(form, written); {
		case same && (in.err != nil || got != v || in.left() > 0):
			t.Errorf("%s %v as % x: got %v, %v", what, v, form, got, in.err)
		case !same && !errors.Is(in.err, storage.ErrCorrupt):
			t.Errorf("%s %v as % x: got %v, want it refused", what, v, form, got)
		}
		for cut := range written {
			in.b, in.at, in.err = written[:cut], 0, nil
			if read(); in.err == nil || !strings.Contains(in.err.Error(), "the input ends within") {
				t.Errorf("%s %v cut to %d bytes: %v", what, v, cut, in.err)
			}
		}
	}
	for _, base := range edgesInt {
		for d := int64(-2); d <= 2; d++ {
			v := base + d
			u := uint64(v)
			forms := [][]byte{
				{msgpack.Uint8, byte(v)},
				be.AppendUint16([]byte{msgpack.Uint16}, uint16(v)),
				be.AppendUint32([]byte{msgpack.Uint32}, uint32(v)),
				be.AppendUint64([]byte{msgpack.Uint64}, u),
				{msgpack.Int8, byte(v)},
				be.AppendUint16([]byte{msgpack.Int16}, uint16(v)),
				be.AppendUint32([]byte{msgpack.Int32}, uint32(v)),
				be.AppendUint64([]byte{msgpack.Int64}, u),
			}
			unsigned, signed := msgpack.AppendUint(nil, u), msgpack.AppendInt(nil, v)
			for _, form := range append(forms, unsigned, signed) {
				if means, ok := meaning(form); ok && means == u {
					check("uint", u, form, unsigned, func() any { return in.uint() })
				}
				if means, ok := meaning(form); ok && int64(means) == v && (v < 0) == (form[0] >= msgpack.Int8) {
					check("int", v, form, signed, func() any { return in.int() })
				}
			}
		}
	}
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		for _, form := range []lengthForm{arrayForm, stringForm, bytesForm} {
			heads := [][]byte{be.AppendUint16([]byte{form.by16}, uint16(n)), be.AppendUint32([]byte{form.by32}, uint32(n))}
			if n <= math.MaxUint8 {
				heads = append(heads, []byte{form.by8, byte(n)})
			}
			var written []byte
			var read func() any
			switch form.want {
			case arrayForm.want:
				written = msgpack.AppendArrayLen(nil, n)
				read = func() any { return in.arrayLen() }
			case stringForm.want:
				written = msgpack.AppendString(nil, strings.Repeat("x", n))
				written = written[:len(written)-n]
				read = func() any { return in.stringLen() }
			default:
				written = msgpack.AppendBytesLen(nil, n)
				read = func() any { return in.blobLen() }
			}
			for _, head := range append(heads, written) {
				if be16 := head[0] == form.by16; !be16 || n <= math.MaxUint16 {
					check(form.want+" of", n, head, written, read)
				}
			}
		}
	}
	if got := never; got != math.MinInt64 || graph.NewOrderEvidence("").Completed != never {
		t.Errorf("never is %d, the graph has %d", got, graph.NewOrderEvidence("").Completed)
	}
}

// meaning is the number that a form stands for, signed ones as two's complement.
func meaning(form []byte) (uint64, bool) {
	v, _ := library.NewDecoder(bytes.NewReader(form)).DecodeInterface()
	switch v := v.(type) {
	case int8:
		return uint64(v), true
	case int16:
		return uint64(v), true
	case int32:
		return uint64(v), true
	case int64:
		return uint64(v), true
	case uint8:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	case uint64:
		return v, true
	}
	return 0, false
}
