package segment

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// decodeAs decodes an event that comes from a source.
func decodeAs(t testing.TB, o Options, source, raw string) *graph.Event {
	t.Helper()
	ev := new(graph.Event)
	if err := NewDecoder(testRegistry(t), o).Event([]byte(raw), now, []byte(source), ev); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return ev
}

const sameAs = `{"type":"track","messageId":"m1","userId":"u1","timestamp":"2026-01-01T00:00:00Z","event":"Order Completed",` +
	`"properties":{"order_id":"o1","revenue":10.5,"name":"Café / bar","products":[{"sku":"a","n":1},{"sku":"b"}]},` +
	`"context":{"ip":"198.18.0.1"},"sentAt":"2026-01-01T00:00:01Z"}`

// Some changes make another event of one message id, others don't (E5).
func TestFingerprint(t *testing.T) {
	for _, c := range []struct {
		what, old, new string
		same           bool
	}{
		{"nothing", "", "", true},
		{"a retry's own time", `"sentAt":"2026-01-01T00:00:01Z"`, `"sentAt":"2026-01-01T00:05:00Z","_metadata":{"retryCount":2}`, true},
		{"when it was received", `"sentAt"`, `"receivedAt":"2026-01-01T00:00:02Z","sentAt"`, true},
		{"the write key", `"sentAt"`, `"writeKey":"k","integrations":{"All":true},"sentAt"`, true},
		{"the context", `198.18.0.1`, `198.18.0.2`, true},
		{"white space", `"order_id":"o1",`, `"order_id" : "o1" ,` + "\t", true},
		{"the order of keys", `"order_id":"o1","revenue":10.5`, `"revenue":10.5,"order_id":"o1"`, true},
		{"the order of keys within", `{"sku":"a","n":1}`, `{"n":1,"sku":"a"}`, true},
		{"escapes", `"Café / bar"`, `"Caf\u00e9 \/ bar"`, true},
		{"a key with escapes", `"revenue"`, `"rev\u0065nue"`, true},
		{"a space around the user id", `"u1"`, `" u1"`, true},
		{"a property", `10.5`, `10.6`, false},
		{"a number's spelling", `10.5`, `10.50`, false},
		{"a number as text", `10.5`, `"10.5"`, false},
		{"a property more", `"order_id"`, `"x":null,"order_id"`, false},
		{"the order of a list", `{"sku":"a","n":1},{"sku":"b"}`, `{"sku":"b"},{"sku":"a","n":1}`, false},
		{"a member moved", `{"sku":"a","n":1},{"sku":"b"}`, `{"sku":"a"},{"sku":"b","n":1}`, false},
		{"values swapped", `{"sku":"a","n":1}`, `{"sku":1,"n":"a"}`, false},
		{"the user", `"u1"`, `"u2"`, false},
		{"an identifier more", `"userId"`, `"anonymousId":"a1","userId"`, false},
		{"an identifier in the context", `"ip"`, `"device":{"id":"d-1"},"ip"`, false},
		{"the time", `00:00:00Z`, `00:00:00.001Z`, false},
		{"the event's name", `"event":"Order Completed"`, `"event":"Order Updated"`, false},
		{"the group", `"sentAt"`, `"groupId":"g1","sentAt"`, false},
		{"the message id", `"m1"`, `"m2"`, false},
	} {
		other := strings.Replace(sameAs, c.old, c.new, 1)
		if c.old != c.new && other == sameAs {
			t.Fatalf("%s: %s is not in the event", c.what, c.old)
		}
		a, b := decodeAs(t, Options{}, "web", sameAs), decodeAs(t, Options{}, "app", other)
		if (a.Seen == b.Seen) != c.same || (a.Stamp.Tie == b.Stamp.Tie) != c.same {
			t.Errorf("%s: same event %t and %t, want %t", c.what, a.Seen == b.Seen, a.Stamp.Tie == b.Stamp.Tie, c.same)
		}
	}
}

// An alias says of its previous id that it is the user id's: turned around it is another event, of another route.
func TestFingerprintOfAlias(t *testing.T) {
	event := func(user, previous string) *graph.Event {
		return decodeAs(t, Options{}, "", `{"type":"alias","messageId":"m1","userId":"`+user+`","previousId":"`+previous+`"}`)
	}
	seen, again, turned := event("u1", "u2").Seen, event("u1", "u2").Seen, event("u2", "u1").Seen
	if seen == turned || seen != again {
		t.Error("an alias and its reverse are one event")
	}
}

func TestFingerprintOfTraits(t *testing.T) {
	event := func(own, shared string) string {
		return `{"type":"identify","messageId":"m1","userId":"u1","traits":` + own + `,"context":{"traits":` + shared + `}}`
	}
	same := decodeAs(t, Options{}, "", event(`{"plan":"a","address":{"city":"Ulm","zip":1}}`, `{"age":3}`))
	for text, want := range map[string]bool{
		event(`{ "address":{"zip":1,"city":"Ulm"},"plan":"a" }`, `{"age":3,"plan":"stale"}`): true,
		event(`{"plan":"a","address":{"city":"Ulm","zip":2}}`, `{"age":3}`):                  false,
		event(`{"plan":"a","address":{"city":"Ulm","zip":1}}`, `{"age":4}`):                  false,
		event(`{"plan":null,"address":{"city":"Ulm","zip":1}}`, `{"age":3}`):                 false,
		event(`{"plan":"a"}`, `{"age":3}`):                                                   false,
	} {
		if got := decodeAs(t, Options{}, "", text).Seen == same.Seen; got != want {
			t.Errorf("%s: same event %t, want %t", text, got, want)
		}
	}
}

// Message ids are one numbering for all ways in, but for the sources that are said to number apart.
func TestSourcesApart(t *testing.T) {
	o := Options{SourcesApart: []string{"till"}}
	web, file, till := decodeAs(t, o, "web", sameAs), decodeAs(t, o, "", sameAs), decodeAs(t, o, "till", sameAs)
	if web.Seen != file.Seen || web.Apart || file.Apart {
		t.Error("two ways in, and two events")
	}
	if till.Seen == web.Seen || !till.Apart {
		t.Error("a source that numbers apart shares its ids with others")
	}
	if web.Former != 0 {
		t.Error("a new directory has no former memory of duplicates")
	}
	o.FormerUntil = now + 1
	if ev := decodeAs(t, o, "web", sameAs); ev.Former != testRegistry(t).FormerSeenHash([]byte("web"), []byte("m1")) || ev.Seen != web.Seen {
		t.Error("what was remembered by source and id is not asked for by it")
	}
	if o.FormerUntil = now; decodeAs(t, o, "web", sameAs).Former != 0 {
		t.Error("asked for longer than there can be any")
	}
}

// An id that names no message is no id: the event is known by its text.
func TestJunkMessageIDs(t *testing.T) {
	event := func(id, user string) string {
		return `{"type":"track","messageId":` + id + `,"userId":"` + user + `","timestamp":"2026-01-01T00:00:00Z"}`
	}
	for _, id := range []string{
		`"undefined"`, `"null"`, `"00000000-0000-0000-0000-000000000000"`, `0`, `0.0`, `"N/A"`, `"{{id}}"`, `"[object Object]"`, `"-"`,
	} {
		ev, stats, r := decode(t, Options{}, event(id, "u1"))
		again, _, _ := decode(t, Options{}, event(id, "u1"))
		other, _, _ := decode(t, Options{}, event(id, "u2"))
		if r != nil || !strings.HasPrefix(string(ev.ID), "h:") || stats.Fields[DropKey{"messageId", CodeJunkID}] != 1 || again.Seen != ev.Seen || string(other.ID) == string(ev.ID) {
			t.Errorf("%s: id %q, %+v, %v", id, ev.ID, stats, r)
		}
	}
	for id, dropped := range map[string]bool{`" "`: false, `""`: false, `null`: false, `true`: true, `["m1"]`: true, `{}`: true} {
		ev, stats, r := decode(t, Options{}, event(id, "u1"))
		if r != nil || !strings.HasPrefix(string(ev.ID), "h:") || (stats.Fields[DropKey{"messageId", CodeBadType}] == 1) != dropped {
			t.Errorf("%s: id %q, %+v, %v", id, ev.ID, stats, r)
		}
	}
	for _, id := range []string{`"1"`, `7`, `"order-0"`, `"m-undefined"`} {
		if ev, stats, r := decode(t, Options{}, event(id, "u1")); r != nil || string(ev.ID) != strings.Trim(id, `"`) || len(stats.Fields) != 0 {
			t.Errorf("%s: id %q, %+v, %v", id, ev.ID, stats, r)
		}
	}
	// A record's place stands in for it.
	d := NewDecoder(testRegistry(t), Options{Live: true})
	var ev graph.Event
	if err := d.Record([]byte(event(`"undefined"`, "u1")), now, nil, []byte("topic/0/5"), &ev); err != nil || string(ev.ID) != "topic/0/5" {
		t.Errorf("id %q, %v", ev.ID, err)
	}
}

// An event without an id is the same event in a file and over HTTP, and read again, if it says when it happened.
func TestEventsWithoutIDAgree(t *testing.T) {
	timed := `{"type":"page","userId":"u1","timestamp":"2026-01-01T00:00:00Z"}`
	if decodeAs(t, Options{}, "", timed).Seen != decodeAs(t, Options{Live: true}, "http", timed).Seen {
		t.Error("a file and HTTP do not agree")
	}
}

// spell writes a value in one of the many ways that JSON has for it.
func spell(t *rapid.T, v any) string {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"})
	text := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if r < 0x10000 && rapid.IntRange(0, 5).Draw(t, "escape") == 0 {
				fmt.Fprintf(&b, `\u%04x`, r)
				continue
			}
			quoted, _ := json.Marshal(string(r))
			b.Write(quoted[1 : len(quoted)-1])
		}
		return `"` + b.String() + `"`
	}
	gap := func() string { return space.Draw(t, "space") }
	switch v := v.(type) {
	case map[string]any:
		keys := rapid.Permutation(slices.Sorted(maps.Keys(v))).Draw(t, "keys")
		var members []string
		for _, k := range keys {
			members = append(members, gap()+text(k)+gap()+":"+gap()+spell(t, v[k])+gap())
		}
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		var elements []string
		for _, e := range v {
			elements = append(elements, gap()+spell(t, e)+gap())
		}
		return "[" + strings.Join(elements, ",") + "]"
	case string:
		return text(v)
	default:
		raw, _ := json.Marshal(v)
		return string(raw)
	}
}

func genJSON(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 6
		if depth == 0 {
			kinds = 4
		}
		words := rapid.SampledFrom([]string{"", "a", "b", "ä", "10", "a longer text, with \"quotes\" / and 👍", "null"})
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return words.Draw(t, "text")
		case 1:
			return rapid.IntRange(-3, 30).Draw(t, "number")
		case 2:
			return rapid.Bool().Draw(t, "boolean")
		case 3:
			return nil
		case 4:
			return rapid.SliceOfN(genJSON(depth-1), 0, 3).Draw(t, "list")
		default:
			return rapid.MapOfN(words, genJSON(depth-1), 0, 4).Draw(t, "object")
		}
	})
}

// Two events have one fingerprint if and only if encoding/json reads the same from them, however they are spelt.
func TestFingerprintIsThatOfTheContent(t *testing.T) {
	type content struct {
		Event      string
		Properties map[string]any
		Time       string
	}
	gen := rapid.Custom(func(t *rapid.T) content {
		return content{
			Event:      rapid.SampledFrom([]string{"Order Completed", "Ä", ""}).Draw(t, "event"),
			Properties: rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "ä", "name", ""}), genJSON(3), 0, 5).Draw(t, "properties"),
			Time:       rapid.SampledFrom([]string{"2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"}).Draw(t, "time"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a := gen.Draw(t, "one")
		b := a
		if rapid.Bool().Draw(t, "other content") {
			b = gen.Draw(t, "other")
		}
		read := func(c content) *graph.Event {
			raw := spell(t, map[string]any{"type": "track", "userId": "u1", "messageId": "m", "event": c.Event, "properties": c.Properties, "timestamp": c.Time})
			ev := new(graph.Event)
			if err := NewDecoder(testRegistryOf(), Options{}).Event([]byte(raw), now, nil, ev); err != nil {
				t.Skip("not an event")
			}
			return ev
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if same := read(a).Seen == read(b).Seen; same != (string(x) == string(y)) {
			t.Fatalf("same event: %t\n%s\n%s", same, x, y)
		}
	})
}
