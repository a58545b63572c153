package segment

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsontext"
	"pgregory.net/rapid"
)

// An event keeps the selected keys of its own context and of the batch's.
func TestContextIsKept(t *testing.T) {
	for _, c := range []struct{ name, event, batch, want string }{
		{
			"the allow-list, in its order", `"context":{"page":{"url":"https://x.org/?a=1"},"campaign":{"name":"spring"},"active":true,"cart":7}`, "",
			`{"campaign":{"name":"spring"},"page":{"url":"https://x.org/?a=1"}}`,
		},
		{
			"everything on it", `"context":{"screen":{"width":1},"os":{"name":"iOS"},"app":{"name":"x"},"library":{"name":"l","version":"1"},"userAgent":"u","locale":"nl-BE",` +
				`"timezone":"Europe/Brussels","referrer":{"id":"r"},"page":{"path":"/"},"campaign":{"source":"s"},"groupId":"g","consentManagement":{"deniedConsentIds":["a"]},` +
				`"consent":{"categoryPreferences":{"Advertising":false}}}`, "",
			`{"consent":{"categoryPreferences":{"Advertising":false}},"consentManagement":{"deniedConsentIds":["a"]},"groupId":"g","campaign":{"source":"s"},"page":{"path":"/"},` +
				`"referrer":{"id":"r"},"timezone":"Europe/Brussels","locale":"nl-BE","userAgent":"u","library":{"name":"l","version":"1"},"app":{"name":"x"},"os":{"name":"iOS"},"screen":{"width":1}}`,
		},
		{"no address, no traits, no device", `"context":{"ip":"198.18.22.7","traits":{"city":"Ghent"},"device":{"id":"d1"}}`, "", ""},
		{"no context", `"name":"x"`, "", ""},
		{"what says nothing", `"context":{"page":{},"campaign":[],"locale":"","timezone":null,"referrer":{ },"userAgent":"u"}`, "", `{"userAgent":"u"}`},
		{"white space", `"context" : { "page" : { "title" : "a  b" , "n" : [ 1 , 2 ] } , "locale" : "nl" }`, "", `{"page":{"title":"a  b","n":[1,2]},"locale":"nl"}`},
		{"a key twice", `"context":{"locale":"nl","locale":"fr"}`, "", `{"locale":"fr"}`},
		{"a key twice, the second says nothing", `"context":{"locale":"nl","locale":null}`, "", ""},
		{"an escaped key", `"context":{"l\u006fcale":"nl"}`, "", `{"locale":"nl"}`},
		{"half a surrogate pair", `"context":{"page":{"title":"cut \ud83d","\ude00":"\ud83d\ude00"}}`, "", `{"page":{"title":"cut \ufffd","\ufffd":"\ud83d\ude00"}}`},
		{"the batch's alone", `"name":"x"`, `{"library":{"name":"analytics-go","version":"3.0.0"},"locale":"nl"}`, `{"locale":"nl","library":{"name":"analytics-go","version":"3.0.0"}}`},
		{
			"the event's own wins, key by key", `"context":{"locale":"fr","page":{"path":"/"}}`, `{"library":{"name":"go"},"locale":"nl","page":{"path":"/b","title":"B"}}`,
			`{"page":{"path":"/"},"locale":"fr","library":{"name":"go"}}`,
		},
		{"the event's own says nothing", `"context":{"locale":null,"page":{}}`, `{"locale":"nl","page":{"path":"/b"}}`, `{"page":{"path":"/b"},"locale":"nl"}`},
		{"a key twice in the batch's", `"context":{}`, `{"locale":"nl","locale":"fr"}`, `{"locale":"fr"}`},
		{"white space in the batch's", `"name":"x"`, `{ "locale" : "nl \ud800" }`, `{"locale":"nl \ufffd"}`},
		{"another kind of context", `"context":"none"`, `{"locale":"nl"}`, `{"locale":"nl"}`},
	} {
		d := NewDecoder(testRegistry(t), Options{})
		if c.batch != "" {
			if err := d.SetContext([]byte(c.batch)); err != nil {
				t.Fatal(c.name, err)
			}
		}
		var ev graph.Event
		if err := d.Event([]byte(`{"type":"track","event":"E","userId":"u1",`+c.event+`}`), now, web, &ev); err != nil {
			t.Fatal(c.name, err)
		}
		if string(ev.Context) != c.want || (c.want == "") != (ev.Context == nil) {
			t.Errorf("%s: got %s\nwant %s", c.name, ev.Context, c.want)
		}
	}
}

// A group event names its group itself; for any other event it is the context's.
func TestGroupIsKept(t *testing.T) {
	for text, want := range map[string]string{
		`"type":"group","groupId":"g1"`:                            `{"groupId":"g1"}`,
		`"type":"group","groupId":7,"context":{"groupId":"old"}`:   `{"groupId":7}`,
		`"type":"group","groupId":null,"context":{"groupId":"g2"}`: `{"groupId":"g2"}`,
		`"type":"group","groupId":{"a":1}`:                         "",
		`"type":"track","groupId":"g1"`:                            "",
		`"type":"track","context":{"groupId":"g2"}`:                `{"groupId":"g2"}`,
	} {
		ev, _, r := decode(t, Options{}, `{"userId":"u1",`+text+`}`)
		if r != nil || string(ev.Context) != want {
			t.Errorf("%s: got %s (%v), want %s", text, ev.Context, r, want)
		}
	}
}

func TestAddressesAreKeptByPolicy(t *testing.T) {
	for _, c := range []struct{ ip, truncated, whole string }{
		{`"198.18.22.7"`, `{"ip":"198.18.22.0"}`, `{"ip":"198.18.22.7"}`},
		{`"2001:db8:aaaa:bbbb::1"`, `{"ip":"2001:db8:aaaa::"}`, `{"ip":"2001:db8:aaaa:bbbb::1"}`},
		{`"::ffff:198.18.22.7"`, `{"ip":"198.18.22.0"}`, `{"ip":"::ffff:198.18.22.7"}`},
		{`"fe80::1%eth0"`, `{"ip":"fe80::"}`, `{"ip":"fe80::1%eth0"}`},
		{`"198.18.22.7, 10.0.0.1"`, ``, `{"ip":"198.18.22.7, 10.0.0.1"}`},
		{`"0.0.0.0\u0000"`, ``, `{"ip":"0.0.0.0\ufffd"}`},
		{`7`, ``, ``},
		{`""`, ``, ``},
	} {
		for policy, want := range map[IPPolicy]string{ipNone: "", ipTruncated: c.truncated, ipWhole: c.whole} {
			ev, stats, r := decode(t, Options{Context: ContextOptions{IP: policy}}, `{"type":"track","event":"E","userId":"u1","context":{"ip":`+c.ip+`}}`)
			told := stats.Fields[DropKey{"context.ip", CodeBadIP}]
			if r != nil || string(ev.Context) != want || (told == 1) != (policy != ipNone && want == "" && c.ip != `""`) {
				t.Errorf("%s, %s: got %s (%v, %d dropped), want %s", c.ip, policy, ev.Context, r, told, want)
			}
		}
	}
}

// A context above the bound is cut by the same rule whatever came before it, and reported.
func TestContextsAreBounded(t *testing.T) {
	long := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	for _, c := range []struct {
		name, context, want string
		drops               DropCounts
	}{
		{"at the bound", `{"userAgent":` + long(256-2-12) + `}`, `{"userAgent":` + long(256-2-12) + `}`, nil},
		{"a text above it", `{"userAgent":` + long(300) + `,"locale":"nl"}`, `{"locale":"nl"}`, DropCounts{{"context.userAgent", CodeFieldTooLarge}: 1}},
		{"a member above it", `{"page":{"url":` + long(300) + `,"path":"/"},"locale":"nl"}`, `{"page":{"path":"/"},"locale":"nl"}`, DropCounts{{"context.page", CodeFieldTooLarge}: 1}},
		{
			"much of little", `{"page":{"a":` + long(60) + `,"b":` + long(60) + `,"c":1},"campaign":{"d":` + long(60) + `,"e":` + long(60) + `,"f":1},"locale":"nl"}`,
			`{"campaign":{"d":` + long(60) + `,"f":1},"page":{"a":` + long(60) + `,"c":1},"locale":"nl"}`,
			DropCounts{{"context.page", CodeFieldTooLarge}: 1, {"context.campaign", CodeFieldTooLarge}: 1},
		},
		{"nothing that fits", `{"page":` + long(300) + `}`, ``, DropCounts{{"context.page", CodeFieldTooLarge}: 1}},
		{"white space does not count", `{"locale": ` + strings.Repeat(" ", 400) + `"nl"}`, `{"locale":"nl"}`, nil},
	} {
		for range 2 {
			ev, stats, r := decode(t, Options{Context: ContextOptions{MaxBytes: 256}}, `{"type":"track","event":"E","userId":"u1","context":`+c.context+`}`)
			if r != nil || string(ev.Context) != c.want || !maps.Equal(stats.Fields, c.drops) {
				t.Errorf("%s: got %s (%v, %v), want %s, %v", c.name, ev.Context, r, stats.Fields, c.want, c.drops)
			}
		}
	}
}

// referenceContext is what is kept, worked out by encoding/json, of contexts that are not above the bound.
func referenceContext(event, batch map[string]any, keep []string) map[string]any {
	out := map[string]any{}
	nothing := func(v any) bool {
		switch v := v.(type) {
		case nil:
			return true
		case string:
			return v == ""
		case []any:
			return len(v) == 0
		case map[string]any:
			return len(v) == 0
		}
		return false
	}
	for _, from := range []map[string]any{batch, event} {
		for key, v := range from {
			if slices.Contains(keep, key) && !nothing(v) {
				out[key] = v
			}
		}
	}
	return out
}

// Whatever the contexts, the event's own wins key by key, nothing that isn't on the list is kept, the bound holds, and
// the white space between tokens makes no difference.
func TestContextProperties(t *testing.T) {
	reg := testRegistry(t)
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"page", "campaign", "locale", "odd key\n", "library", "device", "os", "integrations", "x", ""}), 0, 8, rapid.ID).Draw(t, "keep")
		keep = slices.DeleteFunc(keep, func(key string) bool { return key == "" })
		options := Options{Context: ContextOptions{Keep: keep, MaxBytes: rapid.SampledFrom([]int{0, 256, 512}).Draw(t, "bound")}}
		event, batch := genContext(t, "event"), genContext(t, "batch")
		decoder := NewDecoder(reg, options)
		read := func(eventText, batchText []byte) []byte {
			var ev graph.Event
			if err := decoder.SetContext(batchText); err != nil {
				t.Fatal(err)
			}
			if err := decoder.Event(fmt.Appendf(nil, `{"type":"track","event":"E","userId":"u1","context":%s}`, eventText), now, web, &ev); err != nil {
				t.Fatal(err)
			}
			return slices.Clone(ev.Context)
		}
		plainEvent, _ := json.Marshal(event)
		plainBatch, _ := json.Marshal(batch)
		spacedEvent, _ := json.MarshalIndent(event, " ", "\t")
		spacedBatch, _ := json.MarshalIndent(batch, "", "  ")
		got := read(plainEvent, plainBatch)
		for _, again := range [][]byte{read(spacedEvent, plainBatch), read(plainEvent, spacedBatch), read(spacedEvent, spacedBatch)} {
			if string(again) != string(got) {
				t.Fatalf("with white space\n%s, without\n%s", again, got)
			}
		}
		most := options.Context.MaxBytes
		if most == 0 {
			most = defaultContextBytes
		}
		if len(got) > most {
			t.Fatalf("%d bytes", len(got))
		}
		if string(jsontext.AppendCompact(nil, got)) != string(got) {
			t.Fatalf("not compact: %s", got)
		}
		var kept map[string]any
		if got != nil {
			if err := json.Unmarshal(got, &kept); err != nil || len(kept) == 0 {
				t.Fatalf("%s: %v", got, err)
			}
		}
		want := referenceContext(event, batch, keep)
		text, _ := json.Marshal(want)
		if len(text)+len(keep)*8 <= most {
			if len(want)+len(kept) > 0 && !reflect.DeepEqual(kept, want) {
				t.Fatalf("kept %v, want %v", kept, want)
			}
			return
		}
		for key, v := range kept { // cut: what is there is right
			object, ok := v.(map[string]any)
			if whole, is := want[key].(map[string]any); ok && is {
				for name, member := range object {
					if !reflect.DeepEqual(whole[name], member) {
						t.Fatalf("%s.%s is %v, want %v", key, name, member, whole[name])
					}
				}
			} else if !reflect.DeepEqual(v, want[key]) {
				t.Fatalf("%s is %v, want %v", key, v, want[key])
			}
		}
	})
}

func genContext(t *rapid.T, label string) map[string]any {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "nl", "é\"\\\u2028", "😀"}), rapid.StringN(0, 20, 40), rapid.Just(strings.Repeat("y", 300)))
	scalar := rapid.OneOf(
		rapid.Map(text, func(s string) any { return strings.ReplaceAll(s, "\x00", "") }),
		rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](1.5), rapid.Just[any]([]any{}), rapid.Just[any](map[string]any{}),
		rapid.Just[any]([]any{"a", map[string]any{"b": 1.0}}))
	object := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"url", "path", "title", "name", "k\t", "version"}), scalar, 0, 6), func(m map[string]any) any { return m })
	key := rapid.SampledFrom([]string{"page", "campaign", "locale", "odd key\n", "library", "os", "x", "other", "ip", "traits"})
	m := rapid.MapOfN(key, rapid.OneOf(scalar, object), 0, 8).Draw(t, label)
	for _, name := range []string{"library", "os"} { // of another kind they are dropped
		if _, ok := m[name].(map[string]any); !ok {
			delete(m, name)
		}
	}
	return m
}

func TestContextOptions(t *testing.T) {
	many := make([]string, contextKeysMost+1)
	for i := range many {
		many[i] = fmt.Sprint("key", i)
	}
	for _, c := range []struct {
		options ContextOptions
		want    string
	}{
		{ContextOptions{Keep: many}, "65 context keys"},
		{ContextOptions{Keep: []string{""}}, "want 1 to 64 bytes"},
		{ContextOptions{Keep: []string{"page", "page"}}, "listed twice"},
		{ContextOptions{Keep: []string{"ip"}}, "by the policy of ip"},
		{ContextOptions{Keep: []string{"traits"}}, "who the person is"},
		{ContextOptions{MaxBytes: 100}, "want 256 to 32768"},
		{ContextOptions{IP: 7}, "ip policy 7"},
	} {
		if err := c.options.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.options, err, c.want)
		}
	}
	if err := (ContextOptions{Keep: defaultContextKeys()}).Check(); err != nil {
		t.Error(err)
	}
	if _, err := ParseIPPolicy("half"); err == nil {
		t.Error("half is a policy")
	}
	// With an empty list nothing is kept.
	ev, _, _ := decode(t, Options{Context: ContextOptions{Keep: []string{}}}, `{"type":"page","userId":"u1","context":{"locale":"nl"}}`)
	if ev.Context != nil {
		t.Errorf("kept %s", ev.Context)
	}
}
