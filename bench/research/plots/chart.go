package main

import (
	"bytes"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const width, height = 7.5 * vg.Inch, 4.2 * vg.Inch

// Colours of the curves, distinguishable without seeing red and green, and by their dashes when printed.
var (
	actualInk = color.RGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xff}
	ours      = style{color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, []vg.Length{vg.Points(6), vg.Points(3)}, draw.CircleGlyph{}}
	others    = style{color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, []vg.Length{vg.Points(2), vg.Points(2)}, draw.PyramidGlyph{}}
	happened  = style{actualInk, nil, draw.BoxGlyph{}}
	grey      = color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff}
	pale      = color.RGBA{R: 0xe6, G: 0xe6, B: 0xe6, A: 0xff}
)

type style struct {
	ink    color.Color
	dashes []vg.Length
	glyph  draw.GlyphDrawer
}

// chart is a plot in the common style. svg returns the first error of any method.
type chart struct {
	*plot.Plot
	err error
}

func newChart(title, x, y string) *chart {
	p := plot.New()
	for _, f := range []*font.Font{
		&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font,
		&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font,
	} {
		f.Variant = "Sans"
		f.Size = vg.Points(11)
	}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle.Font.Size = vg.Points(13)
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = vg.Points(10), vg.Points(6), vg.Points(6)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(10), -vg.Points(6)
	p.Legend.Padding = vg.Points(3)
	p.Legend.ThumbnailWidth = vg.Points(32)
	p.Y.Min = 0
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	grid.Horizontal.Color = pale
	p.Add(grid)
	return &chart{Plot: p}
}

// line adds a curve, with marks at its points when marked, and names it in the legend unless it has no name.
func (c *chart) line(name string, s style, marked bool, x, y []float64) {
	points := make(plotter.XYs, len(x))
	for i := range points {
		points[i] = plotter.XY{X: x[i], Y: y[i]}
	}
	line, marks, err := plotter.NewLinePoints(points)
	if err != nil {
		c.err = err
		return
	}
	line.Color, line.Dashes, line.Width = s.ink, s.dashes, vg.Points(1.8)
	marks.Color, marks.Shape, marks.Radius = s.ink, s.glyph, vg.Points(3.5)
	c.Add(line)
	thumbnail := []plot.Thumbnailer{line}
	if marked {
		c.Add(marks)
		thumbnail = append(thumbnail, marks)
	}
	if name != "" {
		c.Legend.Add(name, thumbnail...)
	}
}

// rule adds a thin straight line.
func (c *chart) rule(x0, y0, x1, y1 float64) {
	line, err := plotter.NewLine(plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y1}})
	if err != nil {
		c.err = err
		return
	}
	line.Color, line.Width = grey, vg.Points(1)
	c.Add(line)
}

// note writes beside a point.
func (c *chart) note(x, y float64, text string, offset vg.Point) {
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{text}})
	if err != nil {
		c.err = err
		return
	}
	labels.TextStyle[0].Font.Variant, labels.TextStyle[0].Font.Size = "Sans", vg.Points(10)
	labels.TextStyle[0].Color = color.Gray{Y: 0x55}
	labels.Offset = offset
	c.Add(labels)
}

// fontFamily lists fonts of the same width, for viewers without the font that the text was measured with.
const fontFamily = "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"

func (c *chart) svg() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	canvas := vgsvg.New(width, height)
	c.Draw(draw.Crop(draw.New(canvas), vg.Points(4), -vg.Points(14), vg.Points(4), -vg.Points(8)))
	var b bytes.Buffer
	_, err := canvas.WriteTo(&b)
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte(fontFamily)), err
}

// thousands writes 2357 as 2,357.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
