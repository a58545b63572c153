package egress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/money"
)

// Event is a CloudEvent of the change feed as its readers get it.
type Event struct {
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// Kind is the entry's kind by its short name, "updated"; the whole type where that is not one of ours.
func (e *Event) Kind() string { return e.Type[strings.LastIndexByte(e.Type, '.')+1:] }

// Parse reads what Append wrote. Ranks and ties of stamps are not in there.
func Parse(text []byte) (actors.FeedEvent, error) {
	var raw Event
	if err := json.Unmarshal(text, &raw); err != nil {
		return actors.FeedEvent{}, fmt.Errorf("CloudEvent: %w", err)
	}
	e, err := raw.entry()
	if err != nil {
		return actors.FeedEvent{}, fmt.Errorf("CloudEvent %q: %w", raw.ID, err)
	}
	return e, nil
}

type nameDocument struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

type causeDocument struct {
	Verb      string          `json:"verb"`
	Between   [2]nameDocument `json:"between"`
	Assertion string          `json:"assertion"`
	Event     struct {
		Source    string    `json:"source"`
		MessageID string    `json:"message_id"`
		Time      time.Time `json:"time"`
	} `json:"event"`
}

type moneyDocument struct {
	Orders     uint64      `json:"orders"`
	Revenue    json.Number `json:"revenue"`
	Discount   json.Number `json:"discount"`
	Discounted uint64      `json:"discounted_orders"`
}

type identityDocument struct {
	Events      *uint64           `json:"events"`
	First       *time.Time        `json:"first_seen"`
	Last        *time.Time        `json:"last_seen"`
	Counts      map[string]uint64 `json:"counts"`
	Identifiers []struct {
		nameDocument
		First *time.Time `json:"first_seen"`
		Last  *time.Time `json:"last_seen"`
	} `json:"identifiers"`
	Left   []string                   `json:"identifiers_left"`
	Traits map[string]json.RawMessage `json:"traits"`
	Money  map[string]*moneyDocument  `json:"money"`
}

type dataDocument struct {
	Rules      string           `json:"rules"`
	Complete   bool             `json:"complete"`
	Identity   identityDocument `json:"identity"`
	Identifier nameDocument     `json:"identifier"`
	Losers     []string         `json:"losers"`
	Into       []string         `json:"into"`
	Cause      *causeDocument   `json:"cause"`
}

func (e *Event) entry() (out actors.FeedEvent, err error) {
	out.Kind = graph.ParseFeedKind(e.Kind())
	if out.Kind == 0 || Type(out.Kind) != e.Type {
		return out, fmt.Errorf("type %q is none of the change feed", e.Type)
	}
	shard, number, ok := strings.Cut(e.ID, "-")
	n, wrong := strconv.ParseUint(shard, 10, 16)
	if out.Number, err = strconv.ParseUint(number, 10, 64); !ok || wrong != nil || err != nil {
		return out, fmt.Errorf("id %q: want SHARD-NUMBER", e.ID)
	}
	out.Shard, out.At = graph.ShardID(n), e.Time.UnixMilli()
	if out.ID, err = graph.ParseNodeKey(e.Subject); err != nil {
		return out, fmt.Errorf("subject: %w", err)
	}
	var data dataDocument
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return out, fmt.Errorf("data: %w", err)
	}
	if out.Rules, err = strconv.ParseUint(data.Rules, 16, 64); err != nil {
		return out, fmt.Errorf("rules: %w", err)
	}
	switch out.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		out.Delta, err = data.Identity.delta()
		out.Delta.Full = data.Complete
	case graph.FeedLinked:
		if out.Name, err = data.Identifier.name(); err == nil {
			out.Cause, err = data.Cause.cause()
		}
	case graph.FeedMerged:
		if out.Others, err = parseKeys(data.Losers); err == nil {
			out.Cause, err = data.Cause.cause()
		}
	case graph.FeedSplit:
		out.Others, err = parseKeys(data.Into)
	case graph.FeedGeneric:
		out.Name, err = data.Identifier.name()
	case graph.FeedErased:
	}
	return out, err
}

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

func (n *nameDocument) name() (graph.NodeName, error) {
	key, err := graph.ParseNodeKey(n.ID)
	return graph.NodeName{Key: key, Namespace: n.Namespace, Value: n.Value}, err
}

func (c *causeDocument) cause() (out graph.Cause, err error) {
	if c == nil {
		return out, nil
	}
	for v := graph.VerbObserve; v <= graph.VerbForce; v++ {
		if v.String() == c.Verb {
			out.Verb = v
		}
	}
	if out.Verb == 0 {
		return out, fmt.Errorf("verb %q of the cause is not known", c.Verb)
	}
	for i := range c.Between {
		if out.By[i], err = c.Between[i].name(); err != nil {
			return out, err
		}
	}
	if out.Assertion = c.Assertion; out.Assertion == "" {
		out.Mark = graph.Mark{Stamp: graph.Stamp{Time: c.Event.Time.UnixMilli()}, ID: []byte(c.Event.MessageID), Source: []byte(c.Event.Source)}
	}
	return out, nil
}

func (doc *identityDocument) delta() (d graph.Delta, err error) {
	if doc.Events != nil {
		d.Fields |= graph.DeltaEvents
		d.Events = *doc.Events
	}
	if doc.First != nil {
		d.Fields |= graph.DeltaFirst
		d.First = doc.First.UnixMilli()
	}
	if doc.Last != nil {
		d.Fields |= graph.DeltaLast
		d.Last = doc.Last.UnixMilli()
	}
	for name, n := range doc.Counts {
		t := graph.ParseEventType([]byte(name))
		if t == 0 {
			return d, fmt.Errorf("event type %q is not known", name)
		}
		d.Counts = append(d.Counts, graph.TypeCount{Type: t, Count: n})
	}
	slices.SortFunc(d.Counts, func(a, b graph.TypeCount) int { return int(a.Type) - int(b.Type) })
	for i := range doc.Identifiers {
		id := &doc.Identifiers[i]
		s := graph.Sighting{}
		if s.NodeName, err = id.name(); err != nil {
			return d, err
		}
		if id.First != nil && id.Last != nil {
			s.First, s.Last = id.First.UnixMilli(), id.Last.UnixMilli()
		}
		d.Identifiers = append(d.Identifiers, s)
	}
	if d.Left, err = parseKeys(doc.Left); err != nil {
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
	for code, sums := range doc.Money {
		m, err := sums.money(code)
		if err != nil {
			return d, fmt.Errorf("money in %q: %w", code, err)
		}
		d.Money = append(d.Money, m)
	}
	slices.SortFunc(d.Money, func(a, b graph.Money) int { return bytes.Compare(a.Currency[:], b.Currency[:]) })
	return d, nil
}

// money reads the sums of a currency; nil is that there are none any more.
func (m *moneyDocument) money(code string) (out graph.Money, err error) {
	if code != "" {
		if out.Currency, err = money.ParseCurrency([]byte(code)); err != nil {
			return out, err
		}
	}
	if m == nil {
		return out, nil
	}
	out.Orders, out.Discounted = m.Orders, m.Discounted
	if out.Revenue, err = minor(m.Revenue, out.Currency); err != nil {
		return out, err
	}
	out.Discount, err = minor(m.Discount, out.Currency)
	return out, err
}

func minor(number json.Number, c graph.Currency) (int64, error) {
	text, negative := strings.CutPrefix(string(number), "-")
	n, err := money.Parse([]byte(text), money.Exponent(c))
	if negative {
		n = -n
	}
	return n, err
}
