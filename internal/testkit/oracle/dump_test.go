package oracle

import (
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

func twoProfiles() []graph.Profile {
	return Profiles([]graph.Event{at(1, "m1", u1, a1), at(2, "m2", u2)}, nil, graph.DefaultRules())
}

func TestDiffOfEqualDumpsIsEmpty(t *testing.T) {
	if d := Diff(Dump(twoProfiles()), Dump(twoProfiles())); d != "" {
		t.Error(d)
	}
}

func TestDiffTellsWhat(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func([]graph.Profile) []graph.Profile
		says  string
	}{
		{"missing", func(p []graph.Profile) []graph.Profile { return p[1:] }, ": missing\n"},
		{"not wanted", func(p []graph.Profile) []graph.Profile {
			return append(p, graph.Profile{ID: a1.Key})
		}, a1.Key.String() + ": not wanted\n"},
		{"count", func(p []graph.Profile) []graph.Profile { p[0].Events = 7; return p }, "+   events 7, "},
		{"generic", func(p []graph.Profile) []graph.Profile { p[0].Identifiers[0].Generic = true; return p }, ", generic\n"},
		{"order of identities", func(p []graph.Profile) []graph.Profile { slices.Reverse(p); return p }, "the same identities, in another order"},
		{"order of lines", func(p []graph.Profile) []graph.Profile {
			for i := range p {
				slices.Reverse(p[i].Identifiers)
			}
			return p
		}, "the same lines, in another order"},
		{"twice", func(p []graph.Profile) []graph.Profile { return append(p, p[0]) }, "or number"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := Diff(Dump(twoProfiles()), Dump(row.spoil(twoProfiles())))
			if !strings.Contains(d, row.says) {
				t.Errorf("%q doesn't say %q", d, row.says)
			}
		})
	}
}

func TestDiffIsShort(t *testing.T) {
	var many []graph.Profile
	for i := range uint64(100) {
		many = append(many, graph.Profile{ID: graph.MakeNodeKey(graph.ClassCookie, i, 0)})
	}
	d := Diff("", Dump(many))
	if n := strings.Count(d, "\n"); n > 2*diffBlocks+1 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(d, "and 95 more identities that differ") {
		t.Error(d)
	}
}

// Every field of a profile except Raw must show in a dump; otherwise a difference in it would go unnoticed.
func TestDumpShowsEveryField(t *testing.T) {
	full := func() graph.Profile {
		return graph.Profile{
			ID:          u1.Key,
			Identifiers: []graph.ProfileIdentifier{{NodeName: u1, First: 1, Last: 2}},
			Traits:      []graph.TraitValue{{Name: "n", Value: []byte("1")}},
			Orders:      []graph.OrderState{{ID: "o", Status: graph.OrderPlaced}},
			Money:       []graph.Money{{Currency: eur}},
			Offers:      score.NewOfferBook([]score.OfferEvidence{{ID: "o", Class: "c", ClassAt: 1, Sent: 1, Viewed: 1, Until: 1, Redeemed: 1, Tried: 1, TriedAt: 1, Removed: 1}}),
			Interests:   score.NewInterestCounts([]score.InterestCell{{Category: "c", Period: 1, Count: 1}}),
			Visits:      score.NewVisitDays([]score.VisitPeriod{{Period: 1, Came: 1, Ordered: 1}}),
		}
	}
	plain := Dump([]graph.Profile{full()})
	for name, change := range map[string]func(*graph.Profile){
		"ID":         func(p *graph.Profile) { p.ID = u2.Key },
		"Events":     func(p *graph.Profile) { p.Events++ },
		"Counts":     func(p *graph.Profile) { p.Counts[graph.TypePage]++ },
		"no type":    func(p *graph.Profile) { p.Counts[0]++ },
		"First":      func(p *graph.Profile) { p.First++ },
		"Last":       func(p *graph.Profile) { p.Last++ },
		"Key":        func(p *graph.Profile) { p.Identifiers[0].Key = u2.Key },
		"Namespace":  func(p *graph.Profile) { p.Identifiers[0].Namespace = "x" },
		"Value":      func(p *graph.Profile) { p.Identifiers[0].Value = "x" },
		"id First":   func(p *graph.Profile) { p.Identifiers[0].First = 9 },
		"id Last":    func(p *graph.Profile) { p.Identifiers[0].Last = 9 },
		"Generic":    func(p *graph.Profile) { p.Identifiers[0].Generic = true },
		"trait":      func(p *graph.Profile) { p.Traits[0].Name = "x" },
		"value":      func(p *graph.Profile) { p.Traits[0].Value = []byte("2") },
		"time":       func(p *graph.Profile) { p.Traits[0].Stamp.Time++ },
		"rank":       func(p *graph.Profile) { p.Traits[0].Stamp.Rank++ },
		"tie":        func(p *graph.Profile) { p.Traits[0].Stamp.Tie++ },
		"order":      func(p *graph.Profile) { p.Orders[0].ID = "x" },
		"PlacedAt":   func(p *graph.Profile) { p.Orders[0].PlacedAt++ },
		"Net":        func(p *graph.Profile) { p.Orders[0].Net++ },
		"Discount":   func(p *graph.Profile) { p.Orders[0].Discount++ },
		"Refunded":   func(p *graph.Profile) { p.Orders[0].Refunded++ },
		"Coupon":     func(p *graph.Profile) { p.Orders[0].Coupon = "x" },
		"Currency":   func(p *graph.Profile) { p.Orders[0].Currency = usd },
		"Refunds":    func(p *graph.Profile) { p.Orders[0].Refunds++ },
		"unknown":    func(p *graph.Profile) { p.Orders[0].UnknownRefunds++ },
		"refused":    func(p *graph.Profile) { p.Orders[0].RefusedRefunds++ },
		"left out":   func(p *graph.Profile) { p.Orders[0].RefundsLeftOut = true },
		"Rule":       func(p *graph.Profile) { p.Orders[0].Rule++ },
		"Status":     func(p *graph.Profile) { p.Orders[0].Status++ },
		"money":      func(p *graph.Profile) { p.Money[0].Currency = usd },
		"Orders":     func(p *graph.Profile) { p.Money[0].Orders++ },
		"Revenue":    func(p *graph.Profile) { p.Money[0].Revenue++ },
		"discount":   func(p *graph.Profile) { p.Money[0].Discount++ },
		"Discounted": func(p *graph.Profile) { p.Money[0].Discounted++ },
		"offer":      func(p *graph.Profile) { p.Offers.Evidence()[0].ID = "x" },
		"Class":      func(p *graph.Profile) { p.Offers.Evidence()[0].Class = "x" },
		"ClassAt":    func(p *graph.Profile) { p.Offers.Evidence()[0].ClassAt++ },
		"Sent":       func(p *graph.Profile) { p.Offers.Evidence()[0].Sent++ },
		"Viewed":     func(p *graph.Profile) { p.Offers.Evidence()[0].Viewed++ },
		"Until":      func(p *graph.Profile) { p.Offers.Evidence()[0].Until++ },
		"Redeemed":   func(p *graph.Profile) { p.Offers.Evidence()[0].Redeemed++ },
		"Tried":      func(p *graph.Profile) { p.Offers.Evidence()[0].Tried++ },
		"TriedAt":    func(p *graph.Profile) { p.Offers.Evidence()[0].TriedAt++ },
		"Removed":    func(p *graph.Profile) { p.Offers.Evidence()[0].Removed++ },
		"category":   func(p *graph.Profile) { p.Interests.Cells()[0].Category = "x" },
		"Period":     func(p *graph.Profile) { p.Interests.Cells()[0].Period++ },
		"Count":      func(p *graph.Profile) { p.Interests.Cells()[0].Count++ },
		"visits":     func(p *graph.Profile) { p.Visits.Periods()[0].Period++ },
		"Came":       func(p *graph.Profile) { p.Visits.Periods()[0].Came++ },
		"Ordered":    func(p *graph.Profile) { p.Visits.Periods()[0].Ordered++ },
	} {
		p := full()
		change(&p)
		if Dump([]graph.Profile{p}) == plain {
			t.Errorf("%s doesn't show", name)
		}
	}
}
