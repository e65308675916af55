package report

import (
	"fmt"
	"io"
	"strings"
)

// Compare writes by how much what was measured differs from what an earlier run has found: new/old, of medians. Machines and
// their load differ between runs, which the ratio of the figures relative to the limit leaves out. Of cases that only one of
// them has it writes the names.
func Compare(w io.Writer, old, now *Report) error {
	_, err := fmt.Fprintf(w, "\nnew/old, held against the run of %s; * where no figure of one lies among the other's\nold: %s\nnew: %s\n",
		old.Began.Format("2006-01-02 15:04"), old.Machine, now.Machine)
	if err != nil {
		return err
	}
	for _, s := range now.Scenarios {
		if err := compareScenario(w, old.Scenario(s.Name), s); err != nil {
			return err
		}
	}
	only := append(missing("new", now, old), missing("old", old, now)...)
	if len(only) == 0 {
		return nil
	}
	_, err = fmt.Fprintf(w, "\n%s\n", strings.Join(only, "\n"))
	return err
}

func compareScenario(w io.Writer, old, now Scenario) error {
	columns := alike(old, now)
	names, units := []string{""}, []string{""}
	for _, col := range columns {
		names, units = append(names, col.name), append(units, col.unit)
	}
	t := table{names, units}
	for _, c := range now.Cases {
		before := old.Case(c.Name)
		if before.Name == "" {
			continue
		}
		t = append(t, []string{c.Name})
		for _, r := range c.Results {
			t = append(t, compareRow(columns, before, c, r))
		}
	}
	if len(t) == 2 || len(columns) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n\n%s", now.Name, t)
	return err
}

// alike returns what both have of what peers are held against each other by, of memory and of first chunks.
func alike(old, now Scenario) (columns []column) {
	for _, m := range Metrics {
		if !m.compared() && m != Memory && m != First || !old.measured("", m) || !now.measured("", m) {
			continue
		}
		name, unit := m.Title()
		columns = append(columns, column{name, unit, true, func(_ Case, r Result) []float64 { return r.Figures(m) }})
		if m.compared() && old.measured(limit, m) && now.measured(limit, m) {
			of := func(c Case, r Result) []float64 { return Ratios(r, c.Result(limit), m) }
			columns = append(columns, column{name, "/" + limit, true, of})
		}
	}
	return columns
}

func compareRow(columns []column, before, after Case, r Result) []string {
	cells := []string{"  " + r.Peer}
	for _, col := range columns {
		x, y := col.figures(before, before.Result(r.Peer)), col.figures(after, r)
		cells = append(cells, changed(SpreadOf(x), SpreadOf(y)))
	}
	return cells
}

// changed is the ratio of two spreads, marked if they lie apart.
func changed(old, now Spread) string {
	switch {
	case old.Median == 0 || now.Median == 0:
		return "- "
	case old.Apart(now):
		return fmt.Sprintf("%.2f*", now.Median/old.Median)
	}
	return fmt.Sprintf("%.2f ", now.Median/old.Median)
}

// missing names the cases, and the peers of cases, that a has and b has not.
func missing(name string, a, b *Report) (lines []string) {
	for _, s := range a.Scenarios {
		for _, c := range s.Cases {
			other := b.Scenario(s.Name).Case(c.Name)
			if other.Name == "" {
				lines = append(lines, fmt.Sprintf("only in the %s one: %s, %s", name, s.Name, c.Name))
				continue
			}
			for _, r := range c.Results {
				if other.Result(r.Peer).Peer == "" {
					lines = append(lines, fmt.Sprintf("only in the %s one: %s, %s, %s", name, s.Name, c.Name, r.Peer))
				}
			}
		}
	}
	return lines
}
