package eval

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// Ledger holds the purchases of every customer, by an id of the data set's own.
type Ledger map[string][]score.Purchase

// ReadCDNOW reads the transactions of CDNOW customers (columns cust, date as yyyymmdd, value in dollars).
// Money becomes cents.
func ReadCDNOW(r io.Reader) (Ledger, error) {
	t, err := newTable("cdnow", r, "cust", "date", "value")
	if err != nil {
		return nil, err
	}
	ledger := Ledger{}
	for t.next() {
		at, err := time.Parse("20060102", t.text("date"))
		if err != nil {
			return nil, fmt.Errorf("cdnow: date: %w", err)
		}
		customer := t.text("cust")
		ledger[customer] = append(ledger[customer], score.Purchase{
			ID:  strconv.Itoa(len(ledger[customer])),
			At:  at.UnixMilli(),
			Net: int64(math.Round(t.number("value") * 100)),
		})
	}
	return ledger, t.err
}

// Summary is a customer of a published summary table.
type Summary struct {
	Timing fit.Timing
	Mean   float64 // value of the repeat purchases, 0 without any
}

// ReadCDNOWSummary reads summarised customers (columns x, t_x and T in weeks, zbar in dollars).
func ReadCDNOWSummary(r io.Reader) ([]Summary, error) {
	t, err := newTable("cdnow summary", r, "x", "t_x", "T", "zbar")
	if err != nil {
		return nil, err
	}
	var customers []Summary
	for t.next() {
		customers = append(customers, Summary{
			Timing: fit.Timing{X: t.number("x"), Tx: t.number("t_x"), T: t.number("T")},
			Mean:   t.number("zbar"),
		})
	}
	return customers, t.err
}

// ReadDonations reads weighted cells of donors (columns frequency, recency and periods in opportunities,
// weights).
func ReadDonations(r io.Reader) (*fit.Timings, error) {
	t, err := newTable("donations", r, "frequency", "recency", "periods", "weights")
	if err != nil {
		return nil, err
	}
	donors := &fit.Timings{}
	for t.next() {
		donors.Add(fit.Timing{X: t.number("frequency"), Tx: t.number("recency"), T: t.number("periods")}, uint64(t.number("weights")))
	}
	return donors, t.err
}
