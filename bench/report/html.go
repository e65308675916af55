package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"time"
)

//go:embed report.html
var pageText string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// page is what the template shows.
type page struct {
	*Report
	Took     time.Duration
	Legend   []legendPeer
	Sections []section
}

type legendPeer struct {
	Peer
	Color template.CSS
}

// section is a scenario.
type section struct {
	Scenario
	Pictures []template.HTML
	Head     []heading
	Groups   []group
}

type heading struct{ Name, Unit string }

// group are the rows of a case.
type group struct {
	Name string
	Rows []tableRow
}

type tableRow struct {
	Peer  string
	Color template.CSS
	Cells []tableCell
	Err   string
}

// tableCell is a figure with its spread; empty if there is none.
type tableCell struct{ Figure, Spread, Range string }

// HTML writes r as a page that needs nothing else: pictures and style are in it, and it runs no script.
func HTML(w io.Writer, r *Report) error {
	p := page{Report: r, Took: time.Duration(r.Seconds * float64(time.Second)).Round(time.Second)}
	for _, peer := range r.Peers {
		p.Legend = append(p.Legend, legendPeer{peer, r.css(peer.Name)})
	}
	for _, s := range r.Scenarios {
		part, err := r.section(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		p.Sections = append(p.Sections, part)
	}
	return pageTemplate.Execute(w, p)
}

func (r *Report) css(peer string) template.CSS {
	c := r.style(peer).color
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
}

func (r *Report) section(s Scenario) (section, error) {
	plots, err := r.plots(s)
	if err != nil {
		return section{}, err
	}
	part := section{Scenario: s}
	for _, p := range plots {
		part.Pictures = append(part.Pictures, template.HTML(p.svg))
	}
	columns := s.columns()
	for _, col := range columns {
		part.Head = append(part.Head, heading{col.name, col.unit})
	}
	for _, c := range s.Cases {
		g := group{Name: c.Name}
		for _, result := range c.Results {
			g.Rows = append(g.Rows, r.row(columns, c, result))
		}
		part.Groups = append(part.Groups, g)
	}
	return part, nil
}

func (r *Report) row(columns []column, c Case, result Result) tableRow {
	made := tableRow{Peer: result.Peer, Color: r.css(result.Peer), Err: firstLine(result.Err)}
	for _, col := range columns {
		figures := col.figures(c, result)
		if len(figures) == 0 {
			made.Cells = append(made.Cells, tableCell{})
			continue
		}
		spread := SpreadOf(figures)
		cell := tableCell{Figure: Figure(spread.Median), Range: Figure(spread.Least) + " to " + Figure(spread.Most)}
		if !col.bare && spread.Least != spread.Most && spread.Median != 0 {
			cell.Spread = fmt.Sprintf("±%.0f%%", spread.off())
		}
		made.Cells = append(made.Cells, cell)
	}
	return made
}

// Write writes report.json, report.html and the pictures by themselves to a folder.
func Write(folder string, r *Report) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "report.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	for _, s := range r.Scenarios {
		plots, err := r.plots(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		for _, p := range plots {
			if err := os.WriteFile(filepath.Join(folder, p.Name+".svg"), p.File(), 0o644); err != nil {
				return err
			}
		}
	}
	return writePage(filepath.Join(folder, "report.html"), r)
}

func writePage(file string, r *Report) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := HTML(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
