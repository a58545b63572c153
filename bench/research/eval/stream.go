package eval

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// This file writes streams for kindred score replay, which run the protocols of EvaluateCLV and Journey.Redeems through the
// program itself.

const streamHeader = "ts,kind,profile,order_id,gross,discount,coupon,ref,offer_class,until\n"

// streamLine is a line of a stream; lines of one moment keep their order.
type streamLine struct {
	at   int64
	text string
}

func writeStream(w io.Writer, lines []streamLine) error {
	slices.SortStableFunc(lines, func(a, b streamLine) int { return cmp.Compare(a.at, b.at) })
	out := bufio.NewWriter(w)
	if _, err := out.WriteString(streamHeader); err != nil {
		return err
	}
	for i := range lines {
		if _, err := fmt.Fprintf(out, "%s,%s\n", stamp(lines[i].at), lines[i].text); err != nil {
			return err
		}
	}
	return out.Flush()
}

func stamp(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func cents(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// WriteStream writes the purchases of all customers, a fit at the cut (ms since 1970 UTC), and a query for everyone who had
// bought by then, under their id; later purchases follow.
func (l Ledger) WriteStream(w io.Writer, cut int64) error {
	var lines, questions []streamLine
	for _, id := range sortedKeys(l) {
		known := false
		for _, p := range l[id] {
			lines = append(lines, streamLine{p.At, fmt.Sprintf("order,%s,%s-%s,%s,0,0,,,", id, id, p.ID, cents(p.Net))})
			known = known || p.At <= cut
		}
		if known {
			questions = append(questions, streamLine{cut, fmt.Sprintf("query,%s,,,,,%s,,", id, id)})
		}
	}
	lines = append(lines, streamLine{cut, "fit,,,,,,,,"})
	return writeStream(w, append(lines, questions...))
}

// WriteRedeems writes the purchases, offers and redemptions of households. For each campaign that starts at or after from
// (ms), it adds a fit and a query per recipient, named by the ids of campaign and household, in the order of Redeems.
func (j *Journey) WriteRedeems(w io.Writer, from int64) error {
	var lines, questions []streamLine
	ledgers := j.baskets()
	for _, household := range sortedKeys(ledgers) {
		for _, o := range ledgers[household] {
			lines = append(lines, streamLine{o.At, fmt.Sprintf("order,%s,%s,%s,%s,%s,,,", household, o.ID, cents(o.Gross), cents(o.Discount), cents(o.Coupon))})
		}
	}
	for i := range j.campaigns {
		c := &j.campaigns[i]
		for _, r := range c.households {
			lines = append(lines, streamLine{c.start, fmt.Sprintf("offer,%s,,,,,%s,%s,%s", r.household, c.id, c.class, stamp(c.until))})
			if r.redeemed != 0 {
				lines = append(lines, streamLine{r.redeemed, fmt.Sprintf("redeem,%s,,,,,%s,,", r.household, c.id)})
			}
		}
		if c.start < from || len(c.households) == 0 {
			continue
		}
		questions = append(questions, streamLine{c.start, "fit,,,,,,,,"})
		for _, r := range c.households {
			questions = append(questions, streamLine{c.start, fmt.Sprintf("query,%s,,,,,%s/%s,%s,", r.household, c.id, r.household, c.class)})
		}
	}
	return writeStream(w, append(lines, questions...))
}
