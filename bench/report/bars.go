package report

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// barKind is a picture of bars: metrics that have a unit in common.
type barKind struct {
	name    string // of its file, after the scenario's
	title   string
	metrics []Metric
}

var barKinds = []barKind{
	{"cpu", "CPU, s/GB", []Metric{CPU}},
	{"cpu-each", "CPU, us a connection", []Metric{CPUEach}},
	{"memory-each", "resident memory, KiB a connection", []Metric{MemoryEach}},
	{"first", "first chunk, ms", []Metric{First}},
	{"latency", "from when a message was due, ms", []Metric{P50, P99, P999}},
}

const (
	barWidth  = 11
	rowHeight = 16
	around    = 56  // above and below
	groupGap  = 0.4 // rows
)

// bars draws a bar for each peer in each case, from top to bottom: row 0, -1 and so on.
func (r *Report) bars(s Scenario, kind barKind) (Plot, error) {
	p := newPlot(s.Name + ": " + kind.title)
	g := grid()
	g.Horizontal.Width = 0
	p.Add(g)
	var names []plot.Tick
	row := 0.0
	for _, c := range s.Cases {
		for _, m := range kind.metrics {
			if err := addText(p, kind.heading(c, m), bold, 0, row); err != nil {
				return Plot{}, err
			}
			row--
			for _, result := range c.Results {
				figures := result.Figures(m)
				if len(figures) == 0 {
					continue
				}
				if err := addBar(p, row, SpreadOf(figures), r.style(result.Peer).color); err != nil {
					return Plot{}, err
				}
				names = append(names, plot.Tick{Value: row, Label: result.Peer})
				row--
			}
			row -= groupGap
		}
	}
	p.X.Min, p.X.Max = 0, p.X.Max*1.18 // with room for the figures
	p.Y.Min, p.Y.Max = row+groupGap+0.5, 0.5
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	alt := fmt.Sprintf("%s: %s, by peer", s.Name, kind.title)
	return render(p, s.Name+"-"+kind.name, alt, vg.Length(around-row*rowHeight))
}

// heading stands above the bars of a case.
func (kind barKind) heading(c Case, m Metric) string {
	if len(kind.metrics) == 1 {
		return c.Name
	}
	return c.Name + ", " + string(m)
}

// addBar adds a bar with its spread and its figure.
func addBar(p *plot.Plot, row float64, spread Spread, fill color.Color) error {
	bar, err := plotter.NewBarChart(plotter.Values{spread.Median}, barWidth)
	if err != nil {
		return err
	}
	bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, row, fill, 0
	p.Add(bar)
	if spread.Least < spread.Most {
		if err := addWhisker(p, row, spread); err != nil {
			return err
		}
	}
	return addText(p, Figure(spread.Median), sans, spread.Most, row)
}

func addWhisker(p *plot.Plot, row float64, spread Spread) error {
	at := struct {
		plotter.XYs
		plotter.XErrors
	}{plotter.XYs{{X: spread.Median, Y: row}}, plotter.XErrors{{Low: spread.Median - spread.Least, High: spread.Most - spread.Median}}}
	whisker, err := plotter.NewXErrorBars(at)
	if err != nil {
		return err
	}
	whisker.LineStyle = draw.LineStyle{Color: ink, Width: 0.75}
	whisker.CapWidth = 4
	p.Add(whisker)
	return nil
}

// addText adds text that begins a little to the right of a place.
func addText(p *plot.Plot, text string, font font.Font, x, y float64) error {
	label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{text}})
	if err != nil {
		return err
	}
	look := &label.TextStyle[0]
	look.Font, look.Color, look.YAlign = font, ink, draw.YCenter
	label.Offset = vg.Point{X: 4, Y: 1}
	p.Add(label)
	return nil
}
