package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Text writes r as tables.
func Text(w io.Writer, r *Report) error {
	m := r.Machine
	if _, err := fmt.Fprintf(w, "%s\n", m); err != nil {
		return err
	}
	for _, s := range r.Scenarios {
		if err := s.text(w); err != nil {
			return err
		}
	}
	return nil
}

// String describes m in a line.
func (m Machine) String() string {
	text := fmt.Sprintf("%s, %d cores, %s GiB, %s, Go %s", m.Processor, m.Cores, Figure(float64(m.Memory)/(1<<30)), m.Kernel, m.Go)
	if m.Node != "" {
		text += ", Node " + m.Node
	}
	return text
}

func (s Scenario) text(w io.Writer) error {
	columns := s.columns()
	names, units := []string{""}, []string{""}
	for _, col := range columns {
		names, units = append(names, col.name), append(units, col.unit)
	}
	t := table{names, units}
	for _, c := range s.Cases {
		t = append(t, []string{c.Name})
		for _, result := range c.Results {
			t = append(t, row(columns, c, result))
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n\n%s%s", wrap(s.Name+": "+s.About), t, s.failures())
	return err
}

// maxLine is how long a line of prose is.
const maxLine = 120

// wrap breaks prose into lines.
func wrap(text string) string {
	var lines strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i > 0 && length+1+len(word) > maxLine:
			lines.WriteByte('\n')
			length = 0
		case i > 0:
			lines.WriteByte(' ')
			length++
		}
		lines.WriteString(word)
		length += len(word)
	}
	return lines.String()
}

func row(columns []column, c Case, r Result) []string {
	cells := []string{"  " + r.Peer}
	for _, col := range columns {
		figures := col.figures(c, r)
		spread := SpreadOf(figures)
		switch {
		case len(figures) == 0:
			cells = append(cells, "-")
		case col.bare:
			cells = append(cells, Figure(spread.Median))
		default:
			cells = append(cells, spread.String())
		}
	}
	return cells
}

// failures returns a line for each peer that failed at a case.
func (s Scenario) failures() string {
	var lines strings.Builder
	for _, c := range s.Cases {
		for _, r := range c.Results {
			if r.Err != "" {
				fmt.Fprintf(&lines, "! %s, %s: %s\n", c.Name, r.Peer, firstLine(r.Err))
			}
		}
	}
	return lines.String()
}

// firstLine is what there is to say; what the server printed follows it.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// table is rows of cells. The first column is aligned to the left, the others to the right; a row of one cell is a heading.
type table [][]string

func (t table) String() string {
	var widths []int
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	var text strings.Builder
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(&line, "%-*s", widths[0], cell)
			} else {
				fmt.Fprintf(&line, "  %*s", widths[i], cell)
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return text.String()
}
