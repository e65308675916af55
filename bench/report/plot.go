package report

import (
	"bytes"
	"fmt"
	"image/color"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	plotWidth  = 440
	plotHeight = 320
	textSize   = 11
)

var (
	ink   = color.Black          // becomes the colour of the text around it
	faint = color.NRGBA{A: 0x28} // the same, seen through
	sans  = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
	bold  = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize, Weight: 2}
)

// Plot is a picture of a part of a report.
type Plot struct {
	Name string // of its file, without the extension
	Alt  string // what it shows, in a sentence
	svg  []byte
}

// plots draws a scenario: lines against the size of messages where cases differ by it, else bars.
func (r *Report) plots(s Scenario) (plots []Plot, err error) {
	add := func(p Plot, err2 error) {
		if err == nil {
			plots, err = append(plots, p), err2
		}
	}
	counts := s.counts()
	for _, count := range counts {
		add(r.lines(s, count))
	}
	for _, b := range barKinds {
		if len(counts) > 0 && b.metrics[0] == CPU || !s.measured("", b.metrics[0]) {
			continue
		}
		add(r.bars(s, b))
	}
	return plots, err
}

// newPlot returns a plot with nothing in it.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = title
	p.Title.Padding = 8
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = bold, ink
	p.Legend.Padding, p.Legend.ThumbnailWidth, p.Legend.XOffs = 3, 24, -4
	p.Legend.TextStyle.Font, p.Legend.TextStyle.Color = sans, ink
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = faint, faint
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans, ink
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans, ink
		axis.Padding = 4
	}
	return p
}

// grid are lines behind what is drawn.
func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: faint, Width: 0.5}
	g.Vertical = g.Horizontal
	return g
}

var (
	head  = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	fonts = regexp.MustCompile(`font-family:[^;"]*(;font-variant:[^;"]*)?`)
)

// families are fonts of the same widths as that which gonum places text with.
const families = "Liberation Sans,Arimo,Arial,Helvetica,sans-serif"

// render draws p. Its text has the colour of what is around it.
func render(p *plot.Plot, name, alt string, height vg.Length) (Plot, error) {
	canvas := vgsvg.New(plotWidth, height)
	p.Draw(draw.New(canvas))
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return Plot{}, err
	}
	text := fonts.ReplaceAllString(head.ReplaceAllString(svg.String(), ""), "font-family:"+families)
	text = strings.ReplaceAll(text, "#000000", "currentColor")
	begin := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" fill="currentColor" role="img" aria-label="%s">`, plotWidth, float64(height), alt)
	return Plot{Name: name, Alt: alt, svg: []byte(begin + text)}, nil
}

// ownStyle is for a picture that stands by itself.
const ownStyle = `<style>svg{color:#1f2328;background:#fff}@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117}}</style>`

// File returns the picture as a file by itself.
func (p Plot) File() []byte {
	begin, rest, _ := bytes.Cut(p.svg, []byte(">"))
	return fmt.Appendf(nil, `%s width="%d">%s%s`, begin, plotWidth*3/2, ownStyle, rest)
}
