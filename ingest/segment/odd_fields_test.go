package segment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// goodEvents have every field that the decoder knows, each at least once, and nothing that it drops.
var goodEvents = []string{
	`{"type":"track","event":"Order Completed","messageId":"m1","userId":"u1","anonymousId":"a1","timestamp":"2026-01-01T11:00:00Z","originalTimestamp":"2026-01-01T10:59:00Z",
		"receivedAt":"2026-01-01T11:00:01Z","sentAt":"2026-01-01T11:00:00Z","channel":"web","properties":{"order_id":"o1","revenue":59.9,"total":70,"tax":5,"shipping":"5.10",
		"subtotal":60,"value":60,"discount":3,"currency":"EUR","coupon":"C1","category":"Shoes","products":[{"product_id":"p1","price":10,"quantity":2,"category":"Boots"},{"price":"39.90","quantity":1}]},
		"context":{"traits":{"email":"ann@x.org","phone":"+12125550123"},"library":{"name":"analytics.js"},"os":{"name":"iOS"},
		"device":{"id":"D1","type":"ios","advertisingId":"aebe52e7-03ee-455a-b3c4-e57283966239","token":"t1"},"externalIds":[{"id":"u2","type":"crm_id"}],
		"integrations":{"Google Analytics":{"clientId":"1.2"}}}}`,
	`{"type":"identify","messageId":"m2","userId":"u1","anonymousId":"a1","timestamp":"2026-01-01T11:00:00Z","traits":{"email":"ann@x.org","phone":"+12125550123","plan":"paid"},
		"context":{"traits":{"plan":"free","city":"Rome"}}}`,
	`{"type":"page","name":"Home","messageId":"m3","anonymousId":"a1","userId":"u1","originalTimestamp":"2026-01-01T11:00:00Z","sentAt":"2026-01-01T11:00:00Z","properties":{"path":"/"}}`,
	`{"type":"track","event":"Offer Sent","messageId":"m4","userId":"u1","anonymousId":"a1","timestamp":1767265200000,"properties":{"offer_id":"F1","offerId":"F2","offer_class":"gold",
		"until":"2026-03-01T00:00:00Z","expires_at":"2026-04-01T00:00:00Z"}}`,
	`{"type":"track","event":"Product List Viewed","messageId":"m5","userId":"u1","anonymousId":"a1","receivedAt":"2026-01-01T11:00:01Z",
		"properties":{"products":[{"category":"Boots"},{"item_category":"Hats"}]}}`,
	`{"type":"track","event":"view_item","messageId":"m6","userId":"u1","anonymousId":"a1","timestamp":"2026-01-01T11:00:00Z","properties":{"item_category":"Hats","items":[{"item_category":"Caps"}]}}`,
	`{"type":"track","event":"Order Refunded","messageId":"m7","userId":"u1","anonymousId":"a1","timestamp":"2026-01-01T11:00:00Z","properties":{"order_id":"o1","total":5,"currency":"EUR"}}`,
	`{"type":"track","event":"Coupon Applied","messageId":"m8","userId":"u1","anonymousId":"a1","timestamp":"2026-01-01T11:00:00Z","properties":{"coupon_id":"C1","coupon":"C2"}}`,
	`{"type":"alias","messageId":"m9","userId":"u1","anonymousId":"a1","previousId":"u0","timestamp":"2026-01-01T11:00:00Z"}`,
	`{"type":"group","messageId":"m10","userId":"u1","anonymousId":"a1","groupId":"g1","timestamp":"2026-01-01T11:00:00Z","traits":{"name":"Acme"}}`,
}

// fieldKind is what a field should hold, and so what is odd in it.
type fieldKind struct {
	odd []string // JSON texts that it can't hold
}

var (
	oddContainers = []string{`{"a":1}`, `["a"]`, `[[]]`, `true`, `false`}
	kindText      = fieldKind{oddContainers}
	kindName      = fieldKind{append([]string{`7`, `-0.5`}, oddContainers...)}
	kindObject    = fieldKind{[]string{`"x"`, `""`, `7`, `true`, `false`, `["a"]`, `[[]]`, `[{}]`}}
	kindList      = fieldKind{[]string{`"x"`, `""`, `7`, `true`, `false`, `{"a":1}`}}
	kindTime      = fieldKind{append([]string{
		`""`, `" "`, `"Invalid Date"`, `"yesterday"`, `"0001-01-01T00:00:00Z"`, `"1970-01-01T00:00:00Z"`, `"2100-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`, `0`, `-1`, `1e300`, `-1e300`,
		`"2026-13-01T00:00:00Z"`, `"10/01/2026"`, `"2026-01-01T13:00:00 AM"`, `"{{timestamp}}"`, `"\u0000"`, `"NaN"`, `12345678901234567890`,
	}, oddContainers...)}
	kindID       = fieldKind{append([]string{`"null"`, `"(not set)"`, `"[object Object]"`, `"00000000-0000-0000-0000-000000000000"`, `"a\u0000b"`, `0`, `0.0`, `"` + strings.Repeat("x", 600) + `"`}, oddContainers...)}
	kindEmail    = fieldKind{append([]string{`"nobody"`, `"a b@x.org"`, `"ann@example"`, `7`}, kindID.odd...)}
	kindPhone    = fieldKind{append([]string{`"+1"`, `"4.47911E+11"`, `"call me"`}, kindID.odd...)}
	kindAmount   = fieldKind{append([]string{`"n/a"`, `"10%"`, `"NaN"`, `"Infinity"`, `"ZWG 5"`, `"lots"`, `1e300`, `"5.-"`, `"\u0000"`}, oddContainers...)}
	kindCoupon   = fieldKind{[]string{`true`, `false`, `[]`, `[[]]`, `{"a":1}`}}
	kindCurrency = fieldKind{append([]string{`"dollars"`, `"??"`, `"ZZZ"`, `"EURO"`, `7`}, oddContainers...)}
	kindDeadline = fieldKind{append([]string{`" "`, `"soon"`, `"1969-12-31T00:00:00Z"`, `-1`, `"\u00e9"`}, oddContainers...)}
)

// knownFields are the fields that the decoder knows, by their path, with a # for each element of a list.
var knownFields = map[string]fieldKind{
	"event": kindName, "name": kindName, "messageId": kindText, "channel": kindText,
	"timestamp": kindTime, "originalTimestamp": kindTime, "receivedAt": kindTime,
	"properties": kindObject, "traits": kindObject, "context": kindObject, "context.traits": kindObject, "context.device": kindObject,
	"context.integrations": kindObject, "context.os.name": kindText, "context.library.name": kindText, "context.device.type": kindText,
	"context.library": {[]string{`7`, `true`, `["a"]`}}, "context.os": {[]string{`7`, `true`, `["a"]`}},
	"context.externalIds": kindList, "context.externalIds.#": {[]string{`"x"`, `7`, `true`, `["a"]`}},
	"userId": kindID, "anonymousId": kindID, "previousId": kindID, "traits.email": kindEmail, "traits.phone": kindPhone,
	"context.traits.email": kindEmail, "context.traits.phone": kindPhone, "context.device.id": kindID, "context.device.advertisingId": kindID,
	"context.device.token": kindID, "context.externalIds.#.id": kindID, "context.integrations.Google Analytics.clientId": kindID,
	"properties.revenue": kindAmount, "properties.total": kindAmount, "properties.tax": kindAmount, "properties.shipping": kindAmount,
	"properties.subtotal": kindAmount, "properties.value": kindAmount, "properties.discount": kindAmount, "properties.products.#.price": kindAmount,
	"properties.products.#.quantity": kindAmount, "properties.currency": kindCurrency, "properties.coupon": kindCoupon, "properties.order_id": kindText,
	"properties.products": kindList, "properties.items": kindList, "properties.products.#": {[]string{`"x"`, `7`, `true`, `["a"]`}},
	"properties.category": kindText, "properties.item_category": kindText, "properties.products.#.category": kindText,
	"properties.products.#.item_category": kindText, "properties.items.#.item_category": kindText,
	"properties.offer_id": kindText, "properties.offerId": kindText, "properties.offer_class": kindText, "properties.coupon_id": kindText,
	"properties.until": kindDeadline, "properties.expires_at": kindDeadline,
}

// ofMoney are the fields of an order's money. What such a field costs is more than itself, so that nothing is guessed: an odd
// tax makes a total no net revenue (docs/data.md, Money). It costs nothing but money.
var ofMoney = func() map[string]bool {
	fields := map[string]bool{"properties.currency": true, "properties.products": true, "properties.items": true, "properties.products.#": true}
	for field, kind := range knownFields {
		fields[field] = fields[field] || reflect.DeepEqual(kind, kindAmount)
	}
	return fields
}()

// secondBest are fields that are only read where a better one is not there.
var secondBest = map[string]bool{
	"originalTimestamp": true, "receivedAt": true, "properties.expires_at": true, "properties.items": true, "properties.item_category": true,
	"properties.products.#.category": true, "properties.products.#.item_category": true, "properties.items.#.item_category": true,
}

// place is a field of a good event.
type place struct {
	event int
	path  []string // keys, and the numbers of elements
	field string   // in knownFields
}

// name is the field as it is told: with [] for an element.
func (p place) name() string { return strings.ReplaceAll(p.field, ".#", "[]") }

// places are all known fields of the good events.
func places(t *testing.T) []place {
	var all []place
	seen := map[string]bool{}
	for i, text := range goodEvents {
		var walk func(v any, path []string, field string)
		walk = func(v any, path []string, field string) {
			if _, ok := knownFields[field]; ok {
				all = append(all, place{i, slices.Clone(path), field})
				seen[field] = true
			}
			switch v := v.(type) {
			case map[string]any:
				for _, key := range slices.Sorted(maps.Keys(v)) {
					walk(v[key], append(path, key), strings.TrimPrefix(field+"."+key, "."))
				}
			case []any:
				for n := range v {
					walk(v[n], append(path, fmt.Sprint(n)), field+".#")
				}
			}
		}
		walk(parsed(t, []byte(text)), nil, "")
	}
	for field := range knownFields {
		if !seen[field] {
			t.Fatalf("no good event has %s", field)
		}
	}
	return all
}

func parsed(t testing.TB, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// with puts odd in the place of a field of an event, or takes the field out where odd is "".
func (p place) with(t testing.TB, event any, odd string) any {
	in := event
	for i, key := range p.path {
		last := i == len(p.path)-1
		switch at := in.(type) {
		case map[string]any:
			switch {
			case !last:
				in = at[key]
			case odd == "":
				delete(at, key)
			default:
				at[key] = json.RawMessage(odd)
			}
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil {
				panic(err)
			}
			switch {
			case !last:
				in = at[n]
			case odd == "":
				at[n] = map[string]any{}
			default:
				at[n] = json.RawMessage(odd)
			}
		}
	}
	return event
}

// taken is what is taken of an event: everything but the field's own text.
func (p place) taken(t testing.TB, ev *graph.Event) graph.Event {
	e := *ev
	e.Seen, e.Stamp.Tie = 0, 0 // they are of all that was sent
	if ofMoney[p.field] {
		e.Order = graph.OrderChange{Kind: e.Order.Kind, ID: e.Order.ID, Coupon: e.Order.Coupon}
	}
	if p.field == "messageId" { // the id is then made of the text
		e.ID, e.Order.ID = nil, nil
	}
	if trait, ok := strings.CutPrefix(strings.TrimPrefix(p.field, "context."), "traits."); ok { // kept as a trait, whatever it is
		e.Traits = slices.DeleteFunc(slices.Clone(e.Traits), func(t graph.Trait) bool { return string(t.Name) == trait })
	}
	if p.field == "properties" || strings.HasPrefix(p.field, "properties.") {
		if e.Properties != nil { // kept as they were sent, the odd field in them
			v := place{path: p.path[1:]}.with(t, parsed(t, e.Properties), "")
			e.Properties, _ = json.Marshal(v)
		}
	} else if e.Properties != nil {
		e.Properties, _ = json.Marshal(parsed(t, e.Properties))
	}
	if e.Context != nil && strings.HasPrefix(p.field, "context.") {
		kept, _ := place{path: p.path[1:]}.with(t, parsed(t, e.Context), "").(map[string]any)
		maps.DeleteFunc(kept, func(_ string, v any) bool { // what has nothing else in it is as if it were not there
			m, ok := v.(map[string]any)
			return v == nil || ok && len(m) == 0
		})
		if e.Context, _ = json.Marshal(kept); len(kept) == 0 {
			e.Context = nil
		}
	}
	return e
}

// One odd field in a good event: everything else of the event is taken, always, as if the field were not there; and
// what was left out is told by its name.
func TestOneOddField(t *testing.T) {
	all := places(t)
	read := func(r failer, event any) (*graph.Event, Stats) {
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder(testRegistry(t), Options{})
		ev := new(graph.Event)
		if err := d.Event(text, now, web, ev); err != nil {
			r.Fatalf("%s: %v", text, err)
		}
		checkEvent(t, ev)
		return ev, d.Stats()
	}
	var drawn []func(*rapid.T)
	for _, p := range all {
		good := []byte(goodEvents[p.event])
		want, clean := read(t, p.with(t, parsed(t, good), ""))
		if len(clean.Fields) > 0 {
			t.Fatalf("without %s: %v is dropped", p.name(), clean.Fields)
		}
		check := func(r failer, odd string) {
			got, stats := read(r, p.with(t, parsed(t, good), odd))
			if a, b := p.taken(t, got), p.taken(t, want); !reflect.DeepEqual(a, b) {
				r.Fatalf("%s is %s:\n got %+v\nwant %+v", p.name(), odd, a, b)
			}
			told := uint64(0)
			for key, n := range stats.Fields {
				if key.Field != p.name() {
					r.Fatalf("%s is %s: %s is dropped", p.name(), odd, key.Field)
				}
				told += n
			}
			if told == 0 && !secondBest[p.field] {
				r.Fatalf("%s is %s, and nothing is told", p.name(), odd)
			}
		}
		for _, odd := range knownFields[p.field].odd {
			check(t, odd)
		}
		if slices.Contains(knownFields[p.field].odd, `{"a":1}`) {
			drawn = append(drawn, func(r *rapid.T) { check(r, oddValue(r)) })
		}
	}
	rapid.Check(t, func(r *rapid.T) { rapid.SampledFrom(drawn).Draw(r, "place")(r) })
}

// failer is a test, or a check of one.
type failer interface {
	Fatalf(format string, args ...any)
}

// oddValue draws an object of odd things, which no field can hold but those that are objects.
func oddValue(r *rapid.T) string {
	leaf := rapid.SampledFrom([]string{`1`, `"x"`, `true`, `null`, `""`, `-1e300`, `"\ud800"`, `{}`, `[]`, `"2026-01-01T00:00:00Z"`})
	var draw func(depth int) string
	draw = func(depth int) string {
		parts := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) string { return leaf.Draw(r, "leaf") }), 1, 3).Draw(r, "list")
		if depth > 0 {
			parts = append(parts, draw(depth-1), `{"a":`+draw(depth-1)+`}`)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return `{"id":` + draw(rapid.IntRange(0, 3).Draw(r, "depth")) + `}`
}
