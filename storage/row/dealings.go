package row

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Fields of an event's offer notice, and of an offer, a count of a category and a period of visits in a fragment's lists.
const (
	noticeFields   = 4
	offerFields    = 10
	interestFields = 3
	visitFields    = 3

	offerLeast    = 10 // bytes
	interestLeast = 3
	visitLeast    = 3
)

// A dealingsWriter writes what customers look at and which offers they have: notices and interest of an event, and
// the books and counts of a fragment.
//
//	          +--------+----+-------+-------+
//	notice    | signal | id | class | until |  nil: no notice
//	          +------+-+----+-------+-------+
//	interest  | kind | category ... |  nil: no interest
//	          +----+-+-----+--------+-+------+--------+-------+----------+-------+----------+---------+
//	offer     | id | class | class at | sent | viewed | until | redeemed | tried | tried at | removed |
//	          +----+-----+-+------+---+---+--+--------+-------+----------+-------+----------+---------+
//	interests | category | period | count |  a cell; nil repeats the category before it
//	          +--------+-+----+---+-----+-+
//	visits    | period | came | ordered |  days of a period, a bit each
//	          +--------+------+---------+
//
// A reader of a fragment's lists makes the book or the counts anew from what it read, and rejects the row if that
// differs. So their order and their bounds are stated once, in package score (C2).
type dealingsWriter struct{ *writer }

// A dealingsReader reads what a dealingsWriter writes.
type dealingsReader struct{ *reader }

func (out dealingsWriter) notice(n *graph.OfferNotice) {
	if n.Signal == score.OfferNone {
		out.null()
		return
	}
	out.array(noticeFields)
	out.uint(uint64(n.Signal))
	out.bytes(n.ID)
	out.bytes(n.Class)
	out.int(n.Until)
}

func (in dealingsReader) notice(n *graph.OfferNotice) {
	*n = graph.OfferNotice{}
	if in.null() {
		return
	}
	in.tuple(noticeFields)
	n.Signal = score.OfferSignal(in.enum("offer signal", uint8(score.OfferSent), uint8(score.OfferWithdrawn)))
	n.ID = in.bytes()
	n.Class = in.bytes()
	n.Until = in.int()
}

// interest writes a kind and then the categories, in one array.
func (out dealingsWriter) interest(i *graph.Interest) {
	if i.Kind == graph.InterestNone {
		out.null()
		return
	}
	out.array(1 + len(i.Categories))
	out.uint(uint64(i.Kind))
	for _, category := range i.Categories {
		out.blob(category)
	}
}

func (in dealingsReader) interest(i *graph.Interest) {
	i.Kind, i.Categories = graph.InterestNone, i.Categories[:0]
	if in.null() {
		return
	}
	at := in.at
	n := in.arrayLen()
	if in.err == nil && (n < 1 || n > 1+graph.InterestCategoriesMax) {
		in.fail(at, "interest of %d values, want 1 to %d", n, 1+graph.InterestCategoriesMax)
	}
	i.Kind = graph.InterestKind(in.enum("kind of interest", uint8(graph.InterestViewed), uint8(graph.InterestBought)))
	for c := 1; c < n && in.err == nil; c++ {
		i.Categories = append(i.Categories, in.blob())
	}
}

func (out dealingsWriter) offers(book *score.OfferBook) {
	if book == nil {
		out.array(0)
		return
	}
	evidence := book.Evidence()
	out.array(offerFields * len(evidence))
	for i := range evidence {
		e := &evidence[i]
		out.text(e.ID)
		out.text(e.Class)
		for _, at := range [...]int64{e.ClassAt, e.Sent, e.Viewed, e.Until, e.Redeemed, e.Tried, e.TriedAt, e.Removed} {
			out.int(at)
		}
	}
}

// offers reads a fragment's offers, in the order of the book; nil if it has no offers.
func (in dealingsReader) offers() *score.OfferBook {
	at := in.at
	n := in.list(offerFields, offerLeast)
	if n == 0 {
		return nil
	}
	if n > score.OffersMax {
		in.fail(at, "%d offers, want at most %d", n, score.OffersMax)
		return nil
	}
	evidence := make([]score.OfferEvidence, n)
	for i := range evidence {
		evidence[i] = score.OfferEvidence{
			ID: in.text(), Class: in.text(),
			ClassAt: in.int(), Sent: in.int(), Viewed: in.int(), Until: in.int(), Redeemed: in.int(), Tried: in.int(), TriedAt: in.int(), Removed: in.int(),
		}
		if in.err != nil {
			return nil
		}
	}
	book := score.NewOfferBook(slices.Clone(evidence))
	if !slices.Equal(book.Evidence(), evidence) {
		in.fail(at, "offers are not in the order of their book")
		return nil
	}
	return &book
}

// interests writes the counts of each category in sequence: the first carries the category's name, the others nil.
func (out dealingsWriter) interests(counts *score.InterestCounts) {
	if counts == nil {
		out.array(0)
		return
	}
	cells := counts.Cells()
	out.array(interestFields * len(cells))
	for i := range cells {
		if i > 0 && cells[i].Category == cells[i-1].Category {
			out.null()
		} else {
			out.text(cells[i].Category)
		}
		out.int(int64(cells[i].Period))
		out.uint(uint64(cells[i].Count))
	}
}

// interests reads a fragment's counts of categories, in the order of names and periods; nil if it has no counts.
func (in dealingsReader) interests() *score.InterestCounts {
	at := in.at
	n := in.list(interestFields, interestLeast)
	if n == 0 {
		return nil
	}
	cells := make([]score.InterestCell, n)
	for i := range cells {
		at := in.at
		switch {
		case i == 0:
			cells[i].Category = in.text()
		case in.null():
			cells[i].Category = cells[i-1].Category
		default:
			if cells[i].Category = in.text(); in.err == nil && cells[i].Category == cells[i-1].Category {
				in.fail(at, "a category that stands before is nil")
			}
		}
		cells[i].Period = in.int32()
		cells[i].Count = in.uint32()
		if in.err != nil {
			return nil
		}
	}
	counts := score.NewInterestCounts(slices.Clone(cells))
	if !slices.Equal(counts.Cells(), cells) {
		in.fail(at, "counts of categories are not in order, or out of bounds")
		return nil
	}
	return &counts
}

func (out dealingsWriter) visits(visits *score.VisitDays) {
	periods := visits.Periods()
	out.array(visitFields * len(periods))
	for i := range periods {
		out.int(int64(periods[i].Period))
		out.uint(uint64(periods[i].Came))
		out.uint(uint64(periods[i].Ordered))
	}
}

// visits reads a fragment's days of visits, in the order of periods.
func (in dealingsReader) visits() score.VisitDays {
	at := in.at
	n := in.list(visitFields, visitLeast)
	if n == 0 {
		return score.VisitDays{}
	}
	periods := make([]score.VisitPeriod, n)
	for i := range periods {
		periods[i] = score.VisitPeriod{
			Period: in.int32(), Came: uint32(in.upTo(score.VisitDayBits)), Ordered: uint32(in.upTo(score.VisitDayBits)),
		}
		if in.err != nil {
			return score.VisitDays{}
		}
	}
	visits := score.NewVisitDays(slices.Clone(periods))
	if !slices.Equal(visits.Periods(), periods) {
		in.fail(at, "periods of visits are not in order, or out of bounds")
		return score.VisitDays{}
	}
	return visits
}
