package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
)

// decode reads one event with a decoder of its own.
func decode(t testing.TB, opts Options, text string) (*graph.Event, Stats, *Rejection) {
	t.Helper()
	d := NewDecoder(testRegistry(t), opts)
	ev := new(graph.Event)
	err := d.Event([]byte(text), now, web, ev)
	var r *Rejection
	if err != nil && !errors.As(err, &r) {
		t.Fatalf("%s: %v is no rejection", text, err)
	}
	if r == nil {
		checkEvent(t, ev)
	}
	return ev, d.Stats(), r
}

func equalStats(a, b Stats) bool { return reflect.DeepEqual(a, b) }

// checkEvent holds what is true of every accepted event (E1).
func checkEvent(t testing.TB, ev *graph.Event) {
	t.Helper()
	if len(ev.Identifiers) == 0 || len(ev.Identifiers) > maxIdentifiers {
		t.Fatalf("%d identifiers", len(ev.Identifiers))
	}
	if g := ev.Group; g != nil && (ev.Type != graph.TypeGroup || len(g.ID) == 0 || len(g.ID) > identifier.MaxBytes || g.Key.Class() != 0 || len(g.Traits) > maxTraits) {
		t.Fatalf("group %q in a %s", g.ID, ev.Type)
	}
	for i, id := range ev.Identifiers {
		if alias := len(ev.Alias) > 0; i > 0 && !ev.Identifiers[i-1].Key.Outranks(id.Key) && (!alias || i > 1) || alias && i > 0 && id.Key == ev.Route() {
			t.Fatalf("identifier %d does not rank below the one before it", i)
		}
		if len(id.Value) == 0 || len(id.Value) > identifier.MaxBytes || id.Namespace == "" || id.Key.IsZero() {
			t.Fatalf("identifier %d is %+v", i, id)
		}
	}
	if n := len(ev.Alias); n > 0 && (ev.Type != graph.TypeAlias || n != len(ev.Identifiers) || ev.Identifiers[0].Namespace != "user_id" || ev.Alias[0] != graph.AliasCarried) {
		t.Fatalf("%s with roles %v of identifiers of %+v", ev.Type, ev.Alias, ev.Identifiers)
	}
	if len(ev.ID) == 0 || len(ev.ID) > MaxIDBytes {
		t.Fatalf("id of %d bytes", len(ev.ID))
	}
	if ev.Stamp.Time < timeMin || ev.Stamp.Time >= timeEnd || ev.Stamp.Time > max(now, ev.Received)+defaultAhead.Milliseconds() {
		t.Fatalf("time %d", ev.Stamp.Time)
	}
	if ev.Type == 0 || len(ev.Traits) > maxTraits {
		t.Fatalf("type %s, %d traits", ev.Type, len(ev.Traits))
	}
	for i, trait := range ev.Traits {
		if indexTrait(ev.Traits, trait.Name) != i {
			t.Fatalf("trait %q comes twice", trait.Name)
		}
	}
	o := ev.Order
	if o.Net < 0 || o.Discount < 0 || o.Refund.Amount < 0 || len(o.Lines) > graph.LinesMax || len(o.ID) > MaxIDBytes || (o.Kind == graph.OrderNone) != (len(o.ID) == 0) {
		t.Fatalf("order %+v", o)
	}
	if f := &ev.Offer; (f.Signal == score.OfferNone) != (len(f.ID) == 0) || len(f.ID) > MaxIDBytes || len(f.Class) > MaxIDBytes || f.Until < timeMin || f.Until > timeEnd {
		t.Fatalf("offer %+v", f)
	}
	if i := &ev.Interest; i.Kind == graph.InterestNone && len(i.Categories) > 0 || len(i.Categories) > graph.InterestCategoriesMax {
		t.Fatalf("interest %+v", i)
	}
	for i, category := range ev.Interest.Categories {
		if len(category) == 0 || len(category) > MaxIDBytes || slices.ContainsFunc(ev.Interest.Categories[:i], func(c []byte) bool { return string(c) == string(category) }) {
			t.Fatalf("category %q", category)
		}
	}
}

// describe writes identifiers in order of their text, so that tests don't hang on keys.
func describe(ev *graph.Event) string {
	var ids []string
	for i, id := range ev.Identifiers {
		text := id.Namespace + ":" + string(id.Value)
		if len(ev.Alias) > 0 {
			text += roleText(ev.Alias[i])
		}
		ids = append(ids, text)
	}
	for _, id := range ev.Mentions {
		ids = append(ids, "mentions "+id.Namespace+":"+string(id.Value))
	}
	slices.Sort(ids)
	if len(ev.Alias) > 0 {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids, " ")
}

// roleText tells the role of an identifier in an alias, unless it is only carried.
func roleText(role graph.AliasRole) (text string) {
	if role&graph.AliasPrevious != 0 {
		text += " previous"
	}
	if role&graph.AliasLikely != 0 {
		text += " likely"
	}
	if role&graph.AliasCarried != 0 && text != "" {
		text += " carried"
	}
	return text
}

func TestIdentifiers(t *testing.T) {
	const uuid = "7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2"
	for _, c := range []struct {
		name, text, want string
		stats            Stats
	}{
		{"user and cookie", `{"type":"track","userId":"u1","anonymousId":"a1"}`, "anonymous_id:a1 user_id:u1", Stats{}},
		{"a type in capitals, with space around it", `{"type":" Track\t","userId":"u1"}`, "user_id:u1", Stats{}},
		{"escapes", `{"type":"track","\u0075serId":"u\u0031\/x"}`, "user_id:u1/x", Stats{}},
		{"a number is its text", `{"type":"track","userId":42}`, "user_id:42", Stats{}},
		{"null is silent", `{"type":"track","userId":null,"anonymousId":"a1"}`, "anonymous_id:a1", Stats{}},
		{"empty", `{"type":"track","userId":"","anonymousId":"a1"}`, "anonymous_id:a1", Stats{Empty: 1}},
		{"blocked", `{"type":"track","userId":"null","anonymousId":"a1"}`, "anonymous_id:a1", Stats{Blocked: 1}},
		{"a NUL byte", `{"type":"track","userId":"u\u0000","anonymousId":"a1"}`, "anonymous_id:a1", Stats{Invalid: 1, Mended: 1}},
		{"1 MB", `{"type":"track","userId":"` + strings.Repeat("x", 1_000_000) + `","anonymousId":"a1"}`, "anonymous_id:a1", Stats{TooLong: 1}},
		{"1 MB, escaped", `{"type":"track","userId":"` + strings.Repeat(`\n`, 500_000) + `","anonymousId":"a1"}`, "anonymous_id:a1", Stats{TooLong: 1}},
		{
			"equal ones once", `{"type":"track","userId":"u1","traits":{"email":"A@x.org"},"context":{"externalIds":[{"id":"u1","type":"user_id"},{"id":"a@x.org","type":"email"}]}}`,
			"email:a@x.org user_id:u1",
			Stats{},
		},
		{"the last of two keys", `{"type":"track","userId":"u1","userId":"u2"}`, "user_id:u2", Stats{}},
		{"traits", `{"type":"identify","userId":"u1","traits":{"email":"Ann@X.org","phone":"(212) 555-0123"}}`, "email:ann@x.org phone:+12125550123 user_id:u1", Stats{}},
		{"traits of the context", `{"type":"track","anonymousId":"a1","context":{"traits":{"email":"ann@x.org"}}}`, "anonymous_id:a1 email:ann@x.org", Stats{}},
		{
			"what the call says comes before what is remembered", `{"type":"identify","userId":"u1","context":{"traits":{"email":"old@x.org","phone":"+12125550123"}},"traits":{"email":"new@x.org"}}`,
			"email:new@x.org phone:+12125550123 user_id:u1",
			Stats{Fields: DropCounts{{"context.traits.email", CodeRemembered}: 1}},
		},
		{"a deleted trait is no identifier", `{"type":"identify","userId":"u1","context":{"traits":{"phone":null}},"traits":{"email":null}}`, "user_id:u1", Stats{}},
		{
			"a group's traits are not the person's", `{"type":"group","userId":"u1","traits":{"email":"info@x.org","phone":"+12125550123"},"context":{"traits":{"email":"ann@x.org"}}}`,
			"email:ann@x.org user_id:u1",
			Stats{},
		},
		{"an object is no identifier", `{"type":"identify","userId":"u1","traits":{"email":{"home":"ann@x.org"},"phone":true}}`, "user_id:u1", Stats{Invalid: 2}},
		{
			"device", `{"type":"screen","context":{"device":{"id":"` + strings.ToUpper(uuid) + `","token":"t1","type":"ios","advertisingId":"AEBE52E7-03EE-455A-B3C4-E57283966239"}}}`,
			"device_id:" + uuid + " idfa:aebe52e7-03ee-455a-b3c4-e57283966239 push_token:t1",
			Stats{},
		},
		{
			"android by its system", `{"type":"screen","context":{"device":{"advertisingId":"aebe52e7-03ee-455a-b3c4-e57283966239"},"os":{"name":"Android"}}}`,
			"gaid:aebe52e7-03ee-455a-b3c4-e57283966239",
			Stats{},
		},
		{"an advertising id of nowhere", `{"type":"screen","userId":"u1","context":{"device":{"advertisingId":"aebe52e7-03ee-455a-b3c4-e57283966239"}}}`, "user_id:u1", Stats{UnknownNamespaces: 1}},
		{
			"external ids", `{"type":"track","context":{"externalIds":[{"id":"L1","type":"loyalty_card","collection":"users","encoding":"none"},{"type":"ios.idfa","id":"aebe52e7-03ee-455a-b3c4-e57283966239"},
			{"id":"g1","type":"group_id","collection":"accounts"},{"id":"x","type":"nonesuch"},{"id":"u9","type":"user_id","collection":"accounts"},{"id":"u9","type":"user_id","encoding":"sha256"},
			7,{"id":null,"type":"user_id"},{"id":[],"type":"user_id"}]}}`,
			"idfa:aebe52e7-03ee-455a-b3c4-e57283966239 loyalty_card:L1",
			Stats{UnknownNamespaces: 4, Invalid: 1, Fields: DropCounts{{"context.externalIds[]", CodeBadType}: 1, {"context.externalIds[].id", CodeBadType}: 1}},
		},
		{
			"external ids that are no list", `{"type":"track","userId":"u1","context":{"externalIds":{"id":"x"}}}`, "user_id:u1",
			Stats{Fields: DropCounts{{"context.externalIds", CodeBadType}: 1}},
		},
		{"external ids of none", `{"type":"track","userId":"u1","context":{"externalIds":{}}}`, "user_id:u1", Stats{}},
		{"Google Analytics", `{"type":"track","context":{"integrations":{"All":true,"Google Analytics":{"clientId":"1.2"}}}}`, "ga_client_id:1.2", Stats{}},
		{"an integration that is switched off", `{"type":"track","userId":"u1","context":{"integrations":{"Google Analytics":false}}}`, "user_id:u1", Stats{}},
		{"alias", `{"type":"alias","userId":"u1","previousId":"web-1"}`, "anonymous_id:web-1 previous, user_id:u1, user_id:web-1 previous", Stats{}},
		{"alias of an address", `{"type":"alias","userId":"u1","previousId":" Kim@x.org"}`, "anonymous_id:Kim@x.org previous, user_id:Kim@x.org previous likely, user_id:u1", Stats{}},
		{"alias of a number", `{"type":"alias","userId":"u1","previousId":90210}`, "anonymous_id:90210 previous, user_id:90210 previous likely, user_id:u1", Stats{}},
		{
			"alias of a UUID", `{"type":"alias","userId":"u1","previousId":"` + strings.ToUpper(uuid) + `"}`,
			"anonymous_id:" + uuid + " previous likely, user_id:" + strings.ToUpper(uuid) + " previous, user_id:u1",
			Stats{},
		},
		{
			"alias of the event's cookie", `{"type":"alias","userId":"u1","previousId":"a1","anonymousId":"a1","context":{"traits":{"email":"ann@x.org"}}}`,
			"anonymous_id:a1 previous carried, email:ann@x.org, user_id:a1 previous, user_id:u1",
			Stats{},
		},
		{"alias of itself", `{"type":"alias","userId":"u1","previousId":"u1","anonymousId":"a1"}`, "anonymous_id:a1 user_id:u1", Stats{}},
		{"alias of nobody", `{"type":"alias","userId":"u1","previousId":"null","anonymousId":"a1"}`, "anonymous_id:a1 user_id:u1", Stats{Blocked: 1}},
		{"alias of nothing", `{"type":"alias","userId":"u1","previousId":""}`, "user_id:u1", Stats{Empty: 1}},
		{"alias without previousId", `{"type":"alias","userId":"u1","anonymousId":"a1"}`, "anonymous_id:a1 user_id:u1", Stats{}},
		{"alias for nobody", `{"type":"alias","userId":"null","previousId":"web-1","anonymousId":"a1"}`, "anonymous_id:a1", Stats{Blocked: 1}},
		{"alias for nobody, of a user id", `{"type":"alias","userId":"null","previousId":"kim@x.org"}`, "user_id:kim@x.org", Stats{Blocked: 1}},
		{"alias for nobody, of a cookie", `{"type":"alias","previousId":"f6ps414GyUoRLws4r4NXD1kF"}`, "anonymous_id:f6ps414GyUoRLws4r4NXD1kF", Stats{}},
		{"previousId elsewhere", `{"type":"track","userId":"u1","previousId":"u0"}`, "user_id:u1", Stats{}},
		{
			"device that is text", `{"type":"track","userId":"u1","context":{"device":"phone","library":"x","integrations":[]}}`, "user_id:u1",
			Stats{Fields: DropCounts{{"context.device", CodeBadType}: 1}},
		},
	} {
		ev, stats, r := decode(t, Options{}, c.text)
		if r != nil {
			t.Errorf("%s: %v", c.name, r)
			continue
		}
		if c.stats.Fields == nil {
			stats.Fields = nil // how identifiers are told is another test
		}
		stats.Words = nil
		if got := describe(ev); got != c.want || !equalStats(stats, c.stats) {
			t.Errorf("%s: %s %+v, want %s %+v", c.name, got, stats, c.want, c.stats)
		}
	}
}

func TestConfiguredPaths(t *testing.T) {
	opts := Options{Paths: []Path{
		{"properties.loyalty_card", "loyalty_card"},
		{"context.crm.id", "crm_id"},
		{"context.traits.card", "loyalty_card"},
		{"context.device.id", "crm_id"},
		{"traits.address.card", "loyalty_card"},
		{"account", "crm_id"},
		{"account", "loyalty_card"},
		{"context.library.name", "crm_id"},
		{"context.integrations.Google Analytics.clientId", "crm_id"},
	}}
	ev, stats, r := decode(t, opts, `{"type":"identify","account":7,"properties":{"loyalty_card":"L1","x":{"loyalty_card":"no"}},
		"traits":{"address":{"card":"L3","city":"Leeds"}},"context":{"crm":{"id":"C1"},"traits":{"card":"L2"},"device":{"id":"D1"},"library":{"name":"Lib"},
		"integrations":{"Google Analytics":{"clientId":"1.2"}}}}`)
	if r != nil {
		t.Fatal(r)
	}
	want := "crm_id:1.2 crm_id:7 crm_id:c1 crm_id:d1 crm_id:lib device_id:D1 ga_client_id:1.2 loyalty_card:7 loyalty_card:L1 loyalty_card:L2 loyalty_card:L3"
	if got := describe(ev); got != want || !equalStats(stats, Stats{}) {
		t.Errorf("%s %+v, want %s", got, stats, want)
	}
	if string(ev.Properties) != `{"loyalty_card":"L1","x":{"loyalty_card":"no"}}` || string(ev.Traits[0].Value) != `{"card":"L3","city":"Leeds"}` {
		t.Errorf("properties %s, traits %s", ev.Properties, ev.Traits[0].Value)
	}
	if ev, stats, r = decode(t, opts, `{"type":"track","userId":"u1","properties":{"loyalty_card":{"id":1}},"context":{"crm":"x"}}`); r != nil || describe(ev) != "user_id:u1" || !equalStats(stats, Stats{Invalid: 1, Fields: DropCounts{{"properties.loyalty_card", CodeBadType}: 1}}) {
		t.Errorf("%s %+v %v", describe(ev), stats, r)
	}
}

func TestTraits(t *testing.T) {
	ev, stats, r := decode(t, Options{}, `{"type":"identify","userId":"u1","traits":{"name":"Ann","age":41,"gone":null,"address":{"city":"Le\u0065ds"},"name":"Ann M.","t\u0061gs":[1,2]},
		"context":{"traits":{"name":"old","plan":"pro"}}}`)
	if r != nil || !equalStats(stats, Stats{}) {
		t.Fatal(r, stats)
	}
	var got []string
	for _, trait := range ev.Traits {
		got = append(got, fmt.Sprintf("%s=%s", trait.Name, trait.Value))
		if string(trait.Name) == "gone" && trait.Value != nil {
			t.Error("null is not nil")
		}
	}
	if want := `name="Ann M." age=41 gone= address={"city":"Le\u0065ds"} tags=[1,2] plan="pro"`; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, typ := range []string{"group", "page", "track"} {
		ev, stats, r = decode(t, Options{}, `{"type":"`+typ+`","userId":"u1","groupId":"g1","traits":{"name":"Acme"},"context":{"traits":{"plan":"pro"}}}`)
		if r != nil || !equalStats(stats, Stats{}) || len(ev.Traits) != 0 {
			t.Errorf("%s: %s %v %v: a client's memory is no news", typ, ev.Traits, stats, r)
		}
	}
}

func TestExcessTraitsAreCounted(t *testing.T) {
	var own, shared []string
	for i := range maxTraits - 1 {
		own = append(own, fmt.Sprintf(`"t%d":1`, i))
	}
	for i := range maxTraits + 5 {
		shared = append(shared, fmt.Sprintf(`"t%d":2`, i))
	}
	ev, stats, r := decode(t, Options{}, `{"type":"identify","userId":"u1","traits":{`+strings.Join(own, ",")+`},"context":{"traits":{`+strings.Join(shared, ",")+`}}}`)
	if r != nil || len(ev.Traits) != maxTraits || !equalStats(stats, Stats{ExcessTraits: 5}) {
		t.Errorf("%d traits, %+v, %v", len(ev.Traits), stats, r)
	}
}

func TestNamesAndProperties(t *testing.T) {
	for _, c := range []struct {
		text, name, properties string
		kind                   graph.EventType
	}{
		{`{"type":"track","userId":"u","event":"Caf\u00e9 \"x\"","name":"no","properties":{"a":[1,{"b":null}]}}`, `Café "x"`, `{"a":[1,{"b":null}]}`, graph.TypeTrack},
		{`{"type":"PAGE","userId":"u","event":"no","name":"Home","properties":{}}`, "Home", "{}", graph.TypePage},
		{`{"type":"Screen","userId":"u","name":null,"properties":null}`, "", "", graph.TypeScreen},
		{`{"type":"identify","userId":"u","name":7}`, "", "", graph.TypeIdentify},
		{`{"type":"group","userId":"u","groupId":"g"}`, "", "", graph.TypeGroup},
		{`{"type":"alias","userId":"u","previousId":"v"}`, "", "", graph.TypeAlias},
	} {
		ev, _, r := decode(t, Options{}, c.text)
		if r != nil || ev.Type != c.kind || string(ev.Name) != c.name || string(ev.Properties) != c.properties || (c.properties == "") != (ev.Properties == nil) {
			t.Errorf("%s: %s %q %s %v", c.text, ev.Type, ev.Name, ev.Properties, r)
		}
	}
}

func TestRejections(t *testing.T) {
	ids := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"type":"user_id","id":"u%d"}`, i))
		}
		return `{"type":"track","context":{"externalIds":[` + strings.Join(list, ",") + `]}}`
	}
	for _, c := range []struct{ text, want string }{
		{`{"type":"track"`, `invalid_json: byte 15: want ',' or '}', found the end`},
		{`nonsense`, `invalid_json: byte 0: want null, found 'n'`},
		{`{"type":"track","userId":"u"}{}`, `invalid_json: byte 29: want the end, found '{'`},
		{"{\"type\":\"track\",\"userId\":\"\xff\"}", `bad_utf8: byte 26: not UTF-8`},
		{"{\"type\":\"track\",\"userId\":\"u\",\"properties\":{\"\xc3(\":1}}", `bad_utf8: byte 44: not UTF-8`},
		{strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), `too_deep: byte 320: nested more than 64 deep`},
		{`{"type":"track","userId":"` + strings.Repeat("x", 1<<20) + `"}`, `event_too_large: more than 1048576 bytes`},
		{`[]`, `bad_type: is an array, want an object`},
		{`null`, `bad_type: is null, want an object`},
		{`{"type":5,"userId":"u"}`, `bad_type: type: is a number, want a string`},
		{`{"userId":"u"}`, `unknown_type: type: is missing`},
		{`{"type":null,"userId":"u"}`, `unknown_type: type: is missing`},
		{`{"type":"purchase","userId":"u"}`, `unknown_type: type: "purchase" is no type of event`},
		{`{"type":"track"}`, `no_identifier: names nobody: no identifier, or only blocked or invalid ones`},
		{`{"type":"track","userId":"null"}`, `no_identifier: names nobody: no identifier, or only blocked or invalid ones`},
		{ids(101), `too_many_identifiers: carries more than 100 identifiers`},
		{ids(5000), `too_many_identifiers: carries more than 100 identifiers`},
	} {
		_, _, r := decode(t, Options{}, c.text)
		if r == nil {
			t.Errorf("%.120s: accepted, want %s", c.text, c.want)
			continue
		}
		if r.Error() != c.want || r.Hint == "" {
			t.Errorf("%.120s:\n got %s (%s)\nwant %s", c.text, r, r.Hint, c.want)
		}
	}
	if _, _, r := decode(t, Options{}, ids(100)); r != nil {
		t.Errorf("100 identifiers: %v", r)
	}
	if _, _, r := decode(t, Options{MaxEventBytes: 10}, `{"type":"track"}`); r == nil || r.Code != CodeEventTooLarge {
		t.Errorf("limit of 10: %v", r)
	}
	_, _, r := decode(t, Options{}, `{"userId":"u"}`)
	if want := "send one of identify, track, page, screen, group, alias"; r.Hint != want {
		t.Errorf("hint %q, want %q", r.Hint, want)
	}
}

func TestMessageIDs(t *testing.T) {
	id := func(opts Options, text string) string {
		t.Helper()
		ev, _, r := decode(t, opts, text)
		if r != nil {
			t.Fatal(r)
		}
		return string(ev.ID)
	}
	long := strings.Repeat("m", 101)
	sum := func(prefix, text string, size int) string {
		hash := sha256.Sum256([]byte(text))
		return prefix + hex.EncodeToString(hash[:size])
	}
	const none = `{"type":"track","userId":"u","messageId":""}`
	for text, want := range map[string]string{
		`{"type":"track","userId":"u","messageId":"m\u0031"}`:          "m1",
		`{"type":"track","userId":"u","messageId":7}`:                  "7",
		`{"type":"track","userId":"u","messageId":"` + long[1:] + `"}`: long[1:],
		`{"type":"track","userId":"u","messageId":"` + long + `"}`:     sum("sha256:", long, 32),
		`{"type":"track","userId":"u","messageId":7.0}`:                "7",
		`{"type":"track","userId":"u","messageId":7e3}`:                "7000",
		none:                  sum("h:", none, 16),
		"\t" + none + " \r\n": sum("h:", none, 16),
	} {
		if got := id(Options{}, text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	const bare, dated = `{"type":"track","userId":"u"}`, `{"type":"track","userId":"u","timestamp":"2026-01-01T00:00:00Z"}`
	if id(Options{}, bare) == id(Options{}, strings.Replace(bare, ":", ": ", 1)) || id(Options{Live: true}, bare) == id(Options{}, bare) || id(Options{Live: true}, dated) != id(Options{}, dated) {
		t.Error("ids of events without one: want them to differ by their text and, live and undated, by when they came")
	}
}

func TestStampAndSeen(t *testing.T) {
	reg := testRegistry(t)
	d := NewDecoder(reg, Options{Sources: []string{"crm", "web"}})
	for source, rank := range map[string]uint8{"crm": 2, "web": 1, "tv": 0, "": 0} {
		var ev graph.Event
		if err := d.Event([]byte(`{"type":"track","userId":"u","messageId":"m1"}`), now, []byte(source), &ev); err != nil {
			t.Fatal(err)
		}
		if ev.Stamp.Rank != rank || string(ev.Source) != source {
			t.Errorf("source %q: %+v", source, ev)
		}
	}
}

func TestContextOfABatch(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{Paths: []Path{{"context.crm", "crm_id"}}})
	read := func(text string) string {
		t.Helper()
		var ev graph.Event
		if err := d.Event([]byte(text), now, nil, &ev); err != nil {
			t.Fatal(err)
		}
		return describe(&ev)
	}
	if err := d.SetContext([]byte(`{"device":{"id":"D1"},"crm":"C1","traits":{"email":"a@x.org"}}`)); err != nil {
		t.Fatal(err)
	}
	if got := read(`{"type":"track","userId":"u"}`) + "|" + read(`{"type":"track","userId":"u","context":null}`) + "|" + read(`{"type":"track","userId":"u","context":{}}`); got !=
		"crm_id:c1 device_id:D1 email:a@x.org user_id:u|crm_id:c1 device_id:D1 email:a@x.org user_id:u|crm_id:c1 device_id:D1 email:a@x.org user_id:u" {
		t.Error(got)
	}
	for text, code := range map[string]Code{`{"a":`: CodeInvalidJSON, "{\"a\":\"\xff\"}": CodeBadUTF8} {
		var r *Rejection
		if err := d.SetContext([]byte(text)); !errors.As(err, &r) || r.Code != code || r.Field != "context" {
			t.Errorf("%s: %v", text, err)
		}
		if got := read(`{"type":"track","userId":"u"}`); got != "user_id:u" {
			t.Errorf("%s: %s", text, got)
		}
	}
	for text, drops := range map[string]uint64{"null": 0, "[]": 0, "17": 1} {
		d.Reset()
		if err := d.SetContext([]byte(text)); err != nil {
			t.Error(err)
		}
		if got := read(`{"type":"track","userId":"u"}`); got != "user_id:u" || d.Stats().Fields[DropKey{"context", CodeBadType}] != drops {
			t.Errorf("%s: %s %v", text, got, d.Stats().Fields)
		}
	}
	if err := d.SetContext(nil); err != nil {
		t.Error(err)
	}
}

// An event's slices stay as they are until Reset, whatever is read in between (E7).
func TestEventsStayUntilReset(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{})
	var events []*graph.Event
	text := func(i int) string {
		return fmt.Sprintf(`{"type":"identify","\u0075serId":"u\u002d%d","traits":{"email":"ANN%d@x.org","t\u0061g":1}}`, i, i)
	}
	for i := range 5000 {
		ev := new(graph.Event)
		if err := d.Event([]byte(text(i)), now, nil, ev); err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
	for i, ev := range events {
		if want := fmt.Sprintf("email:ann%d@x.org user_id:u-%d", i, i); describe(ev) != want || string(ev.Traits[1].Name) != "tag" || !strings.HasPrefix(string(ev.ID), "h:") {
			t.Fatalf("event %d is %s, want %s", i, describe(ev), want)
		}
	}
	if _ = d.Event([]byte(`{"type":"track","userId":"null"}`), now, nil, events[0]); d.Stats().Blocked != 1 {
		t.Error("nothing counted")
	}
	if d.Reset(); !equalStats(d.Stats(), Stats{}) {
		t.Error("counts outlive Reset")
	}
}

func TestOptions(t *testing.T) {
	reg := testRegistry(t)
	err := Options{
		Paths: []Path{{"a..b", "user_id"}, {"a", "nonesuch"}}, Currency: "dollars", Sources: make([]string, 256), MaxEventBytes: -1,
	}.Check(reg)
	for _, part := range []string{`path "a..b"`, `namespace "nonesuch" is not registered`, `currency "dollars"`, "256 sources", "limit of -1 bytes"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
	if err := (Options{}).Check(reg); err != nil {
		t.Error(err)
	}
}

// The id of a record is that of an event that names none, and of no other.
func TestRecordID(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{})
	long := strings.Repeat("x", MaxIDBytes+1)
	sum := sha256.Sum256([]byte(long))
	for _, test := range []struct{ text, id, want string }{
		{`{"type":"track","userId":"7","messageId":"m1"}`, "t/0/5", "m1"},
		{`{"type":"track","userId":"7"}`, "t/0/5", "t/0/5"},
		{`{"type":"track","userId":"7","messageId":""}`, "t/0/5", "t/0/5"},
		{`{"type":"track","userId":"7"}`, long, "sha256:" + hex.EncodeToString(sum[:])},
	} {
		var ev graph.Event
		if err := d.Record([]byte(test.text), now, web, []byte(test.id), &ev); err != nil {
			t.Fatal(err)
		}
		if string(ev.ID) != test.want {
			t.Errorf("%s in record %.10s: id %q, want %q", test.text, test.id, ev.ID, test.want)
		}
		checkEvent(t, &ev)
	}
	var with, without graph.Event
	if err := d.Event([]byte(`{"type":"track","userId":"7"}`), now, web, &without); err != nil {
		t.Fatal(err)
	}
	if err := d.Record([]byte(`{"type":"track","userId":"7"}`), now, web, nil, &with); err != nil {
		t.Fatal(err)
	}
	if string(with.ID) != string(without.ID) || !strings.HasPrefix(string(with.ID), "h:") {
		t.Errorf("ids %q and %q", with.ID, without.ID)
	}
}
