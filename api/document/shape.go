package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/score"
)

// Shape says which members of a Profile are written. There is one shape of a profile: answers about a person, lines of
// an export, published profiles and the change feed have the same names, types and order of members (decision record
// 43). A Shape only leaves members out. The zero value writes what the change feed tells as well.
type Shape struct {
	Fields  Fields        // the members that are asked for
	Detail  bool          // with the members that the change feed does not tell: raw, generic, control, doubts about amounts
	Scores  *score.Scorer // with the scores, and whether the person is in the control group; nil: without
	Control score.Control // the control group
	// Audiences asks for the audiences that the person is in: their reader gives them to AppendStanding.
	Audiences bool
	Computed  bool  // likewise, for computed traits
	Now       int64 // the moment of the scores, ms since 1970
}

// member is one member of a Profile, as a set of one.
type member uint32

// The members of a Profile but id, which is always written, in their order.
const (
	memberIdentifiers member = 1 << iota
	memberEvents
	memberCounts
	memberFirstSeen
	memberLastSeen
	memberTraits
	memberOrders
	memberRevenue
	memberDiscount
	memberDiscountedOrders
	memberCurrency
	memberByCurrency
	memberOrdersWithoutAmount
	memberUnknownRefunds
	memberRefusedRefunds
	memberControl
	memberScores
	memberAudiences
	memberComputed
)

// memberNames are the names of the members, in their order.
var memberNames = [...]string{
	"identifiers", "events", "counts", "first_seen", "last_seen", "traits", "orders", "revenue", "discount", "discounted_orders", "currency",
	"by_currency", "orders_without_amount", "unknown_refunds", "refused_refunds", "control", "scores", "audiences", "computed",
}

// Fields are the members of a profile that a request asks for. The zero value is all of them.
type Fields struct {
	members member   // a set; empty: all
	traits  []string // of the traits, only these, sorted; nil: all
}

const traitPrefix = "traits."

// ParseFields reads a list of names with commas between: members of a Profile, and traits.NAME for one trait. Empty is
// all. The id is always among them.
func ParseFields(text string) (f Fields, err error) {
	if text == "" {
		return f, nil
	}
	f.members = 1 << len(memberNames) // so that the set of "id" alone is not empty
	whole := false
	for name := range strings.SplitSeq(text, ",") {
		if trait, ok := strings.CutPrefix(name, traitPrefix); ok && trait != "" {
			f.members |= memberTraits
			f.traits = append(f.traits, trait)
			continue
		}
		i := slices.Index(memberNames[:], name)
		if i < 0 && name != "id" {
			return Fields{}, fmt.Errorf("no member %q; there are id, %s, and traits.NAME for one trait", name, strings.Join(memberNames[:], ", "))
		}
		if i >= 0 {
			f.members |= 1 << i
			whole = whole || member(1<<i) == memberTraits
		}
	}
	slices.Sort(f.traits)
	if whole {
		f.traits = nil
	}
	return f, nil
}

// All reports whether every member is asked for.
func (f *Fields) All() bool { return f.members == 0 }

// Scores reports whether the scores are asked for by name.
func (f *Fields) Scores() bool { return f.members&memberScores != 0 }

// Audiences reports whether the audiences are asked for by name.
func (f *Fields) Audiences() bool { return f.members&memberAudiences != 0 }

// Computed reports whether the computed traits are asked for by name.
func (f *Fields) Computed() bool { return f.members&memberComputed != 0 }

// has reports whether a member is asked for.
func (f *Fields) has(m member) bool { return f.members == 0 || f.members&m != 0 }

// trait reports whether a trait is asked for.
func (f *Fields) trait(name string) bool {
	if f.traits == nil {
		return true
	}
	_, found := slices.BinarySearch(f.traits, name)
	return found
}

// Standing reports whether anything is asked for that definitions say of a person.
func (s *Shape) Standing() bool { return s.Audiences || s.Computed }

// Append appends a Profile, without a line break.
func (s *Shape) Append(dst []byte, p *graph.Profile) []byte { return s.AppendStanding(dst, p, nil) }

// AppendStanding is Append of a person of whom definitions say something; standing is nil where nothing of that was asked for.
func (s *Shape) AppendStanding(dst []byte, p *graph.Profile, standing *audience.Standing) []byte {
	if s.Scores == nil || !s.Fields.has(memberScores) {
		return s.append(dst, p, nil, standing)
	}
	scores := Score(s.Scores, p, s.Now)
	return s.append(dst, p, &scores, standing)
}

// append appends a Profile with scores that are computed already; nil: without.
func (s *Shape) append(dst []byte, p *graph.Profile, scores *Scored, standing *audience.Standing) []byte {
	dst = append(append(append(dst, `{"id":"`...), p.ID.String()...), '"')
	if s.Fields.has(memberIdentifiers) {
		dst = appendIdentifiers(append(dst, `,"identifiers":`...), p, s.Detail)
	}
	if s.Fields.has(memberEvents) {
		dst = strconv.AppendUint(append(dst, `,"events":`...), p.Events, 10)
	}
	if s.Fields.has(memberCounts) {
		dst = appendCounts(append(dst, `,"counts":`...), p)
	}
	if s.Fields.has(memberFirstSeen) {
		dst = appendTimeOrNull(append(dst, `,"first_seen":`...), p.First, p.Events > 0)
	}
	if s.Fields.has(memberLastSeen) {
		dst = appendTimeOrNull(append(dst, `,"last_seen":`...), p.Last, p.Events > 0)
	}
	if s.Fields.has(memberTraits) {
		dst = appendTraits(append(dst, `,"traits":`...), p, &s.Fields)
	}
	dst = s.appendSums(dst, p)
	if s.Fields.has(memberByCurrency) && len(p.Money) > 0 {
		dst = appendCurrencies(append(dst, `,"by_currency":`...), p)
	}
	if s.Detail {
		dst = s.appendDoubts(dst, p)
	}
	if (s.Detail || s.Scores != nil) && s.Fields.has(memberControl) && inControl(s.Control, p) {
		dst = append(dst, `,"control":true`...)
	}
	if scores != nil {
		dst = scores.Append(append(dst, `,"scores":`...))
	}
	if s.Audiences && s.Fields.has(memberAudiences) && standing != nil && len(standing.Audiences) > 0 {
		dst = appendAudiences(append(dst, `,"audiences":`...), standing)
	}
	if s.Computed && s.Fields.has(memberComputed) && standing != nil && len(standing.Computed) > 0 {
		dst = appendComputed(append(dst, `,"computed":`...), standing)
	}
	return append(dst, '}')
}

// inControl reports whether a profile is in the control group.
func inControl(control score.Control, p *graph.Profile) bool {
	var id [16]byte
	return control.Holds(p.ID.AppendBinary(id[:0]))
}

// appendSums appends the members "orders" to "currency", each after a comma.
func (s *Shape) appendSums(dst []byte, p *graph.Profile) []byte {
	total := sumMoney(p)
	dst = total.append(dst, &s.Fields)
	switch {
	case !s.Fields.has(memberCurrency):
		return dst
	case len(p.Money) == 0:
		return append(dst, `,"currency":null`...)
	}
	return appendString(append(dst, `,"currency":`...), total.Currency.String())
}

// appendDoubts appends the members that say what the sums of money lack.
func (s *Shape) appendDoubts(dst []byte, p *graph.Profile) []byte {
	d := countDoubts(p)
	for _, n := range [...]struct {
		of    member
		text  string
		count int
	}{
		{memberOrdersWithoutAmount, `,"orders_without_amount":`, d.without},
		{memberUnknownRefunds, `,"unknown_refunds":`, d.unknown},
		{memberRefusedRefunds, `,"refused_refunds":`, d.refused},
	} {
		if n.count > 0 && s.Fields.has(n.of) {
			dst = strconv.AppendInt(append(dst, n.text...), int64(n.count), 10)
		}
	}
	return dst
}

// doubts count what the sums of a profile's money lack.
type doubts struct {
	without, unknown, refused int // orders without an amount, refunds of unknown amounts, refunds in other currencies
}

func countDoubts(p *graph.Profile) (d doubts) {
	for i := range p.Orders {
		o := &p.Orders[i]
		if o.Status == graph.OrderStateCancelled {
			continue
		}
		if o.Rule == graph.NetNone {
			d.without++
		}
		d.unknown += o.UnknownRefunds
		d.refused += o.RefusedRefunds
	}
	return d
}
