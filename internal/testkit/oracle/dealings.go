package oracle

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Worlds are too small to reach the bounds on the numbers of offers, categories and periods. The oracle applies only the bound
// on age.

// offers collects the evidence of all events on each offer.
func offers(events []graph.Event) score.OfferBook {
	byID := map[string][]graph.Event{}
	for _, e := range events {
		if e.Offer.Signal != score.OfferNone {
			byID[string(e.Offer.ID)] = append(byID[string(e.Offer.ID)], e)
		}
	}
	var all []score.OfferEvidence
	for id, about := range byID {
		tried := ofSignal(about, score.OfferEntered, score.OfferApplied, score.OfferDenied)
		o := score.OfferEvidence{
			ID:       id,
			Sent:     first(ofSignal(about, score.OfferSent)),
			Viewed:   first(ofSignal(about, score.OfferViewed)),
			Redeemed: first(ofSignal(about, score.OfferRedeemed, score.OfferClicked)),
			Tried:    first(tried), TriedAt: last(tried),
			Removed: last(ofSignal(about, score.OfferWithdrawn)),
		}
		for _, e := range about {
			o.Until = max(o.Until, e.Offer.Until)
			class, at := string(e.Offer.Class), e.Stamp.Time
			if class != "" && (o.Class == "" || at < o.ClassAt || at == o.ClassAt && class < o.Class) {
				o.Class, o.ClassAt = class, at
			}
		}
		all = append(all, o)
	}
	return score.NewOfferBook(all)
}

// ofSignal returns the times of the events with any of the signals, in order.
func ofSignal(events []graph.Event, signals ...score.OfferSignal) []int64 {
	var times []int64
	for _, e := range events {
		if slices.Contains(signals, e.Offer.Signal) {
			times = append(times, e.Stamp.Time)
		}
	}
	slices.Sort(times)
	return times
}

// first returns the first of the times, or 0 without any.
func first(times []int64) int64 {
	if len(times) == 0 {
		return 0
	}
	return times[0]
}

// last returns the last of the times, or 0 without any.
func last(times []int64) int64 {
	if len(times) == 0 {
		return 0
	}
	return times[len(times)-1]
}

const (
	dayMillis  = 24 * 60 * 60 * 1000
	periodDays = 30
	agePeriods = 61 // older periods, counted back from the newest, fall into the last one
)

func period(at int64) int32 { return int32(at / dayMillis / periodDays) }

// interests counts events by category and period.
func interests(events []graph.Event) score.InterestCounts {
	var newest int32
	for _, e := range events {
		if len(e.Interest.Categories) > 0 {
			newest = max(newest, period(e.Stamp.Time))
		}
	}
	type cell struct {
		category string
		period   int32
	}
	counts := map[cell]uint32{}
	for _, e := range events {
		for _, category := range e.Interest.Categories {
			counts[cell{string(category), max(period(e.Stamp.Time), newest-agePeriods)}]++
		}
	}
	var cells []score.InterestCell
	for c, n := range counts {
		cells = append(cells, score.InterestCell{Category: c.category, Period: c.period, Count: n})
	}
	return score.NewInterestCounts(cells)
}

// visits returns the days with a page, a screen, or a product viewed or added, and the days with a completed order.
func visits(events []graph.Event) score.VisitDays {
	came, ordered := map[int64]bool{}, map[int64]bool{}
	for _, e := range events {
		day := e.Stamp.Time / dayMillis
		if e.Type == graph.TypePage || e.Type == graph.TypeScreen ||
			e.Interest.Kind == graph.InterestViewed || e.Interest.Kind == graph.InterestAdded {
			came[day] = true
		}
		if e.Order.Kind == graph.OrderCompleted {
			ordered[day] = true
		}
	}
	byPeriod := map[int32]score.VisitPeriod{}
	for day := range came {
		p := byPeriod[int32(day/periodDays)]
		p.Came += 1 << (day % periodDays)
		byPeriod[int32(day/periodDays)] = p
	}
	for day := range ordered {
		p := byPeriod[int32(day/periodDays)]
		p.Ordered += 1 << (day % periodDays)
		byPeriod[int32(day/periodDays)] = p
	}
	var periods []score.VisitPeriod
	for n, p := range byPeriod {
		p.Period = n
		periods = append(periods, p)
	}
	return score.NewVisitDays(periods)
}
