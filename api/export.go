package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/extsort"
	"github.com/kindred-id/kindred/internal/money"
)

// Format is how an export is written.
type Format string

// The formats. A line of CSV has the same fields as one of NDJSON; lists and objects stand in it as
// JSON, and by_currency is always there, empty without orders.
const (
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
)

// ParseFormat reads the name of a format; empty is NDJSON.
func ParseFormat(name string) (Format, error) {
	switch Format(name) {
	case "", NDJSON:
		return NDJSON, nil
	case CSV:
		return CSV, nil
	}
	return "", fmt.Errorf("format %q: want ndjson or csv", name)
}

// Exporter writes one line for every identity, sorted by id:
//
//	{"id","identifiers":[{"namespace","value","first_seen","last_seen"}],"events","orders","revenue","discount",
//	 "discounted_orders","currency","first_seen","last_seen","traits","counts"}
//
// and, behind them, "by_currency" where there are orders in several currencies (see AppendProfile).
// Memory is bounded by SortBytes: what doesn't fit goes through temporary files.
type Exporter struct {
	Engine *actors.Engine
	Format Format // empty is NDJSON
	// Empty lists identities without an event too.
	Empty bool
	// Scores adds the scores of every identity, all as of one moment; nil leaves them out. A line of NDJSON then ends with
	// "scores" (see scored.append), one of CSV with the columns of scoreColumns.
	Scores *score.Scorer
	// Control is whose lines with scores say that they are in the control group.
	Control score.Control
	// SettleFor is how long to wait until no event is under way, so that no evidence is between two
	// shards; then the export goes on with what is there. 0 is DefaultSettleFor.
	SettleFor time.Duration
	SortBytes int    // 0 is DefaultSortBytes
	TempDir   string // empty is the system's
}

// DefaultSettleFor is how long an export waits for events under way.
const DefaultSettleFor = 5 * time.Second

// Export is a collected export, ready to be written. Close it.
type Export struct {
	Lines int64 // identities
	// Settled tells that no event was under way when the export began. Otherwise some evidence may
	// have been between two shards, and its identities lack it.
	Settled bool

	format Format
	scores bool
	sorter *extsort.Sorter
}

// Collect reads all identities and sorts them.
func (x *Exporter) Collect(ctx context.Context) (*Export, error) {
	format, err := ParseFormat(string(x.Format))
	if err != nil {
		return nil, err
	}
	memory := x.SortBytes
	setDefault(&memory, DefaultSortBytes)
	export := &Export{format: format, scores: x.Scores != nil, sorter: extsort.New(x.TempDir, memory)}
	if err := x.collect(ctx, export); err != nil {
		return nil, errors.Join(err, export.Close())
	}
	return export, nil
}

func (x *Exporter) collect(ctx context.Context, export *Export) error {
	wait := x.SettleFor
	if wait == 0 {
		wait = DefaultSettleFor
	}
	settled, err := x.Engine.SettleWithin(ctx, wait)
	if err != nil {
		return err
	}
	export.Settled = settled
	appendOne := appendLine
	if export.format == CSV {
		appendOne = appendCSV
	}
	if x.Scores != nil {
		appendOne = withScores(appendOne, export.format, x.Scores, x.Control, x.Engine.Now())
	}
	var key, line []byte
	return x.Engine.Each(ctx, func(c *graph.Component) error {
		profiles := c.Profiles(x.Engine.Rules(), x.Empty)
		for i := range profiles {
			key = profiles[i].ID.AppendBinary(key[:0])
			line = appendOne(line[:0], &profiles[i])
			if err := export.sorter.Add(key, line); err != nil {
				return err
			}
		}
		export.Lines += int64(len(profiles))
		return nil
	})
}

// Write writes the lines, and for CSV the header before them.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if e.format == CSV {
		header := csvHeader
		if e.scores {
			header = strings.TrimSuffix(header, lineEnd[CSV]) + scoreColumns + lineEnd[CSV]
		}
		if _, err := out.WriteString(header); err != nil {
			return err
		}
	}
	n := 0
	err := e.sorter.Each(func(line []byte) error {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// AppendLine appends a profile as one line of an export in NDJSON, with its line break.
func AppendLine(dst []byte, p *graph.Profile) []byte { return appendLine(dst, p) }

// Close removes temporary files.
func (e *Export) Close() error { return e.sorter.Close() }

const csvHeader = "id,identifiers,events,orders,revenue,discount,discounted_orders,currency,first_seen,last_seen,traits,counts,by_currency\r\n"

// appendCSV appends a profile as a row of RFC 4180, in the order of csvHeader.
func appendCSV(dst []byte, p *graph.Profile) []byte {
	total := sumMoney(p)
	dst = append(append(dst, p.ID.String()...), ',')
	dst = appendCell(dst, appendIdentifiers(nil, p, false))
	dst = append(strconv.AppendUint(dst, p.Events, 10), ',')
	dst = append(strconv.AppendUint(dst, total.Orders, 10), ',')
	dst = append(money.Append(dst, total.Revenue, total.Currency), ',')
	dst = append(money.Append(dst, total.Discount, total.Currency), ',')
	dst = append(strconv.AppendUint(dst, total.Discounted, 10), ',')
	dst = append(append(dst, total.Currency.String()...), ',')
	for _, ms := range [2]int64{p.First, p.Last} {
		if p.Events > 0 {
			quoted := appendTime(nil, ms)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		dst = append(dst, ',')
	}
	dst = appendCell(dst, appendTraits(nil, p))
	dst = appendCell(dst, appendCounts(nil, p))
	if len(p.Money) > 0 {
		dst = appendCell(dst, appendCurrencies(nil, p))
		dst = dst[:len(dst)-1]
	}
	return append(dst, "\r\n"...)
}

// appendCell appends JSON as a quoted cell, with the comma behind it.
func appendCell(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, `",`...)
}
