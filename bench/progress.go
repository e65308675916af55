package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress says what a run does and how much is left: on a terminal in one line that changes, else a line for each scenario.
type progress struct {
	out   io.Writer
	width int // of the terminal; 0: it is none

	began time.Time
	done  int // measurements
	all   int
}

// newProgress returns the progress of a run that is shown at out.
func newProgress(out *os.File) *progress {
	p := &progress{out: out}
	if fd := int(out.Fd()); term.IsTerminal(fd) {
		p.width = 80
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			p.width = width
		}
	}
	return p
}

// making says that a peer is installed and built.
func (p *progress) making(peer string) { p.line("making " + peer) }

// begin says that so many measurements follow.
func (p *progress) begin(all int) { p.began, p.all = time.Now(), all }

// scenario says that a scenario begins.
func (p *progress) scenario(name string) {
	if p.width == 0 {
		fmt.Fprintf(p.out, "bench: %s (%d of %d measurements done%s)\n", name, p.done, p.all, p.left())
	}
}

// measuring says what is measured now.
func (p *progress) measuring(what string) {
	p.line(fmt.Sprintf("%d/%d%s  %s", p.done, p.all, p.left(), what))
}

// measured counts a measurement that was made, or that need not be.
func (p *progress) measured() { p.done++ }

// end leaves nothing of the line.
func (p *progress) end() { p.line("") }

// left is how long the rest will take if it goes on as it went.
func (p *progress) left() string {
	if p.done == 0 {
		return ""
	}
	left := time.Since(p.began) / time.Duration(p.done) * time.Duration(p.all-p.done)
	return fmt.Sprintf(", %v left", left.Round(time.Second))
}

func (p *progress) line(text string) {
	if p.width == 0 {
		return
	}
	if len(text) >= p.width {
		text = text[:p.width-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", text)
}
