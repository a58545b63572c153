package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/internal/money"
)

// The kinds of rows.
const (
	kindOrder  = "order"
	kindOffer  = "offer"
	kindRedeem = "redeem"
	kindMerge  = "merge"
	kindFit    = "fit"
	kindQuery  = "query"
)

var kinds = []string{kindOrder, kindOffer, kindRedeem, kindMerge, kindFit, kindQuery}

// needs lists the columns that a row of each kind must fill.
var needs = map[string][]string{
	kindOrder:  {"profile", "order_id", "gross"},
	kindOffer:  {"profile", "ref"},
	kindRedeem: {"profile", "ref"},
	kindMerge:  {"profile", "ref"},
	kindFit:    nil,
	kindQuery:  {"profile", "ref"},
}

// row is one row of a stream. Money is in minor units, times are ms since 1970 UTC.
type row struct {
	line                    int
	at                      int64
	kind, profile           string
	order                   string
	gross, discount, coupon int64
	ref, class              string
	until                   int64 // 0: not given
}

// stream reads rows. Columns are found by name, in any order; others are ignored.
type stream struct {
	csv    *csv.Reader
	column map[string]int
	cells  []string
	line   int
}

var columns = []string{"ts", "kind", "profile", "order_id", "gross", "discount", "coupon", "ref", "offer_class", "until"}

// newStream reads the header. The columns may be in any order, and all but three of them may be missing: a stream
// without offers need not have theirs.
func newStream(r io.Reader) (*stream, error) {
	s := &stream{csv: csv.NewReader(r), column: make(map[string]int)}
	s.csv.ReuseRecord = true
	header, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line 1: the stream is empty; its first line names the columns: %s", strings.Join(columns, ","))
	}
	if err != nil {
		return nil, lineError(err)
	}
	for i, name := range header {
		s.column[strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	for _, name := range []string{"ts", "kind", "profile"} {
		if _, ok := s.column[name]; !ok {
			return nil, fmt.Errorf("line 1: the header has no column %s; columns are %s", name, strings.Join(columns, ","))
		}
	}
	return s, nil
}

// next reads a row, and returns io.EOF after the last one. Errors name the line.
func (s *stream) next() (row, error) {
	cells, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return row{}, io.EOF
	}
	if err != nil {
		return row{}, lineError(err)
	}
	s.cells = cells
	s.line, _ = s.csv.FieldPos(0)
	r, err := s.row()
	if err != nil {
		return row{}, fmt.Errorf("line %d: %w", s.line, err)
	}
	return r, nil
}

// row reads the cells of a row by its kind, and fails for a cell that the kind requires and that is empty. Amounts are
// those of orders alone.
func (s *stream) row() (r row, err error) {
	r = row{
		line: s.line, kind: s.text("kind"), profile: s.text("profile"), order: s.text("order_id"),
		ref: s.text("ref"), class: s.text("offer_class"),
	}
	needed, known := needs[r.kind]
	if !known {
		return r, fmt.Errorf("unknown kind %q; kinds are %s", r.kind, strings.Join(kinds, ", "))
	}
	for _, name := range needed {
		if s.text(name) == "" {
			return r, fmt.Errorf("%s is empty; a row of kind %s requires it", name, r.kind)
		}
	}
	if r.at, err = parseTime(s.text("ts")); err != nil {
		return r, fmt.Errorf("ts: %w", err)
	}
	if r.kind == kindOffer && s.text("until") != "" {
		if r.until, err = parseTime(s.text("until")); err != nil {
			return r, fmt.Errorf("until: %w", err)
		}
	}
	if r.kind != kindOrder {
		return r, nil
	}
	for _, amount := range []struct {
		name string
		to   *int64
	}{{"gross", &r.gross}, {"discount", &r.discount}, {"coupon", &r.coupon}} {
		if *amount.to, err = s.amount(amount.name); err != nil {
			return r, err
		}
	}
	if r.coupon > r.discount {
		return r, fmt.Errorf("coupon is %s, but discount is %s; the discount includes the coupon, so it cannot be less", s.text("coupon"), s.text("discount"))
	}
	return r, nil
}

// text is the cell of a column; empty if the stream does not have the column.
func (s *stream) text(column string) string {
	i, ok := s.column[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(s.cells[i])
}

// amount reads an amount in units of the currency and returns minor units, 100 per unit. Empty means 0.
func (s *stream) amount(column string) (int64, error) {
	text := s.text(column)
	if text == "" {
		return 0, nil
	}
	minor, err := money.Parse([]byte(text), 2)
	if err != nil {
		return 0, fmt.Errorf("%s is %q: %w; give an amount such as 19.99", column, text, err)
	}
	return minor, nil
}

// secondsBelow bounds the whole numbers that are seconds since 1970; larger ones are milliseconds.
// In seconds it is a time in the year 5138, in milliseconds one in March 1973. So only times within about three years
// of 1970, given in milliseconds, are misread.
const secondsBelow = 100_000_000_000

var timeLayouts = []string{time.RFC3339Nano, time.DateTime, time.DateOnly, "2006-01-02T15:04:05"}

// parseTime reads a time and returns milliseconds since 1970. A time without a zone is in UTC.
func parseTime(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if -secondsBelow < n && n < secondsBelow {
			n *= 1000
		}
		return n, nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time; want RFC 3339, YYYY-MM-DD, YYYY-MM-DD hh:mm:ss, or seconds or milliseconds since 1970", text)
}

// lineError prefixes an error of the CSV reader with its line.
func lineError(err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return fmt.Errorf("line %d: %w", wrong.Line, wrong.Err)
	}
	return err
}
