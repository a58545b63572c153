package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// printTable prints a line for each layer. The ratios are change to base.
func printTable(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "layer\tcpu base\tchange\tratio\tp\tclock\tp\tallocs\tverdict")
	for i := range rows {
		r := &rows[i]
		if r.verdict == isNew || r.verdict == isGone {
			fmt.Fprintf(w, "%s\t\t\t\t\t\t\t\t%s\n", r.layer, r.verdict)
			continue
		}
		allocs := fmt.Sprintf("%.0f", r.allocs.base)
		if r.allocs.base != r.allocs.change {
			allocs += fmt.Sprintf(" → %.0f", r.allocs.change)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.3f\t%.2f\t%.3f\t%s\t%s\n", r.layer,
			seconds(r.cpu.base), seconds(r.cpu.change), r.cpu.ratio(), r.cpu.p, r.clock.ratio(), r.clock.p, allocs, r.verdict)
	}
}

// seconds formats a time with three digits or so.
func seconds(s float64) string {
	d := time.Duration(s * 1e9)
	if d < time.Microsecond {
		return fmt.Sprintf("%.1fns", s*1e9)
	}
	return d.Round(d / 1000).String()
}
