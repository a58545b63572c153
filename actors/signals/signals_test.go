package signals

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/signal"
	"github.com/kindred-id/kindred/storage/row"
)

// Values at a path: an array stands for its elements, and an object is no value.
func TestProperties(t *testing.T) {
	for _, c := range []struct{ text, path, want string }{
		{`{"a":1}`, "a", "3 1"},
		{`{"a":"x\u00e9"}`, "a", "2 xé"},
		{`{"a":{"b":[{"c":"1"},{"c":2},{"d":3}]}}`, "a.b.c", "2 1, 3 2"},
		{`{"a":[true,null,[false]]}`, "a", "4 true, 1 , 4 false"},
		{`{"a":{"b":1}}`, "a", ""},
		{`{"a":1}`, "a.b", ""},
		{`{"b":1}`, "a", ""},
		{`[{"a":1}]`, "a", "3 1"},
		{`{"a":1`, "a", ""},
		{``, "a", ""},
	} {
		var p properties
		p.begin([]byte(c.text))
		var got []string
		for _, s := range p.Append(nil, c.path) {
			got = append(got, fmt.Sprintf("%d %s", s.Kind+1, s.Key()))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s at %s: %q, want %q", c.text, c.path, got, c.want)
		}
	}
}

func definitions(t testing.TB, version uint64, since ...uint64) *Definitions {
	t.Helper()
	var list []signal.Definition
	var numbers []row.NumberedSignal
	for i, since := range since {
		d := signal.Definition{Event: signal.EventFilter{Name: "Viewed"}, Kind: signal.Distinct, N: i + 1, Of: "sku"}
		list = append(list, d)
		numbers = append(numbers, row.NumberedSignal{ID: d.Canonical(), Number: uint32(i), Since: since})
	}
	index, err := signal.NewIndex(list)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(version, index, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// An event is marked with the signals that came between two versions, and with none otherwise.
func TestMark(t *testing.T) {
	d := definitions(t, 3, 1, 2, 3)
	e := &graph.Event{Type: graph.TypeTrack, Name: []byte("Viewed"), Properties: []byte(`{"sku":"T-1"}`)}
	var m Marker
	var marks Marks
	for _, c := range []struct {
		from, to uint64
		want     string
	}{{0, 3, "0 1 2"}, {1, 3, "1 2"}, {1, 2, "1"}, {3, 3, ""}} {
		var got []string
		for _, mark := range m.Mark(d, e, c.from, c.to, &marks) {
			if string(mark.Value) != "T-1" || mark.Kind != signal.Distinct {
				t.Errorf("%+v", mark)
			}
			got = append(got, fmt.Sprint(mark.Number))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("from %d to %d: %v, want %s", c.from, c.to, got, c.want)
		}
		if since := d.Since(c.from, c.to); since != (c.want != "") {
			t.Errorf("since %d to %d: %t", c.from, c.to, since)
		}
	}
	if got := m.Mark(nil, e, 0, 9, &marks); got != nil {
		t.Error(got)
	}
	if _, err := New(1, mustIndex(t), nil); err == nil || !strings.Contains(err.Error(), "1 signals, and 0 of them") {
		t.Error(err)
	}
}

func mustIndex(t *testing.T) *signal.Index {
	index, err := signal.NewIndex([]signal.Definition{{Event: signal.EventFilter{Name: "Viewed"}, Kind: signal.Newest, N: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// Marks stay as they are when more events are marked.
func TestMarksStay(t *testing.T) {
	d := definitions(t, 1, 1)
	var m Marker
	var marks Marks
	var all [][]graph.SignalMark
	for i := range 1000 {
		e := &graph.Event{Type: graph.TypeTrack, Name: []byte("Viewed"), Properties: fmt.Appendf(nil, `{"sku":"T-%d"}`, i)}
		all = append(all, m.Mark(d, e, 0, 1, &marks))
	}
	for i := range all {
		if want := fmt.Sprintf("T-%d", i); string(all[i][0].Value) != want {
			t.Fatalf("%s, want %s", all[i][0].Value, want)
		}
	}
}

func BenchmarkMark(b *testing.B) {
	d := definitions(b, 1, 1)
	other := &graph.Event{Type: graph.TypeTrack, Name: []byte("Clicked"), Properties: []byte(`{"sku":"T-1","price":12.5}`)}
	viewed := &graph.Event{Type: graph.TypeTrack, Name: []byte("Viewed"), Properties: []byte(`{"name":"tent","category":"outdoor","sku":"T-1","price":12.5}`)}
	for name, e := range map[string]*graph.Event{"none": other, "one": viewed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var m Marker
			var marks Marks
			for b.Loop() {
				marks.Reset()
				m.Mark(d, e, 0, 1, &marks)
			}
		})
	}
}
