package row

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// readGolden reads the bytes of a golden file.
func readGolden(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	digits, found := strings.CutPrefix(string(text), goldenHead)
	if !found {
		t.Fatalf("%s does not begin as golden files do", path)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(digits, "\n", ""))
	must(t, err)
	return b
}

func olderGolden(t testing.TB, name string, version int) []byte {
	return readGolden(t, olderPath(name, version))
}

func olderPath(name string, version int) string {
	return filepath.Join("testdata", "codec", fmt.Sprintf("%s-v%d.golden", name, version))
}

// eventOfVersion1 is what version 1 kept of an event.
func eventOfVersion1(ev *graph.Event) *graph.Event {
	ev.Offer, ev.Interest = graph.OfferNotice{}, graph.Interest{}
	return eventOfVersion2(ev)
}

// eventOfVersion2 is what version 2 kept of an event.
func eventOfVersion2(ev *graph.Event) *graph.Event {
	ev.Context, ev.Apart, ev.Order.Lines, ev.Alias = nil, false, nil, nil
	return ev
}

// evidenceOfVersion1 is what version 1 kept of evidence.
func evidenceOfVersion1(evidence *graph.Evidence) *graph.Evidence {
	evidence.Told = nil
	for i := range evidence.Members {
		if f := evidence.Members[i].Fragment; f != nil {
			f.Offers, f.Interests, f.Visits = nil, nil, score.VisitDays{}
		}
	}
	return evidenceOfVersion2(evidence)
}

// evidenceOfVersion2 is what version 2 kept of evidence: no lines of orders, and one outcome of each, which becomes a refund
// in no named currency.
func evidenceOfVersion2(evidence *graph.Evidence) *graph.Evidence {
	evidence.Told = nil
	for i := range evidence.Members {
		if f := evidence.Members[i].Fragment; f != nil {
			for j := range f.Orders {
				o := &f.Orders[j]
				if o.Lines = nil; len(o.Refunds) > 0 {
					o.Refunds = []graph.Refund{{Key: sampleStamp(2).Tie, Stamp: sampleStamp(2), Kind: graph.RefundAmount, Amount: 700}}
				}
			}
		}
	}
	return evidence
}

// Values from before offers, interests and visits are read, without them, and written again in the newest version.
func TestCodecReadsVersion1(t *testing.T) {
	dec := NewDecoder()
	t.Run("event", func(t *testing.T) {
		got, err := dec.Event(olderGolden(t, "event", 1))
		must(t, err)
		sameValue(t, "event", got, eventOfVersion1(sampleEvent()))
	})
	t.Run("root", func(t *testing.T) {
		got, applied, err := dec.Node(sampleUser, olderGolden(t, "root", 1))
		must(t, err)
		evidence := evidenceOfVersion1(sampleEvidence())
		sameValue(t, "root", got, &graph.Node{Key: sampleUser, Component: graph.RestoreComponent(sampleUser, evidence)})
		sameValue(t, "applied", applied, uint64(299))
	})
	t.Run("forward", func(t *testing.T) {
		got, _, err := dec.Node(sampleCookie, olderGolden(t, "forward", 1))
		must(t, err)
		sameValue(t, "forward", got, sampleForward())
	})
	for _, want := range sampleMessages() {
		t.Run("message-"+want.Kind.String(), func(t *testing.T) {
			got, err := dec.Message(olderGolden(t, "message-"+want.Kind.String(), 1))
			must(t, err)
			want.Passed = 0
			if want.Event != nil {
				eventOfVersion1(want.Event)
			}
			if want.Evidence != nil {
				evidenceOfVersion1(want.Evidence)
			}
			sameValue(t, "message", got, want)
		})
	}
	t.Run("event in a record", func(t *testing.T) {
		r, err := dec.Record(olderGolden(t, "record", 1))
		must(t, err)
		got, err := dec.Event(r.Inputs[0].Body)
		must(t, err)
		sameValue(t, "event", got, eventOfVersion1(sampleEvent()))
	})
	for _, s := range samples() {
		if _, err := os.Stat(olderPath(s.name, 1)); err == nil && s.name != "record" {
			if !accepts(t, &s, olderGolden(t, s.name, 1)) {
				t.Errorf("%s of version 1 is refused", s.name)
			}
		}
	}
}

// Settings that were written before there was a cap of one identity are read, without one.
func TestCodecReadsFeedSettingsOfVersion1(t *testing.T) {
	got, err := parse[FeedSettings]("feed settings", olderGolden(t, "feed-settings", 1))
	must(t, err)
	want := *sampleFeedSettings()
	want.Rules[0].Version, want.Rules[0].MaxMembers, want.Rules[0].MaxLinks = 0x151c1fd00b12a238, 1000, 10000
	for i := range want.Rules {
		want.Rules[i].MaxIdentity, want.Rules[i].Former, want.Rules[i].Alias = 0, true, graph.AliasRefused
	}
	sameValue(t, "feed settings", got, want)
}

// Rows of nodes that were written before they had the program are read, without one.
func TestCodecReadsClusterNodesOfVersion1(t *testing.T) {
	got, err := parse[ClusterNode]("cluster node", olderGolden(t, "cluster-node", 1))
	must(t, err)
	want := *sampleClusterNode()
	want.Version, want.Reads, want.Handlers = "", 0, 0
	sameValue(t, "cluster node", got, want)
}

// Messages that were written before they said when an event passed a forward are read, and written again in the newest
// version.
func TestCodecReadsMessagesOfVersion2(t *testing.T) {
	dec := NewDecoder()
	for _, want := range sampleMessages() {
		name := "message-" + want.Kind.String()
		t.Run(name, func(t *testing.T) {
			got, err := dec.Message(olderGolden(t, name, 2))
			must(t, err)
			want.Passed = 0
			messageOfEventVersion2(want)
			sameValue(t, "message", got, want)
		})
	}
	for _, s := range samples() {
		if strings.HasPrefix(s.name, "message-") && !isLater(s.name) && !accepts(t, &s, olderGolden(t, s.name, 2)) {
			t.Errorf("%s of version 2 is refused", s.name)
		}
	}
}

func messageOfEventVersion2(m *graph.Message) {
	if m.Event != nil {
		eventOfVersion2(m.Event)
	}
	if m.Evidence != nil {
		evidenceOfVersion2(m.Evidence)
	}
}

// Messages of before an Absorb named identities by their keys alone are read, and written again in the newest version.
func TestCodecReadsMessagesOfVersion4(t *testing.T) {
	dec := NewDecoder()
	for _, want := range sampleMessages() {
		name := "message-" + want.Kind.String()
		t.Run(name, func(t *testing.T) {
			got, err := dec.Message(olderGolden(t, name, 4))
			must(t, err)
			sameValue(t, "message", got, untold(want))
		})
	}
	for _, s := range samples() {
		if strings.HasPrefix(s.name, "message-") && !isLater(s.name) && !accepts(t, &s, olderGolden(t, s.name, 4)) {
			t.Errorf("%s of version 4 is refused", s.name)
		}
	}
}

// Values of before there were mentions are read, and written again in the newest version.
func TestCodecReadsValuesWithoutMentions(t *testing.T) {
	dec := NewDecoder()
	for name, want := range map[string]*graph.Event{"event": sampleEvent(), "event-alias": sampleAlias()} {
		got, err := dec.Event(olderGolden(t, name, 3))
		must(t, err)
		sameValue(t, name, got, want)
	}
	for _, want := range sampleMessages() {
		got, err := dec.Message(olderGolden(t, "message-"+want.Kind.String(), 5))
		must(t, err)
		sameValue(t, "message", got, untold(want))
	}
	got, _, err := dec.Node(sampleUser, olderGolden(t, "root", 3))
	must(t, err)
	sameValue(t, "root", got, sampleRoot())
	got, _, err = dec.Node(sampleCookie, olderGolden(t, "forward", 3))
	must(t, err)
	sameValue(t, "forward", got, sampleForward())
	for _, s := range samples() {
		for _, version := range []int{3, 5} {
			if _, err := os.Stat(olderPath(s.name, version)); err == nil && s.name != "record" && !accepts(t, &s, olderGolden(t, s.name, version)) {
				t.Errorf("%s of version %d is refused", s.name, version)
			}
		}
	}
}

// Before version 5 the last part of evidence had no members and named all identities, which its other parts had named, and
// evidence in one piece named its own.
func TestCodecReadsFormerParts(t *testing.T) {
	for _, c := range []struct {
		name    string
		members []graph.Member
		more    bool
		want    graph.Evidence
	}{
		{"last part", nil, false, graph.Evidence{Part: true}},
		{"part", sampleEvidence().Members, true, graph.Evidence{Part: true, Members: sampleEvidence().Members, Heads: []graph.NodeKey{sampleUser, sampleCookie}}},
		{"one piece", sampleEvidence().Members, false, graph.Evidence{Members: sampleEvidence().Members}},
	} {
		t.Run(c.name, func(t *testing.T) {
			enc := newEncoderOf(4)
			o := evidenceWriter{enc.begin(nil)}
			o.start(4)
			o.array(messageValues(graph.KindAbsorb, 4))
			o.uint(uint64(graph.KindAbsorb))
			o.key(sampleUser)
			o.members(c.members)
			o.links(nil)
			o.assertions(nil)
			o.array(2)
			for _, id := range []graph.NodeKey{sampleUser, sampleCookie} {
				o.array(summaryFields)
				o.key(id)
				o.nodeName(&graph.NodeName{Key: id, Namespace: "user_id", Value: "u-1042"})
				o.uint(15)
				o.array(1)
				o.key(id)
			}
			o.bool(c.more)
			got, err := NewDecoder().Message(enc.finish())
			must(t, err)
			sameValue(t, "evidence", got.Evidence, &c.want)
		})
	}
}

// Rows of nodes that were written while an order had one outcome are read, and written again in the newest version.
func TestCodecReadsNodesOfVersion2(t *testing.T) {
	dec := NewDecoder()
	got, applied, err := dec.Node(sampleUser, olderGolden(t, "root", 2))
	must(t, err)
	evidence := evidenceOfVersion2(sampleEvidence())
	sameValue(t, "root", got, &graph.Node{Key: sampleUser, Component: graph.RestoreComponent(sampleUser, evidence)})
	sameValue(t, "applied", applied, uint64(299))
	forward, _, err := dec.Node(sampleCookie, olderGolden(t, "forward", 2))
	must(t, err)
	sameValue(t, "forward", forward, sampleForward())
	for _, s := range samples() {
		if (s.name == "root" || s.name == "forward") && !accepts(t, &s, olderGolden(t, s.name, 2)) {
			t.Errorf("%s of version 2 is refused", s.name)
		}
	}
}

// An order of before the decimals of ISO 4217 has those of today once it is read, and so has its refund, whatever fragment
// that is in.
func TestCodecReadsFormerDecimals(t *testing.T) {
	idr := graph.Currency{'I', 'D', 'R'}
	ev := formerOrderEvent(t, graph.OrderCompleted, graph.NetRevenue, idr, 150000, 25000, 0)
	want := graph.OrderChange{Kind: graph.OrderCompleted, Rule: graph.NetRevenue, Currency: idr, Net: 15000000, Discount: 2500000, ID: []byte("o1")}
	sameValue(t, "order", ev.Order, want)

	ev = formerOrderEvent(t, graph.OrderRefunded, graph.NetNone, idr, 0, 0, 1250)
	want = graph.OrderChange{Kind: graph.OrderRefunded, ID: []byte("o1"), Refund: graph.RefundChange{Kind: graph.RefundAmount, Amount: 1250, Former: idr}}
	sameValue(t, "refund", ev.Order, want)
}

// formerOrderEvent is an event of version 2 about order o1, as it is read.
func formerOrderEvent(t *testing.T, kind graph.OrderKind, rule graph.NetRule, c graph.Currency, net, discount, refund int64) *graph.Event {
	enc, dec := NewEncoder(), NewDecoder()
	o := enc.begin(nil)
	o.start(2)
	o.array(eventFieldsV2)
	for _, s := range []string{"m1", "web"} {
		o.blob([]byte(s))
	}
	o.uint(1)
	o.stamp(sampleStamp(0))
	o.int(0)
	o.uint(uint64(graph.TypeTrack))
	o.null()
	o.array(identifierFields)
	o.key(sampleUser)
	o.text("user_id")
	o.blob([]byte("u"))
	o.null()
	o.array(0)
	o.array(formerOrderChangeFields)
	o.uint(uint64(kind))
	o.uint(uint64(rule))
	o.bool(false)
	o.blob(c[:])
	o.int(net)
	o.int(discount)
	o.int(refund)
	o.blob([]byte("o1"))
	for range 4 {
		o.null()
	}
	ev, err := dec.Event(enc.finish())
	must(t, err)
	return ev
}

// Events that were written before their context was kept are read, without it, and written again in the newest version:
// alone, in a record, and in a message.
func TestCodecReadsEventsOfVersion2(t *testing.T) {
	dec := NewDecoder()
	got, err := dec.Event(olderGolden(t, "event", 2))
	must(t, err)
	sameValue(t, "event", got, eventOfVersion2(sampleEvent()))
	r, err := dec.Record(olderGolden(t, "record", 2))
	must(t, err)
	got, err = dec.Event(r.Inputs[0].Body)
	must(t, err)
	sameValue(t, "event in a record", got, eventOfVersion2(sampleEvent()))
	for _, want := range sampleMessages() {
		name := "message-" + want.Kind.String()
		t.Run(name, func(t *testing.T) {
			got, err := dec.Message(olderGolden(t, name, 3))
			must(t, err)
			messageOfEventVersion2(want)
			sameValue(t, "message", got, want)
		})
	}
	for _, s := range samples() {
		version := 3
		if s.name == "event" {
			version = 2
		} else if !strings.HasPrefix(s.name, "message-") || isLater(s.name) {
			continue
		}
		if !accepts(t, &s, olderGolden(t, s.name, version)) {
			t.Errorf("%s of version %d is refused", s.name, version)
		}
	}
}

// isLater reports whether a sample is a message that the first five versions lack.
func isLater(name string) bool {
	switch name {
	case "message-mention", "message-counts", "message-patch", "message-group":
		return true
	}
	return false
}

// Values of before there were signals and groups are read, and written again in the newest version.
func TestCodecReadsValuesWithoutSignals(t *testing.T) {
	dec := NewDecoder()
	for name, want := range map[string]*graph.Event{"event": sampleEvent(), "event-alias": sampleAlias(), "event-mention": sampleMentioning()} {
		got, err := dec.Event(olderGolden(t, name, 4))
		must(t, err)
		sameValue(t, name, got, want)
	}
	messages := append(sampleMessages(), &graph.Message{Kind: graph.KindCounts, To: sampleUser, Event: sampleMention()},
		&graph.Message{Kind: graph.KindMention, To: sampleCookie, Event: sampleMention()})
	for _, want := range messages {
		got, err := dec.Message(olderGolden(t, "message-"+want.Kind.String(), 6))
		must(t, err)
		sameValue(t, "message", got, untold(want))
	}
	for name, want := range map[string]*graph.Node{"root": sampleRoot(), "forward": sampleForward(), "mention": {Key: sampleCookie, Mention: sampleMention()}} {
		got, applied, err := dec.Node(want.Key, olderGolden(t, name, 4))
		must(t, err)
		sameValue(t, name, got, want)
		sameValue(t, "applied", applied, uint64(299))
	}
	r, err := dec.Record(olderGolden(t, "record", 4))
	must(t, err)
	got, err := dec.Event(r.Inputs[0].Body)
	must(t, err)
	sameValue(t, "event in a record", got, sampleEvent())
	for _, s := range samples() {
		for _, version := range []int{4, 6} {
			if _, err := os.Stat(olderPath(s.name, version)); err == nil && s.name != "record" && !accepts(t, &s, olderGolden(t, s.name, version)) {
				t.Errorf("%s of version %d is refused", s.name, version)
			}
		}
	}
}

// untold is a message as it was before evidence said in which audiences its people were.
func untold(m *graph.Message) *graph.Message {
	if m.Evidence != nil {
		m.Evidence.Told = nil
	}
	return m
}

// Messages of before evidence said in which audiences its people were are read, and written again in the newest version.
func TestCodecReadsEvidenceWithoutAudiences(t *testing.T) {
	dec := NewDecoder()
	messages := append(sampleMessages(), samplePatch(), sampleGroupMessage())
	for _, want := range messages {
		got, err := dec.Message(olderGolden(t, "message-"+want.Kind.String(), 7))
		must(t, err)
		if want.Kind != graph.KindGroup { // it tells less than it has
			sameValue(t, "message", got, untold(want))
		}
	}
	for _, s := range samples() {
		if _, err := os.Stat(olderPath(s.name, 7)); err == nil && !accepts(t, &s, olderGolden(t, s.name, 7)) {
			t.Errorf("%s of version 7 is refused", s.name)
		}
	}
}

// Audiences that were defined before they had numbers get the same ones from every program.
func TestCodecReadsAudiencesWithoutNumbers(t *testing.T) {
	got, err := parse[Definitions]("definitions", olderGolden(t, "definitions", 1))
	must(t, err)
	want := sampleDefinitions()
	want.Newest[0].Number, want.Newest[1].Number, want.Serving[0].Number = 0, 1, 0
	want.Served, want.Told, want.NextAudience, want.Gone = want.Filled, 0, 2, nil
	want.Traits, want.ServingTraits = nil, nil
	sameValue(t, "definitions", &got, want)
}

// Definitions without computed traits are as programs write and read them that know none.
func TestCodecWritesDefinitionsWithoutTraits(t *testing.T) {
	want := sampleDefinitions()
	want.Traits, want.ServingTraits = nil, nil
	written := appendValue(nil, want)
	if !bytes.Equal(written, olderGolden(t, "definitions", 2)) {
		t.Errorf("%x", written)
	}
	got, err := parse[Definitions]("definitions", written)
	must(t, err)
	sameValue(t, "definitions", &got, want)
}
