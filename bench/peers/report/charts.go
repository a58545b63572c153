package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/peers/harness"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const width, height = 7.5 * vg.Inch, 4.2 * vg.Inch

// inks are distinguishable without seeing red and green; curves differ in their marks and dashes as well.
var (
	inks   = []color.RGBA{{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x22, 0x22, 0x22, 0xff}}
	dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}
	glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}}
	pale   = color.RGBA{0xe6, 0xe6, 0xe6, 0xff}
)

// drawAll returns the pictures that a report has figures for.
func drawAll(r *harness.Report) []picture {
	var list []picture
	for _, s := range r.Shapes {
		list = append(list, drawPeers(r, s.Name))
	}
	if len(r.Load) > 0 {
		list = append(list, drawLoad(r))
	}
	if r.Kafka != nil && len(r.Kafka.Live) > 0 {
		list = append(list, drawKafka(r.Kafka))
	}
	for i := range r.Curves {
		list = append(list, drawCurve(&r.Curves[i]))
	}
	if len(r.Scale) > 0 {
		list = append(list, drawScale(r, "scale-rate.svg", "Events a second, beside one core at the fewest identities", func(p *harness.ScalePoint) float64 {
			return p.Rate.Median / r.Scale[0].Rate.Median
		}), drawScale(r, "scale-memory.svg", "Most resident memory, MiB", func(p *harness.ScalePoint) float64 {
			return p.Resident.Median / (1 << 20)
		}))
	}
	return list
}

// picture is a plot with its name.
type picture struct {
	name string
	plot *plot.Plot
	err  error
}

func (p *picture) svg() ([]byte, error) {
	if p.err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, p.err)
	}
	canvas := vgsvg.New(width, height)
	p.plot.Draw(draw.Crop(draw.New(canvas), vg.Points(4), -vg.Points(14), vg.Points(4), -vg.Points(8)))
	var b bytes.Buffer
	_, err := canvas.WriteTo(&b)
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte(fontFamily)), err
}

// fontFamily lists fonts of the same width, for viewers without the font that the text was measured with.
const fontFamily = "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"

func newPicture(name, title, x, y string) picture {
	p := plot.New()
	for _, f := range []*font.Font{
		&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font,
		&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font,
	} {
		f.Variant, f.Size = "Sans", vg.Points(11)
	}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = vg.Points(8), vg.Points(5), vg.Points(5)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.Padding, p.Legend.ThumbnailWidth = vg.Points(10), vg.Points(3), vg.Points(30)
	p.Y.Min = 0
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = nil, pale
	p.Add(grid)
	return picture{name: name, plot: p}
}

// room leaves place for the legend above the curves.
func (p *picture) room() { p.plot.Y.Max *= 1.3 }

func (p *picture) line(n int, name string, points plotter.XYs) {
	line, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		p.err = err
		return
	}
	line.Color, line.Dashes, line.Width = inks[n%3], dashes[n%3], vg.Points(1.8)
	marks.Color, marks.Shape, marks.Radius = inks[n%3], glyphs[n%3], vg.Points(3.5)
	p.plot.Add(line, marks)
	if name != "" {
		p.plot.Legend.Add(name, line, marks)
	}
}

// drawPeers draws the rate of each peer as a part of the engine's, as bars.
func drawPeers(r *harness.Report, workload string) picture {
	p := newPicture("peers-"+workload+".svg", "Events a second on "+workload+", as parts of Kindred's", "", "")
	p.plot.X.Label.Text = "÷ Kindred's rate"
	var values plotter.Values
	var names []string
	for i := range r.Peers {
		peer := &r.Peers[i]
		if peer.Workload == workload {
			values, names = append(plotter.Values{1 / peer.Faster.Median}, values...), append([]string{peer.Peer}, names...)
		}
	}
	bars, err := plotter.NewBarChart(values, vg.Points(16))
	if err != nil {
		p.err = err
		return p
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, inks[0], 0
	p.plot.Add(bars)
	p.plot.NominalY(names...)
	p.plot.X.Min = 0
	return p
}

func drawLoad(r *harness.Report) picture {
	p := newPicture("load.svg", "Latency of look-ups while events come in", "part of the peak rate of events, %", "µs")
	at := func(i int) (float64, *harness.Load) { return r.Load[i].Part * 100, &r.Load[i] }
	drawLatencies(&p, len(r.Load), at, []percentile[*harness.Load]{
		{"p50", func(l *harness.Load) float64 { return l.Median.Median }},
		{"p99", func(l *harness.Load) float64 { return l.P99.Median }},
		{"p99.9", func(l *harness.Load) float64 { return l.P999.Median }},
	})
	return p
}

func drawKafka(k *bench.KafkaReport) picture {
	p := newPicture("kafka.svg", "From Kafka's log to the profile", "part of the rate of ingest from Kafka, %", "ms")
	at := func(i int) (float64, *bench.Live) { return k.Live[i].Part * 100, &k.Live[i] }
	drawLatencies(&p, len(k.Live), at, []percentile[*bench.Live]{
		{"p50", func(l *bench.Live) float64 { return l.FromLog.Median.Median }},
		{"p99", func(l *bench.Live) float64 { return l.FromLog.P99.Median }},
		{"p99.9", func(l *bench.Live) float64 { return l.FromLog.P999.Median }},
	})
	return p
}

type percentile[T any] struct {
	name  string
	value func(T) float64
}

// drawLatencies draws percentiles against load, on a logarithmic axis of whole decades.
func drawLatencies[T any](p *picture, n int, at func(int) (float64, T), of []percentile[T]) {
	least, most := math.Inf(1), 0.0
	var ticks plot.ConstantTicks
	for line, percentile := range of {
		var points plotter.XYs
		for i := range n {
			x, load := at(i)
			y := max(percentile.value(load), 0.001)
			least, most = min(least, y), max(most, y)
			points = append(points, plotter.XY{X: x, Y: y})
			if line == 0 {
				ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.0f", x)})
			}
		}
		p.line(line, percentile.name, points)
	}
	p.plot.X.Tick.Marker = ticks
	p.plot.Y.Scale, p.plot.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.plot.Y.Min, p.plot.Y.Max = math.Pow(10, math.Floor(math.Log10(least))), math.Pow(10, math.Ceil(math.Log10(most*1.5)))
	p.plot.Legend.YOffs = -vg.Points(2)
}

func drawCurve(c *harness.Curve) picture {
	p := newPicture("curve-"+c.Name+".svg", "Processor time of an event, beside the first point", c.X, "÷ the first point")
	var points plotter.XYs
	for i := range c.Points {
		points = append(points, plotter.XY{X: c.Points[i].X, Y: c.Points[i].CPU.Median / c.Points[0].CPU.Median})
	}
	p.line(0, "engine", points)
	points = nil
	cost := func(q *harness.Comparison) float64 { return q.CPU.Median / q.CPURate.Median }
	for i := range c.Points {
		points = append(points, plotter.XY{X: c.Points[i].X, Y: cost(&c.Points[i]) / cost(&c.Points[0])})
	}
	p.line(1, "ceiling", points)
	p.room()
	if c.Points[0].X > 0 && len(c.Points) > 1 && c.Points[len(c.Points)-1].X/c.Points[0].X > 8 {
		p.logarithmic(c.Points[0].X, c.Points[len(c.Points)-1].X)
	}
	return p
}

// thousands writes the numbers of ticks with their thousands apart.
type thousands struct{ plot.LogTicks }

// Ticks implements plot.Ticker.
func (t thousands) Ticks(low, high float64) []plot.Tick {
	ticks := t.LogTicks.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = number(ticks[i].Value, 0)
		}
	}
	return ticks
}

// logarithmic makes the x axis logarithmic.
func (p *picture) logarithmic(low, high float64) {
	p.plot.X.Scale, p.plot.X.Tick.Marker = plot.LogScale{}, thousands{plot.LogTicks{Prec: -1}}
	p.plot.X.Min, p.plot.X.Max = low, high
}

func drawScale(r *harness.Report, name, title string, of func(*harness.ScalePoint) float64) picture {
	p := newPicture(name, title, "identities", "")
	lines := map[int]plotter.XYs{}
	for i := range r.Scale {
		point := &r.Scale[i]
		lines[point.Cores] = append(lines[point.Cores], plotter.XY{X: float64(point.Identities), Y: of(point)})
	}
	for cores := 1; cores <= 2; cores++ {
		if points := lines[cores]; len(points) > 0 {
			name := "two cores"
			if cores == 1 {
				name = "one core"
			}
			p.line(cores-1, name, points)
			if len(points) > 1 {
				p.logarithmic(points[0].X, points[len(points)-1].X)
			}
		}
	}
	p.room()
	return p
}

// drawPictures returns the pictures as SVG, by name.
func drawPictures(r *harness.Report) (map[string][]byte, error) {
	pictures := map[string][]byte{}
	for _, p := range drawAll(r) {
		raw, err := p.svg()
		if err != nil {
			return nil, err
		}
		pictures[p.name] = raw
	}
	return pictures, nil
}
