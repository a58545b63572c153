package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// The truth equals the result of a reader of the lines alone, in the order of arrival, with another algorithm: a walk
// over the neighbours of each identifier, and decimal arithmetic.
func TestTruth(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
	}{
		{"every difficulty", func(c *Config) {}},
		{"another seed", func(c *Config) { c.Seed = 99 }},
		{"more of everything", func(c *Config) {
			c.Household, c.SharedTablet, c.Junk, c.Refund, c.Cancel, c.Update, c.Copy = 0.5, 0.5, 0.3, 0.5, 0.3, 0.4, 0.5
			c.Discount, c.RawForms, c.Alias, c.LateLogin, c.TextMoney = 0.8, 0.6, 0.5, 0.9, 0.5
		}},
		{"few people, much to do", func(c *Config) { c.People = 60 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := small()
			test.change(&cfg)
			g := newGenerator(t, cfg)
			truth := g.KeepTruth()
			events := distinct(parse(t, drain(g)))
			want := recompute(t, events)
			var got bytes.Buffer
			if err := truth.WriteTruth(&got); err != nil {
				t.Fatal(err)
			}
			if truth.Events() != len(events) {
				t.Errorf("the truth has %d events, the stream %d", truth.Events(), len(events))
			}
			if truth.Identities() != len(want) {
				t.Errorf("the truth has %d identities, want %d", truth.Identities(), len(want))
			}
			lines := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
			for i := range min(len(lines), len(want)) {
				if !sameJSON(json.RawMessage(lines[i]), json.RawMessage(want[i])) {
					t.Fatalf("line %d\n%s, want\n%s", i+1, lines[i], want[i])
				}
			}
			if len(lines) != len(want) {
				t.Errorf("%d lines, want %d", len(lines), len(want))
			}
		})
	}
}

// recompute gives the truth's lines, from the events alone.
func recompute(t *testing.T, events []parsedEvent) []string {
	t.Helper()
	of := make([][]string, len(events)) // identifiers by event
	at := map[string][]int{}            // events by identifier
	for i := range events {
		of[i], _ = events[i].identifiers(t)
		for _, id := range of[i] {
			at[id] = append(at[id], i)
		}
	}
	done := map[string]bool{}
	byKey := map[string]string{}
	for start := range at {
		if done[start] {
			continue
		}
		done[start] = true
		ids, members := []string{start}, map[int]bool{}
		for next := 0; next < len(ids); next++ {
			for _, i := range at[ids[next]] {
				members[i] = true
				for _, id := range of[i] {
					if !done[id] {
						done[id] = true
						ids = append(ids, id)
					}
				}
			}
		}
		slices.Sort(ids)
		byKey[ids[0]] = recomputeLine(t, events, ids, members, at)
	}
	return valuesByKey(byKey)
}

func valuesByKey(m map[string]string) (values []string) {
	for _, k := range keysOfBoth(m, nil) {
		values = append(values, m[k])
	}
	return values
}

func recomputeLine(t *testing.T, events []parsedEvent, ids []string, members map[int]bool, at map[string][]int) string {
	t.Helper()
	var own []*parsedEvent
	for i := range members {
		own = append(own, &events[i])
	}
	slices.SortFunc(own, func(a, b *parsedEvent) int { return a.Timestamp.Compare(b.Timestamp) })
	const form = "2006-01-02T15:04:05.000Z"
	line := map[string]any{
		"events": len(own), "first_seen": own[0].Timestamp.Format(form), "last_seen": own[len(own)-1].Timestamp.Format(form),
	}
	var identifiers []map[string]any
	for _, id := range ids {
		first, last := events[at[id][0]].Timestamp, events[at[id][0]].Timestamp
		for _, i := range at[id] {
			if at := events[i].Timestamp; at.Before(first) {
				first = at
			} else if at.After(last) {
				last = at
			}
		}
		namespace, value, _ := strings.Cut(id, ":")
		identifiers = append(identifiers, map[string]any{
			"namespace": namespace, "value": value, "first_seen": first.Format(form), "last_seen": last.Format(form),
		})
	}
	line["identifiers"] = identifiers
	counts, traits := map[string]int{}, map[string]json.RawMessage{}
	for _, e := range own {
		counts[e.Type]++
		if e.Type == "identify" {
			for name, value := range e.Traits {
				traits[name] = value
				if string(value) == "null" {
					delete(traits, name)
				}
			}
		}
	}
	line["counts"], line["traits"] = counts, traits
	recomputeOrders(t, own, line)
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// amount reads a decimal, as a number or as text.
func amount(t *testing.T, raw json.RawMessage) *big.Rat {
	t.Helper()
	if raw == nil {
		return new(big.Rat)
	}
	value, ok := new(big.Rat).SetString(strings.Trim(string(raw), `"`))
	if !ok {
		t.Fatalf("amount %s", raw)
	}
	return value
}

// items sums price times quantity.
func items(t *testing.T, properties map[string]json.RawMessage) *big.Rat {
	t.Helper()
	var products []struct {
		Price    json.Number
		Quantity int64
	}
	if err := json.Unmarshal(properties["products"], &products); err != nil {
		t.Fatal(err)
	}
	sum := new(big.Rat)
	for _, p := range products {
		sum.Add(sum, new(big.Rat).Mul(amount(t, json.RawMessage(p.Price)), big.NewRat(p.Quantity, 1)))
	}
	return sum
}

// net is an order's net revenue by every property that could give it, which must agree (G5).
func net(t *testing.T, e *parsedEvent) *big.Rat {
	t.Helper()
	p := e.Properties
	byItems := items(t, p)
	byItems.Sub(byItems, amount(t, p["discount"]))
	for _, name := range []string{"revenue", "subtotal", "value"} {
		if p[name] != nil && amount(t, p[name]).Cmp(byItems) != 0 {
			t.Fatalf("G5: %s is not the sum of the items less discount: %s", name, e.line)
		}
	}
	if p["total"] != nil {
		total := amount(t, p["total"])
		total.Sub(total.Sub(total, amount(t, p["tax"])), amount(t, p["shipping"]))
		if total.Cmp(byItems) != 0 {
			t.Fatalf("G5: total less tax and shipping is not the sum of the items less discount: %s", e.line)
		}
	}
	if string(p["currency"]) != `"USD"` {
		t.Fatalf("currency of %s", e.line)
	}
	return byItems
}

func recomputeOrders(t *testing.T, own []*parsedEvent, line map[string]any) {
	t.Helper()
	type state struct {
		placed, cancelled, full, coupon bool
		net, discount, refund           *big.Rat
	}
	orders := map[string]*state{}
	for _, e := range own { // by time
		switch e.Event {
		case "Order Completed", "Order Updated", "Order Cancelled", "Order Refunded":
		default:
			continue
		}
		id := string(e.Properties["order_id"])
		if orders[id] == nil {
			orders[id] = &state{refund: new(big.Rat)}
		}
		o := orders[id]
		switch e.Event {
		case "Order Completed", "Order Updated":
			o.placed, o.net, o.discount, o.coupon = true, net(t, e), amount(t, e.Properties["discount"]), e.Properties["coupon"] != nil
		case "Order Cancelled":
			o.cancelled = true
		case "Order Refunded":
			if e.Properties["total"] == nil {
				o.full = true
				break
			}
			back := amount(t, e.Properties["total"])
			if back.Cmp(items(t, e.Properties)) != 0 {
				t.Fatalf("the refund is not what the items cost: %s", e.line)
			}
			o.refund.Add(o.refund, back)
		}
	}
	count, discounted, revenue, discount := 0, 0, new(big.Rat), new(big.Rat)
	for _, o := range orders {
		if !o.placed || o.cancelled {
			continue
		}
		count++
		discount.Add(discount, o.discount)
		if o.discount.Sign() > 0 || o.coupon {
			discounted++
		}
		if !o.full && o.refund.Cmp(o.net) < 0 {
			revenue.Add(revenue, new(big.Rat).Sub(o.net, o.refund))
		}
	}
	line["orders"], line["discounted_orders"] = count, discounted
	line["revenue"], line["discount"] = json.Number(revenue.FloatString(2)), json.Number(discount.FloatString(2))
}

// The identifiers that people really use are those in their events, and the truth of people covers the stream.
func TestPeople(t *testing.T) {
	cfg := small()
	cfg.Household, cfg.SharedTablet = 0.3, 0.3
	g := newGenerator(t, cfg)
	truth := g.KeepTruth()
	seen := map[string]bool{}
	for _, e := range parse(t, drain(g)) {
		ids, _ := e.identifiers(t)
		for _, id := range ids {
			seen[id] = true
		}
	}
	var out bytes.Buffer
	if err := truth.WritePeople(&out); err != nil {
		t.Fatal(err)
	}
	owners, previous := map[string][]int{}, -1
	for line := range bytes.Lines(out.Bytes()) {
		var p struct {
			Person      int
			Identifiers []exported
		}
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatal(err)
		}
		if p.Person <= previous || len(p.Identifiers) == 0 {
			t.Fatalf("person %d with %d identifiers after %d", p.Person, len(p.Identifiers), previous)
		}
		previous = p.Person
		for i := range p.Identifiers {
			owners[p.Identifiers[i].key()] = append(owners[p.Identifiers[i].key()], p.Person)
		}
	}
	shared := map[string]int{}
	for id, people := range owners {
		namespace, _, _ := strings.Cut(id, ":")
		switch {
		case !seen[id]:
			t.Errorf("%s of person %d is in no event", id, people[0])
		case len(people) == 1:
		case len(people) > 2 || people[0]^1 != people[1]:
			t.Errorf("people %v share %s", people, id)
		default:
			shared[namespace]++
		}
	}
	if shared["anonymous_id"] == 0 || shared["device_id"] == 0 || shared["user_id"]+shared["email"]+shared["phone"]+shared["loyalty_card"] > 0 {
		t.Errorf("shared identifiers by namespace: %v", shared)
	}
	generic := map[string]bool{}
	for centre := range uint64(cfg.People) {
		generic["email:"+string(identOf(idGenericEmail, centre).appendValue(nil, cfg.Seed, formNormal))] = true
		generic["phone:"+string(identOf(idGenericPhone, centre).appendValue(nil, cfg.Seed, formNormal))] = true
	}
	for id := range seen {
		if len(owners[id]) == 0 && !generic[id] {
			t.Errorf("%s belongs to nobody", id)
		}
	}
}

func TestClock(t *testing.T) {
	var c clock
	for _, at := range []string{"1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2025-01-01T00:00:00.001Z", "2025-01-01T13:04:05.060Z", "2100-12-31T10:00:00.500Z"} {
		want, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(c.append(nil, want.UnixMilli())); got != at {
			t.Errorf("%s, want %s", got, at)
		}
	}
}

// Different idents have different values, in every namespace.
func TestIdentifiersAreDistinct(t *testing.T) {
	const many = 20_000
	for _, namespace := range []string{"user_id", "email", "phone", "loyalty_card", "device_id", "anonymous_id", "ga_client_id"} {
		seen := map[string]ident{}
		for kind := idUser; kind < identKinds; kind++ {
			if namespaces[kind] != namespace {
				continue
			}
			for i := range uint64(many) {
				id := identOf(kind, i*uint64(maxPeople/many))
				value := string(id.appendValue(nil, 1, formNormal))
				if other, twice := seen[value]; twice {
					t.Fatalf("%s of kind %d number %d and kind %d number %d", value, id.kind(), id.number(), other.kind(), other.number())
				}
				seen[value] = id
			}
		}
		if len(seen) == 0 {
			t.Errorf("no kind of namespace %s", namespace)
		}
	}
}

func TestMoney(t *testing.T) {
	for cents, want := range map[int64]string{0: "0.00", 5: "0.05", 99: "0.99", 100: "1.00", 123456: "1234.56", 100_000_000_000: "1000000000.00", -250: "-2.50"} {
		if got := string(appendMoney(nil, cents)); got != want {
			t.Errorf("%d cents are %s, want %s", cents, got, want)
		}
	}
}

func ExampleGenerator() {
	cfg := Default()
	cfg.People, cfg.Events, cfg.Disorder.Share = 1, 3, 0
	g, err := New(cfg)
	if err != nil {
		panic(err)
	}
	truth := g.KeepTruth()
	for line, ok := g.Next(nil); ok; line, ok = g.Next(line[:0]) {
	}
	fmt.Println(truth.Events(), "events of", truth.Identities(), "identity")
	// Output: 3 events of 1 identity
}
