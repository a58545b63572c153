package egress

import (
	"context"
	"strconv"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsontext"
	"github.com/kindred-id/kindred/internal/money"
)

// CloudEvents attributes of specification 1.0.2 (https://github.com/cloudevents/spec).
const (
	SpecVersion = "1.0"
	typePrefix  = "kindred."
)

// Type returns the CloudEvents type of a kind of entry, such as kindred.identity.updated.
func Type(k graph.FeedKind) string {
	if k == graph.FeedGeneric {
		return typePrefix + "identifier." + k.String()
	}
	return typePrefix + "identity." + k.String()
}

// ID returns the CloudEvents id of an entry: its shard and number, which together with Source identify it for ever.
func ID(e *feed.Event) string {
	return strconv.FormatUint(uint64(e.Shard), 10) + "-" + strconv.FormatUint(e.Number, 10)
}

// Source returns the CloudEvents source of a change feed that was turned on at a time, ms since 1970.
func Source(since int64) string { return "/kindred/" + strconv.FormatInt(since, 10) }

// Append appends an entry as a CloudEvent in JSON, on one line without a line break:
//
//	{"specversion":"1.0","id":"3-41","source":"/kindred/…","type":"kindred.identity.updated","subject":"k…",
//	 "time":"…","datacontenttype":"application/json","data":{…}}
//
// AppendData documents data.
func Append(dst []byte, e *feed.Event, source string, scores []byte) []byte {
	dst = append(append(append(dst, `{"specversion":"`+SpecVersion+`","id":"`...), ID(e)...), `","source":`...)
	dst = append(append(append(jsontext.AppendString(dst, source), `,"type":"`...), Type(e.Kind)...), `","subject":"`...)
	dst = append(append(append(dst, e.ID.String()...), `","time":`...), jsontext.AppendTime(nil, e.At)...)
	dst = append(dst, `,"datacontenttype":"application/json","data":`...)
	return append(AppendData(dst, e, scores), '}')
}

// Scores returns the current scores of the identities that hold identifiers, each at its identifier's index: the JSON
// objects under "scores" in the API's profiles. An element is nil while its identity moves between two shards.
type Scores func(ctx context.Context, ids []graph.NodeKey) ([][]byte, error)

// Of returns the scores for entries, each at its entry's index: nil for an entry without news of orders, and for
// every entry if s is nil.
func (s Scores) Of(ctx context.Context, events []feed.Event) ([][]byte, error) {
	all := make([][]byte, len(events))
	if s == nil {
		return all, nil
	}
	var ids []graph.NodeKey
	for i := range events {
		if TellsOrders(&events[i]) {
			ids = append(ids, events[i].ID)
		}
	}
	if len(ids) == 0 {
		return all, nil
	}
	told, err := s(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range events {
		if TellsOrders(&events[i]) {
			all[i], told = told[0], told[1:]
		}
	}
	return all, nil
}

// TellsOrders reports whether an entry changes an identity's orders: its scores have then changed as well.
func TellsOrders(e *feed.Event) bool {
	return (e.Kind == graph.FeedCreated || e.Kind == graph.FeedUpdated) && len(e.Delta.Money) > 0
}

// AppendData appends the data of an entry, with the scores of its identity if available:
//
//	created, updated  {"rules","complete"?,"scores"?,"identity":{"events","first_seen","last_seen","counts":{type:n},
//	                   "identifiers":[{"id","namespace","value","first_seen","last_seen"}],"identifiers_left":["k…"],
//	                   "traits":{name:value or null},"by_currency":{currency:{"orders","revenue","discount","discounted_orders"} or null}}}
//	linked            {"rules","identifier":{"id","namespace","value"},"cause":{…} or null}
//	merged            {"rules","winner":"k…","losers":["k…"],"cause":{…} or null}
//	split             {"rules","into":["k…"]}
//	entered, exited   {"rules","audience","cause":{"kind","event"?}}
//	generic           {"rules","identifier":{"id","namespace","value"}}
//	erased            {"rules"}
//
//	cause             {"verb","between":[{"id","namespace","value"},…],"event":{"source","message_id","time"} or "assertion":"…"}
//
// For an updated identity only changes are present; null means that a trait, a currency or the events of a type have
// gone, and identifiers_left lists identifiers that now belong to other identities. With complete, everything is
// present, and whatever is absent has gone. Scores are those at delivery, not at commit.
func AppendData(dst []byte, e *feed.Event, scores []byte) []byte {
	dst = append(append(dst, `{"rules":"`...), version(e.Rules)...)
	dst = append(dst, '"')
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		if e.Delta.Full {
			dst = append(dst, `,"complete":true`...)
		}
		if scores != nil {
			dst = append(append(dst, `,"scores":`...), scores...)
		}
		dst = appendDelta(append(dst, `,"identity":`...), &e.Delta)
	case graph.FeedLinked:
		dst = appendName(append(dst, `,"identifier":`...), &e.Name)
		dst = appendCause(dst, &e.Cause)
	case graph.FeedMerged:
		dst = append(append(append(dst, `,"winner":"`...), e.ID.String()...), '"')
		dst = appendKeys(append(dst, `,"losers":`...), e.Others)
		dst = appendCause(dst, &e.Cause)
	case graph.FeedSplit:
		dst = appendKeys(append(dst, `,"into":`...), e.Others)
	case graph.FeedGeneric:
		dst = appendName(append(dst, `,"identifier":`...), &e.Name)
	case graph.FeedEntered, graph.FeedExited:
		dst = jsontext.AppendString(append(dst, `,"audience":`...), e.Audience)
		dst = append(append(append(dst, `,"cause":{"kind":"`...), e.Why.String()...), '"')
		if e.Why == graph.ByEvent {
			dst = appendCauseEvent(dst, &e.Cause.Mark)
		}
		dst = append(dst, '}')
	case graph.FeedErased:
	}
	return append(dst, '}')
}

// version formats a version of rules as the rest of the program does.
func version(v uint64) string {
	text := strconv.FormatUint(v, 16)
	return "0000000000000000"[len(text):] + text
}

func appendKeys(dst []byte, keys []graph.NodeKey) []byte {
	dst = append(dst, '[')
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), k.String()...), '"')
	}
	return append(dst, ']')
}

// appendName appends an identifier: {"id","namespace","value"}.
func appendName(dst []byte, n *graph.NodeName) []byte { return append(appendNameOpen(dst, n), '}') }

// appendNameOpen appends an identifier without its closing brace, for the members that may follow.
func appendNameOpen(dst []byte, n *graph.NodeName) []byte {
	dst = append(append(append(dst, `{"id":"`...), n.Key.String()...), `","namespace":`...)
	dst = append(jsontext.AppendString(dst, n.Namespace), `,"value":`...)
	return jsontext.AppendString(dst, n.Value)
}

// appendCause appends the member "cause": the link that brought the change about, with the assertion of an operator or
// else the event that it came from; null where the entry has no cause.
func appendCause(dst []byte, c *graph.Cause) []byte {
	if c.Verb == 0 {
		return append(dst, `,"cause":null`...)
	}
	dst = append(append(append(dst, `,"cause":{"verb":"`...), c.Verb.String()...), `","between":[`...)
	dst = append(appendName(dst, &c.By[0]), ',')
	dst = append(appendName(dst, &c.By[1]), ']')
	if c.Assertion != "" {
		return append(jsontext.AppendString(append(dst, `,"assertion":`...), c.Assertion), '}')
	}
	return append(appendCauseEvent(dst, &c.Mark), '}')
}

// appendCauseEvent appends the member "event", after others.
func appendCauseEvent(dst []byte, m *graph.Mark) []byte {
	dst = jsontext.AppendString(append(dst, `,"event":{"source":`...), m.Source)
	dst = jsontext.AppendString(append(dst, `,"message_id":`...), m.ID)
	return append(jsontext.AppendTime(append(dst, `,"time":`...), m.Stamp.Time), '}')
}

// appendDelta appends the changes of an identity. A member is there only if it changed. A count of 0, a trait without
// a value and a currency without orders are null: an export leaves them out, so a reader that rebuilds one must take
// them out, and an absent member could not say so.
func appendDelta(dst []byte, d *graph.Delta) []byte {
	w := members{dst: dst}
	if d.Fields&graph.DeltaEvents != 0 {
		w.dst = strconv.AppendUint(w.member("events"), d.Events, 10)
	}
	if d.Fields&graph.DeltaFirst != 0 {
		w.dst = jsontext.AppendTime(w.member("first_seen"), d.First)
	}
	if d.Fields&graph.DeltaLast != 0 {
		w.dst = jsontext.AppendTime(w.member("last_seen"), d.Last)
	}
	if len(d.Counts) > 0 {
		counts := members{dst: w.member("counts")}
		for _, c := range d.Counts {
			if counts.dst = counts.member(c.Type.String()); c.Count == 0 {
				counts.dst = append(counts.dst, "null"...) // an export omits it
			} else {
				counts.dst = strconv.AppendUint(counts.dst, c.Count, 10)
			}
		}
		w.dst = counts.end()
	}
	if len(d.Identifiers) > 0 {
		dst := append(w.member("identifiers"), '[')
		for i := range d.Identifiers {
			s := &d.Identifiers[i]
			if i > 0 {
				dst = append(dst, ',')
			}
			seen := s.First != 0 || s.Last != 0
			dst = jsontext.AppendTimeOrNull(append(appendNameOpen(dst, &s.NodeName), `,"first_seen":`...), s.First, seen)
			dst = append(jsontext.AppendTimeOrNull(append(dst, `,"last_seen":`...), s.Last, seen), '}')
		}
		w.dst = append(dst, ']')
	}
	if len(d.Left) > 0 {
		w.dst = appendKeys(w.member("identifiers_left"), d.Left)
	}
	if len(d.Traits) > 0 {
		traits := members{dst: w.member("traits")}
		for _, t := range d.Traits {
			if t.Value == nil {
				traits.dst = append(traits.member(t.Name), "null"...)
			} else {
				traits.dst = jsontext.AppendCompact(traits.member(t.Name), t.Value)
			}
		}
		w.dst = traits.end()
	}
	if len(d.Money) > 0 {
		all := members{dst: w.member("by_currency")}
		for i := range d.Money {
			all.dst = appendMoney(all.member(d.Money[i].Currency.String()), &d.Money[i])
		}
		w.dst = all.end()
	}
	return w.end()
}

// appendMoney appends the sums of one currency, in the currency's unit, as decimals that a reader need not round; null
// where no order in it is left.
func appendMoney(dst []byte, m *graph.Money) []byte {
	if m.Orders == 0 {
		return append(dst, "null"...)
	}
	dst = strconv.AppendUint(append(dst, `{"orders":`...), m.Orders, 10)
	dst = money.Append(append(dst, `,"revenue":`...), m.Revenue, m.Currency)
	dst = money.Append(append(dst, `,"discount":`...), m.Discount, m.Currency)
	return append(strconv.AppendUint(append(dst, `,"discounted_orders":`...), m.Discounted, 10), '}')
}

// members writes the members of an object.
type members struct {
	dst []byte
	any bool
}

// member appends the name of a member, and returns dst for its value.
func (m *members) member(name string) []byte {
	if m.any {
		m.dst = append(m.dst, ',')
	} else {
		m.dst = append(m.dst, '{')
	}
	m.any = true
	return append(jsontext.AppendString(m.dst, name), ':')
}

// end closes the object, and opens it first if it had no member.
func (m *members) end() []byte {
	if !m.any {
		return append(m.dst, "{}"...)
	}
	return append(m.dst, '}')
}
