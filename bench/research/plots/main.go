// Command scoreplots draws how well scores foretell on public data, for docs/scores.md: the same data, the same bytes.
//
// The data are not in the repository: package publicdata searches for them, and -data names their folder.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kindred-id/kindred/bench/research/eval"
	"github.com/kindred-id/kindred/bench/research/publicdata"
)

func main() {
	data := flag.String("data", "", "folder with cdnow_sample.csv and the cj_*.csv; without it, the one that tests of the scores use")
	out := flag.String("out", filepath.Join("..", "..", "docs", "images"), "folder to write the pictures to")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "scoreplots: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(*data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "scoreplots:", err)
		os.Exit(1)
	}
}

func run(data, out string) error {
	if data == "" {
		found, err := publicdata.Find()
		if err != nil {
			return fmt.Errorf("%w, or in -data", err)
		}
		data = found
	}
	drawings, err := drawAll(data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, d := range drawings {
		path := filepath.Join(out, d.file)
		if err := os.WriteFile(path, d.svg, 0o644); err != nil {
			return err
		}
		fmt.Println(path)
	}
	return nil
}

// drawing is a picture in the form in which it is written.
type drawing struct {
	file string
	svg  []byte
}

// The parts of the data that are told apart, as in internal/scoreeval's tests.
var (
	cut       = time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	end       = time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
	campaigns = time.Date(2017, 5, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

const (
	frequencyMost = 7  // customers with as many repeat orders or more form one group
	offerGroups   = 10 // of offers, by their probability
)

// drawAll draws all pictures from the data in a folder.
func drawAll(data string) ([]drawing, error) {
	f, err := os.Open(filepath.Join(data, "cdnow_sample.csv"))
	if err != nil {
		return nil, err
	}
	ledger, err := eval.ReadCDNOW(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	tracking, frequency, err := eval.CLVCurves(ledger, cut, end, frequencyMost)
	if err != nil {
		return nil, err
	}
	journey, err := eval.ReadJourney(data)
	if err != nil {
		return nil, err
	}
	offers, err := journey.Calibrated(campaigns, offerGroups)
	if err != nil {
		return nil, err
	}
	var drawings []drawing
	for _, c := range []struct {
		file  string
		chart *chart
	}{
		{"clv-tracking.svg", trackingChart(tracking)},
		{"clv-by-frequency.svg", frequencyChart(frequency)},
		{"offer-calibration.svg", calibrationChart(offers)},
	} {
		svg, err := c.chart.svg()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.file, err)
		}
		drawings = append(drawings, drawing{c.file, svg})
	}
	return drawings, nil
}
