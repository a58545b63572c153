package row

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

//go:generate go test -run TestDrawing -rewrite-drawing

var rewriteDrawing = flag.Bool("rewrite-drawing", false, "write the drawing of keys in doc.go")

// The drawing in the documentation is that of the table.
func TestDrawing(t *testing.T) {
	const file, begin, end = "doc.go", "// generate draws this from the table in kind.go.\n//\n", "//\n// # Invariants\n"
	text, err := os.ReadFile(file)
	must(t, err)
	head, rest, found := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the drawing between %q and %q", file, begin, end)
	}
	var b strings.Builder
	b.WriteString(head + begin)
	for line := range strings.Lines(draw()) {
		b.WriteString("//\t" + line)
	}
	b.WriteString(end + tail)
	switch {
	case b.String() == string(text):
	case *rewriteDrawing:
		must(t, os.WriteFile(file, []byte(b.String()), 0o600))
	default:
		t.Errorf("%s does not show the kinds as they are: make generate writes\n%s", file, draw())
	}
}

// Each key is of one kind, kinds stand in the order of their keys, and keys of all of them fit.
func TestKinds(t *testing.T) {
	var before []byte
	for _, k := range kinds {
		key := k.sample()
		if bytes.Compare(before, key) >= 0 {
			t.Errorf("%s is not in the order of keys: % x after % x", k.name, key, before)
		}
		before = key
		if len(key) > maxKeyLen {
			t.Errorf("%s: a key of %d bytes, want at most %d", k.name, len(key), maxKeyLen)
		}
		for _, other := range kinds {
			if other.has(key) != (other == k) {
				t.Errorf("% x of kind %s is of kind %s: %t", key, k.name, other.name, other.has(key))
			}
		}
		if space, err := ParseKey(key); err != nil || space != k.space || KeySpace(key) != k.space || space.String() != k.groupName() {
			t.Errorf("%s: %v, %v", k.name, space, err)
		}
		for _, value := range [][]byte{nil, {0}, {0xff, 0xff}} {
			if Check(NewDecoder(), key, value) == nil {
				t.Errorf("a row of kind %s has the value % x", k.name, value)
			}
		}
		for _, bad := range [][]byte{nil, {0}, {0x0f}, key[:len(key)-1], append(slices.Clone(key), bytes.Repeat([]byte{1}, maxKeyLen)...)} {
			if slices.ContainsFunc(kinds[:], func(other *kind) bool { return other.has(bad) }) {
				continue // the rules row's key begins with the deployment row's
			}
			if err := Check(NewDecoder(), bad, nil); !errors.Is(err, ErrKeyShape) {
				t.Errorf("% x: %v", bad, err)
			}
		}
	}
}

// sample is a key of the kind.
func (k *kind) sample() []byte {
	key := []byte{byte(k.space), k.row}[:k.head()]
	for _, f := range k.key {
		key = append(key, bytes.Repeat([]byte{1}, max(1, f.bytes))...)
	}
	return key
}

// Every kind of row that a deployment has is written, passes the check, is read again, and is deleted.
func TestRows(t *testing.T) {
	enc, dec := NewEncoder(), NewDecoder()
	s := storage.NewMemStore()
	if _, err := Initialise(s, Deployment{Shards: 4}); err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	rules, params := RulesDocument{Version: 1, Text: []byte("rules")}, sampleParameters()
	must(t, errors.Join(rules.Put(&b), PutParameters(&b, &params)))
	root, forward, record := sampleRoot(), sampleForward(), sampleRecord()
	channel, positions, sink := Channel{Name: "orders", Floor: 7}, ChannelPositions{Applied: 7}, FeedSink{Name: "kafka"}
	enc.PutMeta(&b, 1, sampleMeta())
	enc.PutRecord(&b, 1, record.Seq, writeRecord(&RecordWriter{}, nil, &record))
	enc.PutNode(&b, 1, root, 1)
	enc.PutNode(&b, 1, forward, 1)
	enc.PutBlock(&b, 1, root.Key, 5, [][]byte{{1}})
	b.Set([]byte{6, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 7})
	enc.PutQuarantined(&b, 1, 3, sampleQuarantined())
	channel.Put(&b, 1)
	enc.PutPositions(&b, 1, &positions)
	enc.PutFeedBlock(&b, 1, sampleFeedBlock())
	sampleFeedSettings().Put(&b)
	enc.PutFeedState(&b, 1, &FeedState{Number: 48})
	(&FeedTrim{Number: 7}).Put(&b, 1)
	enc.PutFeedMark(&b, 1, root.Key, 7)
	sink.Put(&b)
	(&FeedFloors{Turns: 7}).Put(&b)
	sampleAccessKey().Put(&b)
	sampleKeptAnswer().Put(&b)
	sampleClusterNode().Put(&b)
	enc.PutJournalPosition(&b, 1, sampleJournalPosition())
	sampleDeadLetter().Put(&b)
	sampleDefinitions().Put(&b)
	enc.PutMarking(&b, 1, sampleMarking())
	enc.PutTold(&b, 1, sampleUser, sampleTold())
	enc.PutTold(&b, 1, sampleCookie, &graph.Told{})
	enc.PutAudienceMember(&b, 1, 7, sampleCookie, 42)
	enc.PutAudienceCount(&b, 1, 7, 1)
	enc.PutWake(&b, 1, 43, sampleUser)
	enc.PutTelling(&b, 1, sampleTelling())
	group, member := sampleGroup(), sampleMember()
	group.Key, member.Member = sampleAcme, sampleUser
	enc.PutGroup(&b, 1, group)
	enc.PutMember(&b, 1, sampleAcme, member)
	must(t, s.Commit(&b))
	seen := map[*kind]bool{}
	must(t, s.Iterate([]byte{0}, []byte{0xff}, func(key, value []byte) error {
		k, err := kindOf(key)
		must(t, err)
		seen[k] = true
		if err := Check(dec, key, value); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		return nil
	}))
	if len(seen) != len(kinds) {
		t.Errorf("%d kinds of %d were written", len(seen), len(kinds))
	}
	// Get returns the rows that were put, and not those that were deleted.
	meta, err := ReadMeta(s, 1)
	sameValue(t, "meta", &meta, sampleMeta())
	must(t, err)
	got, applied, err := dec.GetNode(s, 1, root.Key)
	must(t, err)
	sameValue(t, "node", got, root)
	sameValue(t, "applied", applied, uint64(1))
	places, err := ReadPositions(s, 1)
	must(t, err)
	sameValue(t, "positions", places, positions)
	feedEnd, err := ReadFeedState(s, 1)
	must(t, err)
	sameValue(t, "end of the feed", feedEnd, FeedState{Number: 48})
	begin, err := ReadFeedTrim(s, 1)
	must(t, err)
	sameValue(t, "beginning of the feed", begin, FeedTrim{Number: 7})
	settings, err := ReadFeedSettings(s)
	must(t, err)
	sameValue(t, "settings", &settings, sampleFeedSettings())
	accessKey, err := ReadAccessKey(s, sampleAccessKey().ID)
	must(t, err)
	sameValue(t, "access key", &accessKey, sampleAccessKey())
	ofNode, err := ReadClusterNode(s, sampleClusterNode().Name)
	must(t, err)
	sameValue(t, "cluster node", &ofNode, sampleClusterNode())
	ofNode, is, err := ParseClusterNode(appendClusterNodeKey(nil, "n1"), appendValue(nil, sampleClusterNode()))
	must(t, err)
	sameValue(t, "cluster node among others", &ofNode, sampleClusterNode())
	if _, other, err := ParseClusterNode(appendRulesKey(nil), nil); !is || other || err != nil {
		t.Errorf("a row of a node: %v; another one: %v, %v", is, other, err)
	}
	kept, err := ReadKeptAnswer(s, sampleKeptAnswer().Key)
	must(t, err)
	sameValue(t, "kept answer", &kept, sampleKeptAnswer())
	place, err := ReadJournalPosition(s, 1)
	must(t, err)
	sameValue(t, "journal position", &place, sampleJournalPosition())
	letter, err := ReadDeadLetter(s, sampleDeadLetter().Number)
	must(t, err)
	sameValue(t, "dead letter", &letter, sampleDeadLetter())
	defined, err := ReadDefinitions(s)
	must(t, err)
	sameValue(t, "definitions", &defined, sampleDefinitions())
	marking, err := ReadMarking(s, 1)
	must(t, err)
	sameValue(t, "marking", &marking, sampleMarking())
	told, err := ReadTold(s, 1, sampleUser)
	must(t, err)
	sameValue(t, "told", told, sampleTold())
	nothing, err := ReadTold(s, 1, sampleCookie)
	must(t, err)
	sameValue(t, "told of nobody", nothing, &graph.Told{})
	telling, err := ReadTelling(s, 1)
	must(t, err)
	sameValue(t, "telling", &telling, sampleTelling())
	for after, want := range map[graph.NodeKey]int{{}: 1, sampleCookie: 0} {
		n := 0
		must(t, ScanAudienceMembers(s, 1, 7, after, func(id graph.NodeKey, since int64) error {
			n++
			sameValue(t, "member", id, sampleCookie)
			sameValue(t, "since", since, int64(42))
			return nil
		}))
		sameValue(t, "members", n, want)
	}
	must(t, ScanAudienceCounts(s, 1, func(audience uint32, n uint64) error {
		sameValue(t, "count", n, uint64(1))
		sameValue(t, "audience", audience, uint32(7))
		return nil
	}))
	for upTo, want := range map[int64]int{42: 0, 43: 1} {
		n := 0
		must(t, ScanWakes(s, 1, upTo, func(due int64, root graph.NodeKey) error {
			n++
			sameValue(t, "due", due, int64(43))
			sameValue(t, "root", root, sampleUser)
			return nil
		}))
		sameValue(t, "wakes", n, want)
	}
	must(t, ScanTold(s, 1, func(root graph.NodeKey, told *graph.Told) error {
		sameValue(t, "root", root, sampleUser)
		sameValue(t, "told", told, sampleTold())
		return nil
	}))
	gotGroup, err := ReadGroup(s, 1, sampleAcme)
	must(t, err)
	sameValue(t, "group", &gotGroup, group)
	gotMember, err := ReadMember(s, 1, sampleAcme, sampleUser)
	must(t, err)
	sameValue(t, "member", &gotMember, member)
	floors, err := ReadFeedFloors(s)
	must(t, err)
	sameValue(t, "floors of the feed", floors.Turns, uint64(7))
	mark, err := dec.GetFeedMark(s, 1, root.Key)
	must(t, err)
	sameValue(t, "mark", mark, uint64(7))
	scanned := func() (found []string) {
		must(t, ScanAllNodes(s, func(n graph.NodeKey, _ []byte) error { found = append(found, n.String()); return nil }))
		must(t, ScanNodes(s, 2, func(graph.NodeKey, []byte) error { return errors.New("a node of another shard") }))
		must(t, ScanRecords(s, 1, record.Seq, func(seq uint64, _ []byte) error { found = append(found, fmt.Sprint("record ", seq)); return nil }))
		must(t, ScanRecords(s, 1, record.Seq+1, func(uint64, []byte) error { return errors.New("a record of before") }))
		must(t, dec.ScanTimeline(s, 1, root.Key, math.MaxUint64, func(event []byte) error { found = append(found, fmt.Sprintf("event %d", event)); return nil }))
		must(t, ScanChannels(s, func(id ChannelID, c Channel) error { found = append(found, fmt.Sprint(id, c)); return nil }))
		must(t, ScanFeedSinks(s, func(sink FeedSink) error { found = append(found, sink.Name); return nil }))
		must(t, ScanAccessKeys(s, func(k AccessKey) error { found = append(found, k.Name); return nil }))
		must(t, ScanKeptAnswers(s, func(k KeptAnswer) error { found = append(found, k.Effect); return nil }))
		must(t, ScanClusterNodes(s, func(n ClusterNode) error { found = append(found, "node "+n.Name); return nil }))
		must(t, ScanDeadLetters(s, 0, func(l *DeadLetter, bytes int) error {
			found = append(found, fmt.Sprint("letter ", l.Number))
			return nil
		}))
		must(t, ScanDeadLetters(s, 9, func(l *DeadLetter, bytes int) error { return errors.New("a letter of before") }))
		must(t, ScanGroups(s, NodePlace{}, false, func(key, value []byte) error {
			_, g, err := ParseGroup(key, value)
			found = append(found, g.ID)
			return err
		}))
		must(t, ScanMembers(s, 1, sampleAcme, graph.NodeKey{}, func(m graph.Membership) error { found = append(found, m.Member.String()); return nil }))
		must(t, ScanMembers(s, 1, sampleAcme, sampleUser, func(graph.Membership) error { return errors.New("a member of before") }))
		must(t, ScanFeed(s, 1, 48, func(key, value []byte) error {
			block, number, err := dec.FeedRow(key, value)
			sameValue(t, "block", &block, sampleFeedBlock())
			found = append(found, fmt.Sprint("block ", number))
			return err
		}))
		return found
	}
	sameValue(t, "rows", scanned(), []string{
		forward.Key.String(), root.Key.String(), fmt.Sprint("record ", record.Seq), "event [1]", "1 {orders 7}", "kafka", "shop", "0190c8d0", "node n1", "letter 9", "acme", sampleUser.String(), "block 48",
	})
	b.Reset()
	DeleteRecords(&b, 1, record.Seq, record.Seq+1)
	DeleteFeedSink(&b, "kafka")
	DeleteFeedMarks(&b, 1)
	DeleteFeed(&b, 1, 48, 49)
	must(t, s.Commit(&b))
	sameValue(t, "rows that are left", scanned(), []string{forward.Key.String(), root.Key.String(), "event [1]", "1 {orders 7}", "shop", "0190c8d0", "node n1", "letter 9", "acme", sampleUser.String()})
	if _, err := dec.GetFeedMark(s, 1, root.Key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a mark that was deleted: %v", err)
	}

	// A record that stands where another one belongs.
	if err := Check(dec, AppendLogKey(nil, 1, record.Seq+1), AppendPacked(nil, writeRecord(&RecordWriter{}, nil, &record))); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("a record of another number: %v", err)
	}
}
