package main

import (
	"fmt"
	"math"

	"github.com/kindred-id/kindred/bench/research/eval"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
)

// trackingChart compares predictions and outcomes for all customers together.
func trackingChart(t *eval.Tracking) *chart {
	c := newChart("Repeat orders of all customers, actual and expected", "weeks since the first order", "repeat orders so far")
	last := len(t.Weeks) - 1
	c.X.Min, c.X.Max = 0, math.Ceil(t.Weeks[last])
	top := t.Actual[last]
	for _, e := range t.Expected {
		top = max(top, e.Values[last])
	}
	c.Y.Max = top * 1.05
	c.Y.Tick.Marker = everyTick{step: 1000, label: func(v float64) string { return thousands(int(v)) }}
	c.X.Tick.Marker = everyTick{step: 13, label: func(v float64) string { return fmt.Sprint(v) }}
	c.rule(t.Cut, 0, t.Cut, c.Y.Max)
	c.note(t.Cut, 0, "fitted to this", vg.Point{X: -vg.Points(74), Y: vg.Points(8)})
	c.note(t.Cut, 0, "foretold", vg.Point{X: vg.Points(8), Y: vg.Points(8)})
	c.line("actual", happened, false, t.Weeks, t.Actual)
	for i, s := range []style{ours, others} {
		c.line(t.Expected[i].Name, s, false, t.Weeks, t.Expected[i].Values)
	}
	return c
}

// frequencyChart compares them by how often customers bought before.
func frequencyChart(f *eval.ByFrequency) *chart {
	c := newChart("Orders in the next 39 weeks, by repeat orders before", "repeat orders in the weeks fitted to (customers)", "mean orders in the next 39 weeks")
	x := make([]float64, len(f.Customers))
	ticks := make(plot.ConstantTicks, len(x))
	for i, n := range f.Customers {
		x[i] = float64(i)
		more := ""
		if i == len(x)-1 {
			more = "+"
		}
		ticks[i] = plot.Tick{Value: x[i], Label: fmt.Sprintf("%d%s\n(%s)", i, more, thousands(n))}
	}
	c.X.Tick.Marker = ticks
	c.X.Min, c.X.Max = -0.3, float64(len(x)-1)+0.3
	c.Y.Tick.Marker = everyTick{step: 1, label: func(v float64) string { return fmt.Sprint(v) }}
	c.line("actual", happened, true, x, f.Actual)
	for i, s := range []style{ours, others} {
		c.line(f.Expected[i].Name, s, true, x, f.Expected[i].Values)
	}
	return c
}

// calibrationChart compares offer probabilities with outcomes.
func calibrationChart(groups []eval.CalibrationGroup) *chart {
	c := newChart("Offers accepted, by the probability that was foretold", "offer probability, mean of a tenth of the offers", "share accepted")
	var x, y []float64
	top := 0.0
	for _, g := range groups {
		x, y = append(x, g.Predicted), append(y, g.Happened)
		top = max(top, g.Predicted, g.Happened)
	}
	top *= 1.08
	c.X.Min, c.X.Max, c.Y.Max = 0, top, top
	percent := everyTick{step: 0.1, label: func(v float64) string { return fmt.Sprintf("%.0f %%", v*100) }}
	c.X.Tick.Marker, c.Y.Tick.Marker = percent, percent
	c.rule(0, 0, top, top)
	c.note(top, top, "as foretold", vg.Point{X: -vg.Points(88), Y: -vg.Points(14)})
	c.line("", ours, true, x, y)
	return c
}

// everyTick marks the multiples of a step.
type everyTick struct {
	step  float64
	label func(float64) string
}

// Ticks implements plot.Ticker.
func (e everyTick) Ticks(low, high float64) (ticks []plot.Tick) {
	for i := 0; float64(i)*e.step <= high; i++ {
		if v := float64(i) * e.step; v >= low {
			ticks = append(ticks, plot.Tick{Value: v, Label: e.label(v)})
		}
	}
	return ticks
}
