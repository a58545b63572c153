package segment

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

const cookie = "0191aaaa-0000-7000-8000-00000000000b"

// A bad identifier never costs the event: it is dropped under its field and code, and reported without its value.
func TestDroppedIdentifiers(t *testing.T) {
	paths := Options{Paths: []Path{{"properties.email", "email"}, {"context.traits.card", "loyalty_card"}}}
	for _, c := range []struct{ text, want, dropped string }{
		{`"userId":false,"anonymousId":"p1"`, "anonymous_id:p1", "userId bad_type"},
		{`"userId":[],"anonymousId":"p1"`, "anonymous_id:p1", "userId bad_type"},
		{`"userId":{"id":7},"anonymousId":"p1"`, "anonymous_id:p1", "userId bad_type"},
		{`"userId":"u4","anonymousId":false`, "user_id:u4", "anonymousId bad_type"},
		{`"userId":"u4","anonymousId":["a"]`, "user_id:u4", "anonymousId bad_type"},
		{`"userId":"(not set)","anonymousId":"p1"`, "anonymous_id:p1", "userId blocked_identifier"},
		{`"userId":0.0,"anonymousId":"p1"`, "anonymous_id:p1", "userId blocked_identifier"},
		{`"userId":-0,"anonymousId":"p1"`, "anonymous_id:p1", "userId blocked_identifier"},
		{`"userId":0e5,"anonymousId":"p1"`, "anonymous_id:p1", "userId blocked_identifier"},
		{`"userId":"","anonymousId":"p1"`, "anonymous_id:p1", ""},
		{`"userId":null,"anonymousId":"p1"`, "anonymous_id:p1", ""},
		{`"userId":"u1","traits":{"email":"ann@example"}`, "user_id:u1", "traits.email bad_identifier"},
		{`"userId":"u1","traits":{"phone":"+1"}`, "user_id:u1", "traits.phone bad_identifier"},
		{`"userId":"u1","traits":{"phone":4.47911E+11}`, "user_id:u1", "traits.phone bad_identifier"},
		{`"userId":"u1","traits":{"phone":12015550123.0}`, "phone:+12015550123 user_id:u1", ""},
		{`"userId":"u1","traits":{"phone":1.2015550123e10}`, "phone:+12015550123 user_id:u1", ""},
		{`"userId":"u1","context":{"device":{"id":"00000000-0000-0000-0000-000000000000"}}`, "user_id:u1", "context.device.id blocked_identifier"},
		// A user id that is the event's own anonymous id.
		{`"userId":"` + cookie + `","anonymousId":"` + cookie + `"`, "anonymous_id:" + cookie, "userId anonymous_user_id"},
		{`"userId":" ` + strings.ToUpper(cookie) + `","anonymousId":"` + cookie + `"`, "anonymous_id:" + cookie, "userId anonymous_user_id"},
		{`"userId":"` + cookie + `","anonymousId":"{` + strings.ToUpper(cookie) + `} "`, "anonymous_id:" + cookie, "userId anonymous_user_id"},
		{`"userId":"{` + cookie + `}","anonymousId":"` + cookie + `"`, "anonymous_id:" + cookie, "userId anonymous_user_id"},
		{`"userId":"abc7","anonymousId":"abc7"`, "anonymous_id:abc7", "userId anonymous_user_id"},
		{`"userId":17,"anonymousId":"17"`, "anonymous_id:17", "userId anonymous_user_id"},
		{`"userId":"ABC7","anonymousId":"abc7"`, "anonymous_id:abc7 user_id:ABC7", ""},
		// A value in the call outranks a remembered one, even if it is null or invalid.
		{`"userId":"u1","traits":{"email":"bob@example.com"},"context":{"traits":{"email":"alice@example.com"}}`, "email:bob@example.com user_id:u1", "context.traits.email remembered"},
		{`"userId":"u1","traits":{"email":"bob"},"context":{"traits":{"email":"alice@example.com"}}`, "user_id:u1", "context.traits.email remembered, traits.email bad_identifier"},
		{`"userId":"u1","traits":{"email":null},"context":{"traits":{"email":"alice@example.com"}}`, "user_id:u1", "context.traits.email remembered"},
		{`"userId":"u1","traits":{"email":"bob@example.com"},"context":{"traits":{"email":"bob@example.com"}}`, "email:bob@example.com user_id:u1", ""},
		{`"userId":"u1","traits":{"name":"Bob"},"context":{"traits":{"email":"alice@example.com"}}`, "email:alice@example.com user_id:u1", ""},
		{`"userId":"u1","traits":{"phone":"+12015550123"},"context":{"traits":{"phone":"+12015550124"}}`, "phone:+12015550123 user_id:u1", "context.traits.phone remembered"},
		{`"userId":"u1","properties":{"email":"bob@example.com"},"context":{"traits":{"email":"alice@example.com"}}`, "email:bob@example.com user_id:u1", "context.traits.email remembered"},
		{`"userId":"u1","context":{"traits":{"email":"alice@example.com","card":"L1"}}`, "email:alice@example.com loyalty_card:L1 user_id:u1", ""},
	} {
		ev, stats, r := decode(t, paths, `{"type":"identify",`+c.text+`}`)
		if r != nil {
			t.Errorf("%s: %v", c.text, r)
			continue
		}
		var dropped []string
		for _, key := range stats.Fields.Keys() {
			dropped = append(dropped, key.Field+" "+string(key.Code))
		}
		if got := strings.Join(dropped, ", "); describe(ev) != c.want || got != c.dropped {
			t.Errorf("%s: %s, dropped %q; want %s, dropped %q", c.text, describe(ev), got, c.want, c.dropped)
		}
	}
}

// A group's own traits are not a person's, and silence nothing.
func TestGroupTraitsSilenceNothing(t *testing.T) {
	ev, _, r := decode(t, Options{}, `{"type":"group","userId":"u1","groupId":"g","traits":{"email":"info@firm.example"},"context":{"traits":{"email":"ann@example.com"}}}`)
	if r != nil || describe(ev) != "email:ann@example.com user_id:u1" {
		t.Errorf("%s %v", describe(ev), r)
	}
}

// The word that blocked is counted, and no message has a value.
func TestBlockedWordsAreCounted(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{})
	var ev graph.Event
	for _, id := range []string{"(not set)", "NOT_SET", "null", "{{secret.value}}"} {
		text, _ := json.Marshal(id)
		if err := d.Event([]byte(`{"type":"page","anonymousId":"a1","userId":`+string(text)+`}`), now, web, &ev); err != nil {
			t.Fatal(err)
		}
		for _, drop := range d.Dropped() {
			if drop.Field != "userId" || drop.Code != CodeBlockedIdentifier || strings.Contains(drop.Message, "secret") || !strings.Contains(drop.Message, ": ") {
				t.Errorf("%+v", drop)
			}
		}
	}
	stats := d.Stats()
	if stats.Words["notset"] != 2 || stats.Words["null"] != 1 || stats.Words["(template)"] != 1 || len(stats.Words) != 3 {
		t.Errorf("%v", stats.Words)
	}
	text, err := json.Marshal(stats)
	var again Stats
	if err != nil || json.Unmarshal(text, &again) != nil || again.Words["notset"] != 2 || again.Fields[DropKey{Field: "userId"}] != 4 {
		t.Errorf("%s gives %+v, %v", text, again, err)
	}
	var sum Stats
	sum.Add(stats)
	sum.Add(stats)
	if sum.Words["notset"] != 4 || stats.Words["notset"] != 2 {
		t.Errorf("sum %v of %v", sum.Words, stats.Words)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"12345", "12345"},
		{"12345.0", "12345"},
		{"1.2345e4", "12345"},
		{"1.2345E+4", "12345"},
		{"123450e-1", "12345"},
		{"-12345.00", "-12345"},
		{"0.0", "0"},
		{"-0", "0"},
		{"0e5", "0"},
		{"-0.0e-3", "0"},
		{"1.5", "1.5"},
		{"1.50", "1.5"},
		{"15e-1", "1.5"},
		{"0.00012", "0.00012"},
		{"-1.2e-3", "-0.0012"},
		{"9007199254740993", "9007199254740993"},
		{"9007199254740993.0", "9007199254740993"},
		{"9.007199254740993e15", "9007199254740993"},
		{"1e21", "1000000000000000000000"},
		{"12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901"},
		{"1e999999999999", "1e999999999999"},
		{"1e600", "1e600"},
	} {
		if got, _ := appendNumber(nil, []byte(c.raw)); string(got) != c.want {
			t.Errorf("%s gives %s, want %s", c.raw, got, c.want)
		}
	}
}

// The text of a number has the number's value, exactly; equal numbers have one text.
func TestNumbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		got, _ := appendNumber(nil, []byte(raw))
		want, ok := new(big.Rat).SetString(raw)
		have, readable := new(big.Rat).SetString(string(got))
		if !ok || !readable || want.Cmp(have) != 0 {
			t.Fatalf("%s gives %s", raw, got)
		}
		again, _ := appendNumber(nil, got)
		shifted, _ := appendNumber(nil, []byte(string(got)+"e0"))
		if string(again) != string(got) || string(shifted) != string(got) {
			t.Fatalf("%s gives %s, then %s and %s", raw, got, again, shifted)
		}
	})
}

// An odd value at the place of an identifier never costs the event, its other identifiers, or its traits; and what it is read
// as is what a look-up reads.
func TestOddIdentifierNeverCostsTheEvent(t *testing.T) {
	reg := testRegistry(t)
	odd := rapid.OneOf(
		rapid.SampledFrom([]string{
			`false`, `true`, `[]`, `{}`, `{"id":7}`, `["x"]`, `0.0`, `-0`, `1e400`, `1.5`, `""`, `" "`, `"null"`, `"+1"`, `"\u0000"`, `"\ud800"`,
			`"4.47911E+11"`, `"Ann <ann@example.com>"`, `"ann@example"`, `"Optional(\"x\")"`, `null`,
		}),
		rapid.Map(rapid.String(), func(s string) string { text, _ := json.Marshal(s); return string(text) }),
		rapid.StringMatching(`-?[1-9][0-9]{0,20}(\.[0-9]{1,3})?(e[0-9])?`),
	)
	place := rapid.SampledFrom([]string{
		`"userId":%s`, `"previousId":%s`, `"traits":{"email":%s}`, `"traits":{"phone":%s}`, `"context":{"traits":{"email":%s}}`,
		`"context":{"device":{"id":%s}}`, `"context":{"device":{"token":%s}}`, `"context":{"externalIds":%s}`, `"context":{"externalIds":[{"type":"idfa","id":%s}]}`,
		`"context":{"device":{"type":"ios","advertisingId":%s}}`, `"context":{"integrations":{"Google Analytics":{"clientId":%s}}}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]string{"identify", "track", "page", "alias", "group"}).Draw(t, "type")
		text := fmt.Sprintf(`{"type":%q,"anonymousId":"a-good-cookie","messageId":"m1",%s}`, typ, fmt.Sprintf(place.Draw(t, "place"), odd.Draw(t, "value")))
		var ev graph.Event
		if err := NewDecoder(reg, Options{}).Event([]byte(text), now, web, &ev); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		found := false
		for _, id := range ev.Identifiers {
			found = found || id.Namespace == "anonymous_id" && string(id.Value) == "a-good-cookie"
			again, err := reg.Parse(id.Namespace + ":" + string(id.Value))
			if err != nil || again.Key != id.Key {
				t.Fatalf("%s: a look-up of %s:%q gives %v, %v", text, id.Namespace, id.Value, again, err)
			}
		}
		if !found {
			t.Fatalf("%s: the cookie is lost", text)
		}
	})
}
