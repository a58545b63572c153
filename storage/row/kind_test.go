package row

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

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
		if len(key) > MaxKeyLen {
			t.Errorf("%s: a key of %d bytes, want at most %d", k.name, len(key), MaxKeyLen)
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
		for _, bad := range [][]byte{nil, {0}, {0x0c}, key[:len(key)-1], append(slices.Clone(key), bytes.Repeat([]byte{1}, MaxKeyLen)...)} {
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

// What was written is not refused: every kind of row that a deployment has.
func TestCheck(t *testing.T) {
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
	b.Set(AppendMetaKey(nil, 1), enc.ShardMeta(nil, sampleMeta()))
	b.Set(AppendLogKey(nil, 1, record.Seq), AppendPacked(nil, writeRecord(&RecordWriter{}, nil, &record)))
	b.Set(AppendNodeKey(nil, 1, root.Key), enc.Node(nil, root, 1))
	b.Set(AppendNodeKey(nil, 1, forward.Key), enc.Node(nil, forward, 1))
	b.Set(AppendTimelineKey(nil, 1, root.Key, 5), AppendPacked(nil, enc.Block(nil, [][]byte{{1}})))
	b.Set([]byte{6, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 7})
	b.Set(AppendQuarantineKey(nil, 1, 3), enc.Quarantined(nil, sampleQuarantined()))
	b.Set(AppendChannelKey(nil, 1), enc.Channel(nil, &channel))
	b.Set(AppendPositionKey(nil, 1), enc.ChannelPositions(nil, &positions))
	b.Set(AppendFeedKey(nil, 1, 48), enc.FeedBlock(nil, sampleFeedBlock()))
	b.Set(AppendFeedSettingsKey(nil), enc.FeedSettings(nil, sampleFeedSettings()))
	b.Set(AppendFeedStateKey(nil, 1), enc.FeedState(nil, &FeedState{}))
	b.Set(AppendFeedTrimKey(nil, 1), enc.FeedTrim(nil, &FeedTrim{}))
	b.Set(AppendFeedMarkKey(nil, 1, root.Key), enc.FeedMark(nil, 7))
	b.Set(AppendFeedSinkKey(nil, "kafka"), enc.FeedSink(nil, &sink))
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
	// A record that stands where another one belongs.
	if err := Check(dec, AppendLogKey(nil, 1, record.Seq+1), AppendPacked(nil, writeRecord(&RecordWriter{}, nil, &record))); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("a record of another number: %v", err)
	}
}
