package segment

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// An empty list where an object belongs is an empty object: PHP and Lua write it so. Nothing is dropped.
func TestEmptyLists(t *testing.T) {
	for _, text := range []string{
		`"traits":[]`, `"traits":[ ]`, `"properties":[]`, `"context":[]`, `"context":{"traits":[]}`, `"context":{"device":[],"os":[],"library":[],"integrations":[]}`,
	} {
		ev, stats, r := decode(t, Options{}, `{"type":"identify","userId":"u1",`+text+`}`)
		if r != nil || describe(ev) != "user_id:u1" || !equalStats(stats, Stats{}) {
			t.Errorf("%s: %v %v", text, r, stats)
		}
	}
}

// All drops are counted; the first of a batch keep their message.
func TestDropsAreCountedAndTold(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{})
	var ev graph.Event
	told := 0
	for i := range 150 {
		if err := d.Event([]byte(`{"type":"page","userId":"u1","properties":7,"context":"x"}`), now, web, &ev); err != nil {
			t.Fatal(err)
		}
		for _, drop := range d.Dropped() {
			told++
			if drop.Message == "" || drop.Hint == "" || drop.Field != "properties" && drop.Field != "context" {
				t.Fatalf("event %d: %+v", i, drop)
			}
		}
	}
	want := DropCounts{{"properties", CodeBadType}: 150, {"context", CodeBadType}: 150}
	if told != dropsMax || !equalStats(d.Stats(), Stats{Fields: want}) {
		t.Errorf("%d told, %+v", told, d.Stats())
	}
	if d.Reset(); !equalStats(d.Stats(), Stats{}) || len(d.Dropped()) > 0 {
		t.Errorf("after Reset: %+v", d.Stats())
	}
	// A rejected event has nothing that was left out.
	if err := d.Event([]byte(`{"type":"rage","userId":"u1","properties":7,"context":"x"}`), now, web, &ev); err == nil || len(d.Dropped()) > 0 || d.Stats().Fields != nil {
		t.Errorf("%v %v %v", err, d.Dropped(), d.Stats())
	}
	// One that names nobody has: they may be why.
	if err := d.Event([]byte(`{"type":"page","properties":7}`), now, web, &ev); err == nil || len(d.Dropped()) != 1 {
		t.Errorf("%v %v", err, d.Dropped())
	}
}

func TestStatsAsJSON(t *testing.T) {
	stats := Stats{Blocked: 2, Fields: DropCounts{{"properties.tax", CodeBadMoney}: 3, {"properties.tax", CodeBadType}: 1, {"context", CodeBadType}: 1}}
	text, err := json.Marshal(stats)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"empty":0,"blocked":2,"invalid":0,"too_long":0,"unknown_namespaces":0,"excess_traits":0,"clamped":0,"corrected":0,"no_zone":0,"epoch_units":0,"mended":0,"context":1,"properties.tax":4}`; string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	var back Stats
	text = fmt.Appendf(text[:len(text)-1], `,%q:5}`, LargeEvents)
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if want := (Stats{Blocked: 2, Fields: DropCounts{{Field: "context"}: 1, {Field: "properties.tax"}: 4}}); !equalStats(back, want) {
		t.Errorf("got %+v, want %+v", back, want)
	}
}
