package main

import (
	"fmt"
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// screen is what a command says beside its results: messages, and on a terminal bars that show how far its work is.
type screen struct {
	out  io.Writer
	bars *mpb.Progress // nil: not a terminal
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if isTerminal(out) {
		s.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(barWidth))
	}
	return s
}

const (
	barWidth     = 64
	barNameWidth = 30
)

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// say prints a message, above the bars.
func (s *screen) say(message string) { s.print(s.out, message) }

// print prints a line to w, which if it is a terminal is the one the bars are on.
func (s *screen) print(w io.Writer, line string) {
	line += "\n"
	if s.bars != nil && isTerminal(w) {
		if _, err := s.bars.Write([]byte(line)); err == nil {
			return
		}
	}
	// Who does not read what is printed does not want it; a result that must arrive is written by who has it.
	_, _ = io.WriteString(w, line)
}

// close draws the last state of the bars and lets go of the terminal.
func (s *screen) close() {
	if s.bars != nil {
		s.bars.Wait()
	}
}

// meter shows how far one stream is. A nil meter shows nothing.
type meter struct{ bar *mpb.Bar }

// meter begins to show a stream of that size, nil if that is not known.
func (s *screen) meter(name string, size *int64) *meter {
	if s.bars == nil {
		return nil
	}
	label := decor.Name(shorten(printable(name), barNameWidth), decor.WC{C: decor.DindentRight | decor.DextraSpace})
	speed := decor.AverageSpeed(decor.SizeB1024(0), " % .1f")
	if size == nil {
		return &meter{s.bars.New(0, mpb.SpinnerStyle(),
			mpb.PrependDecorators(label), mpb.AppendDecorators(decor.CurrentKibiByte("% .1f"), speed))}
	}
	return &meter{s.bars.New(max(*size, 1), mpb.BarStyle().Rbound("]"), // a bar of 0 would be one without an end
		mpb.PrependDecorators(label),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), speed, decor.AverageETA(decor.ET_STYLE_GO, decor.WC{C: decor.DextraSpace}))),
	}
}

// at says how many bytes are done.
func (m *meter) at(offset int64) {
	if m != nil {
		m.bar.SetCurrent(offset)
	}
}

// done says that all is done.
func (m *meter) done() {
	if m != nil {
		m.bar.SetTotal(-1, true)
	}
}

// abort says that the rest will not be done. After done it does nothing.
func (m *meter) abort() {
	if m != nil {
		m.bar.Abort(false)
	}
}

// size is a number of bytes as people read it.
func size(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for ; value >= 1<<10 && unit < len(units)-1; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}
