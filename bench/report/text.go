package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// reference is the peer that others are compared with where it was measured.
const reference = "limit"

// Text writes r as tables.
func Text(w io.Writer, r *Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, s := range r.Scenarios {
		fmt.Fprintf(t, "\n%s: %s\n", s.Name, s.About)
		for _, c := range s.Cases {
			writeCase(t, c)
		}
	}
	return t.Flush()
}

func writeCase(w io.Writer, c Case) {
	metrics := c.metrics()
	fmt.Fprintf(w, "%s\t", c.Name)
	for _, m := range metrics {
		fmt.Fprintf(w, "%s\t", m)
	}
	fmt.Fprintf(w, "x %s\t\n", reference)
	limit := c.Result(reference)
	for _, result := range c.Results {
		fmt.Fprintf(w, "%s\t", result.Peer)
		for _, m := range metrics {
			figures := result.Figures(m)
			if len(figures) == 0 {
				fmt.Fprint(w, "-\t")
				continue
			}
			spread := SpreadOf(figures)
			fmt.Fprintf(w, "%.3g (%.3g-%.3g)\t", spread.Median, spread.Least, spread.Most)
		}
		if ratios := Ratios(result, limit, CPU); len(ratios) > 0 {
			fmt.Fprintf(w, "%.2f", SpreadOf(ratios).Median)
		}
		fmt.Fprintf(w, "\t%s\n", result.Err)
	}
}

// Result returns what a peer did.
func (c Case) Result(peer string) Result {
	for _, r := range c.Results {
		if r.Peer == peer {
			return r
		}
	}
	return Result{}
}

// metrics returns those that somebody was measured in.
func (c Case) metrics() (found []Metric) {
	for _, m := range Metrics {
		for _, r := range c.Results {
			if len(r.Figures(m)) > 0 {
				found = append(found, m)
				break
			}
		}
	}
	return found
}
