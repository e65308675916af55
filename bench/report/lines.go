package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// lineSizes is how many sizes of messages a line is drawn through, at least.
const lineSizes = 3

// counts returns the numbers of connections at which CPU was measured with so many sizes of messages.
func (s Scenario) counts() (counts []int) {
	sizes := map[int]int{}
	for _, c := range s.Cases {
		if c.Size > 0 && c.Count > 0 {
			sizes[c.Count]++
			if sizes[c.Count] == lineSizes {
				counts = append(counts, c.Count)
			}
		}
	}
	if !s.measured("", CPU) {
		return nil
	}
	return counts
}

// lines draws CPU per GB against the size of messages, a line a peer.
func (r *Report) lines(s Scenario, count int) (Plot, error) {
	p := newPlot(fmt.Sprintf("%s, %s: CPU, s/GB", s.Name, connections(count)))
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Legend.Top = true
	p.Add(grid())
	for _, peer := range r.Peers {
		points := s.points(peer.Name, count)
		if len(points.XYs) == 0 {
			continue
		}
		if err := addLine(p, peer.Name, points, r.style(peer.Name)); err != nil {
			return Plot{}, err
		}
	}
	p.X.Label.Text = "bytes of a message"
	p.X.Tick.Marker = plot.ConstantTicks(s.sizeTicks(count))
	p.X.Min, p.X.Max = p.X.Min/1.2, p.X.Max*1.4
	p.Y.Min, p.Y.Max = p.Y.Min/1.2, p.Y.Max*1.2
	p.Y.Tick.Marker = plot.ConstantTicks(decades(p.Y.Min, p.Y.Max))
	alt := fmt.Sprintf("Server CPU seconds per GB against the size of messages, %s, %s", s.Name, connections(count))
	return render(p, fmt.Sprintf("%s-%d", s.Name, count), alt, plotHeight)
}

func connections(count int) string {
	if count == 1 {
		return "1 connection"
	}
	return fmt.Sprintf("%d connections", count)
}

// points are medians with their spread.
type points struct {
	plotter.XYs
	plotter.YErrors
}

func (s Scenario) points(peer string, count int) (at points) {
	for _, c := range s.Cases {
		spread := SpreadOf(c.Result(peer).Figures(CPU))
		if c.Count != count || spread.Least <= 0 {
			continue
		}
		at.XYs = append(at.XYs, plotter.XY{X: float64(c.Size), Y: spread.Median})
		at.YErrors = append(at.YErrors, struct{ Low, High float64 }{spread.Median - spread.Least, spread.Most - spread.Median})
	}
	return at
}

func addLine(p *plot.Plot, name string, at points, look style) error {
	line, dots, err := plotter.NewLinePoints(at.XYs)
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: look.color, Width: 1.5, Dashes: look.dashes}
	dots.GlyphStyle = draw.GlyphStyle{Color: look.color, Radius: 3, Shape: look.glyph}
	whiskers, err := plotter.NewYErrorBars(at)
	if err != nil {
		return err
	}
	whiskers.LineStyle = draw.LineStyle{Color: look.color, Width: 1}
	p.Add(whiskers, line, dots)
	p.Legend.Add(name+"\u00a0\u00a0", line, dots)
	return nil
}

func (s Scenario) sizeTicks(count int) (ticks []plot.Tick) {
	for _, c := range s.Cases {
		if c.Count == count {
			ticks = append(ticks, plot.Tick{Value: float64(c.Size), Label: sizeName(c.Size)})
		}
	}
	return ticks
}

func sizeName(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d Mi", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d Ki", n>>10)
	}
	return fmt.Sprint(n)
}

// decades are ticks at 1, 2 and 5 times the powers of ten.
func decades(least, most float64) (ticks []plot.Tick) {
	for power := math.Floor(math.Log10(least)); power <= math.Log10(most); power++ {
		for _, digit := range []float64{1, 2, 5} {
			v := digit * math.Pow(10, power)
			if v >= least && v <= most {
				ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.4g", v)})
			}
		}
	}
	return slices.Clip(ticks)
}
