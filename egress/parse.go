package egress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/money"
)

// Parse reads the format of Append, which lacks the ranks and ties of stamps.
func Parse(text []byte) (feed.Event, error) {
	var raw document.Change
	if err := json.Unmarshal(text, &raw); err != nil {
		return feed.Event{}, fmt.Errorf("CloudEvent: %w", err)
	}
	e, err := entry(&raw)
	if err != nil {
		return feed.Event{}, fmt.Errorf("CloudEvent %q: %w", raw.ID, err)
	}
	return e, nil
}

// entry reads the entry of a CloudEvent.
//
// The attributes give the head of the entry, and data gives the rest by kind:
//
//	type     kind of the entry        id    SHARD-NUMBER, both decimal, of 16 and 64 bits
//	time     when, ms as RFC 3339     data  identity, identifier, losers, into, cause; rules, a version in hexadecimal
//	subject  public id of the person
//
// The kind comes from the type, which must be the one that this version writes for the kind. Attributes beside these
// are ignored.
func entry(c *document.Change) (out feed.Event, err error) {
	out.Kind = graph.ParseFeedKind(c.Kind())
	if out.Kind == 0 || Type(out.Kind) != c.Type {
		return out, fmt.Errorf("type %q: not a type of the change feed", c.Type)
	}
	shard, number, ok := strings.Cut(c.ID, "-")
	n, wrong := strconv.ParseUint(shard, 10, 16)
	if out.Number, err = strconv.ParseUint(number, 10, 64); !ok || wrong != nil || err != nil {
		return out, fmt.Errorf("id %q: want SHARD-NUMBER", c.ID)
	}
	out.Shard = graph.ShardID(n)
	if out.At, err = parseTime(c.Time); err != nil {
		return out, err
	}
	if out.ID, err = graph.ParseNodeKey(c.Subject); err != nil {
		return out, fmt.Errorf("subject: %w", err)
	}
	rules, err := parseData(&out, c.Data)
	if err != nil {
		return out, fmt.Errorf("data: %w", err)
	}
	if out.Rules, err = strconv.ParseUint(rules, 16, 64); err != nil {
		return out, fmt.Errorf("rules: %w", err)
	}
	return out, nil
}

// parseData reads the fields of the entry's kind, and returns the version of the rules.
func parseData(out *feed.Event, text []byte) (rules string, err error) {
	switch out.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		var d document.IdentityChange
		if err = json.Unmarshal(text, &d); err == nil {
			out.Delta, err = parseDelta(&d.Identity)
			out.Delta.Full = d.Complete
		}
		return d.Rules, err
	case graph.FeedLinked:
		var d document.Linked
		if err = json.Unmarshal(text, &d); err == nil {
			if out.Name, err = parseName(&d.Identifier); err == nil {
				out.Cause, err = parseCause(d.Cause)
			}
		}
		return d.Rules, err
	case graph.FeedMerged:
		var d document.Merged
		if err = json.Unmarshal(text, &d); err == nil {
			if out.Others, err = parseKeys(d.Losers); err == nil {
				out.Cause, err = parseCause(d.Cause)
			}
		}
		return d.Rules, err
	case graph.FeedSplit:
		var d document.Split
		if err = json.Unmarshal(text, &d); err == nil {
			out.Others, err = parseKeys(d.Into)
		}
		return d.Rules, err
	case graph.FeedGeneric:
		var d document.GenericValue
		if err = json.Unmarshal(text, &d); err == nil {
			out.Name, err = parseName(&d.Identifier)
		}
		return d.Rules, err
	case graph.FeedEntered, graph.FeedExited:
		var d document.AudienceChange
		if err = json.Unmarshal(text, &d); err == nil {
			err = parseMembership(out, &d)
		}
		return d.Rules, err
	default:
		// FeedErased: the data hold the rules alone.
		var d document.Erased
		err = json.Unmarshal(text, &d)
		return d.Rules, err
	}
}

// parseMembership reads who entered or left an audience, and why.
func parseMembership(out *feed.Event, d *document.AudienceChange) (err error) {
	out.Audience, out.Why = d.Audience, graph.ParseAudienceCause(d.Cause.Kind)
	if out.Why == 0 {
		return fmt.Errorf("cause %q: nothing brings anybody into an audience by that name", d.Cause.Kind)
	}
	if e := d.Cause.Event; e != nil {
		out.Cause.Mark = graph.Mark{ID: []byte(e.MessageID), Source: []byte(e.Source)}
		out.Cause.Mark.Stamp.Time, err = parseTime(e.Time)
	}
	return err
}

// parseTime reads a time of a document into ms since 1970 UTC.
func parseTime(t document.Time) (ms int64, err error) {
	at, err := time.Parse(time.RFC3339Nano, string(t))
	return at.UnixMilli(), err
}

// parseKeys reads public ids. No ids give nil and not an empty list.
func parseKeys(ids []string) ([]graph.NodeKey, error) {
	var keys []graph.NodeKey
	for _, id := range ids {
		key, err := graph.ParseNodeKey(id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// parseName reads an identifier. The key comes from its id: to compute it from namespace and value takes the registry.
func parseName(n *document.IdentifierName) (graph.NodeName, error) {
	key, err := graph.ParseNodeKey(n.ID)
	return graph.NodeName{Key: key, Namespace: n.Namespace, Value: n.Value}, err
}

// parseCause reads the cause of an entry; the zero Cause for null. The rank and the tie of the event's stamp are not
// in JSON: what reads entries does not order by them.
func parseCause(c *document.Cause) (out graph.Cause, err error) {
	if c == nil {
		return out, nil
	}
	for v := graph.VerbObserve; v <= graph.VerbForce; v++ {
		if v.String() == c.Verb {
			out.Verb = v
		}
	}
	if out.Verb == 0 {
		return out, fmt.Errorf("verb %q of the cause: not a verb of a link", c.Verb)
	}
	for i := range c.Between {
		if out.By[i], err = parseName(&c.Between[i]); err != nil {
			return out, err
		}
	}
	if out.Assertion = c.Assertion; out.Assertion == "" && c.Event != nil {
		out.Mark = graph.Mark{ID: []byte(c.Event.MessageID), Source: []byte(c.Event.Source)}
		out.Mark.Stamp.Time, err = parseTime(c.Event.Time)
	}
	return out, err
}

// parseDelta reads the changes of an identity. Members of an object have no order, so traits and currencies are sorted
// as entries of the feed have them: equal entries are equal after a round trip (E1).
func parseDelta(doc *document.IdentityDelta) (d graph.Delta, err error) {
	if doc.Events != nil {
		d.Fields |= graph.DeltaEvents
		d.Events = *doc.Events
	}
	for _, side := range [...]struct {
		field graph.DeltaFields
		from  *document.Time
		to    *int64
	}{{graph.DeltaFirst, doc.FirstSeen, &d.First}, {graph.DeltaLast, doc.LastSeen, &d.Last}} {
		if side.from == nil {
			continue
		}
		d.Fields |= side.field
		if *side.to, err = parseTime(*side.from); err != nil {
			return d, err
		}
	}
	if d.Counts, err = parseCounts(doc.Counts); err != nil {
		return d, err
	}
	for i := range doc.Identifiers {
		s, err := parseSighting(&doc.Identifiers[i])
		if err != nil {
			return d, err
		}
		d.Identifiers = append(d.Identifiers, s)
	}
	if d.Left, err = parseKeys(doc.IdentifiersLeft); err != nil {
		return d, err
	}
	for name, value := range doc.Traits {
		t := graph.TraitValue{Name: name}
		if !bytes.Equal(value, []byte("null")) {
			t.Value = value
		}
		d.Traits = append(d.Traits, t)
	}
	slices.SortFunc(d.Traits, func(a, b graph.TraitValue) int { return strings.Compare(a.Name, b.Name) })
	for code, sums := range doc.ByCurrency {
		m, err := parseMoney(code, sums)
		if err != nil {
			return d, fmt.Errorf("by_currency: %q: %w", code, err)
		}
		d.Money = append(d.Money, m)
	}
	slices.SortFunc(d.Money, func(a, b graph.Money) int { return bytes.Compare(a.Currency[:], b.Currency[:]) })
	return d, nil
}

// parseCounts reads the counts by type of event, in the order of types. null is a count of 0: the identity has no
// event of the type any more.
func parseCounts(doc *document.CountsDelta) (counts []graph.TypeCount, err error) {
	if doc == nil {
		return nil, nil
	}
	for t, text := range map[graph.EventType]document.CountOrNull{
		graph.TypeIdentify: doc.Identify, graph.TypeTrack: doc.Track, graph.TypePage: doc.Page,
		graph.TypeScreen: doc.Screen, graph.TypeGroup: doc.Group, graph.TypeAlias: doc.Alias,
	} {
		count := graph.TypeCount{Type: t}
		switch text {
		case "":
			continue
		case "null":
		default:
			if count.Count, err = strconv.ParseUint(string(text), 10, 64); err != nil {
				return nil, err
			}
		}
		counts = append(counts, count)
	}
	slices.SortFunc(counts, func(a, b graph.TypeCount) int { return int(a.Type) - int(b.Type) })
	return counts, nil
}

// parseSighting reads an identifier with its first and last time. One without events has neither.
func parseSighting(doc *document.Sighting) (s graph.Sighting, err error) {
	if s.NodeName, err = parseName(&doc.IdentifierName); err != nil || doc.FirstSeen == "" || doc.LastSeen == "" {
		return s, err
	}
	if s.First, err = parseTime(document.Time(doc.FirstSeen)); err != nil {
		return s, err
	}
	s.Last, err = parseTime(document.Time(doc.LastSeen))
	return s, err
}

// parseMoney reads the sums of a currency; nil means that it has no orders any more.
func parseMoney(code string, m *document.Sums) (out graph.Money, err error) {
	if code != "" {
		if out.Currency, err = money.ParseCurrency([]byte(code)); err != nil {
			return out, err
		}
	}
	if m == nil {
		return out, nil
	}
	out.Orders, out.Discounted = m.Orders, m.DiscountedOrders
	if out.Revenue, err = minor(m.Revenue, out.Currency); err != nil {
		return out, err
	}
	out.Discount, err = minor(m.Discount, out.Currency)
	return out, err
}

// minor reads an amount into minor units of its currency. Sums may be negative, after refunds, and money.Parse takes
// none of those.
func minor(number json.Number, c graph.Currency) (int64, error) {
	text, negative := strings.CutPrefix(string(number), "-")
	n, err := money.Parse([]byte(text), money.Exponent(c))
	if negative {
		n = -n
	}
	return n, err
}
