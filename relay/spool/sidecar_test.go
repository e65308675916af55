package spool

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

func TestAParserFailsOnlyWhenItsReaderDoes(t *testing.T) {
	broken := errors.New("broken")
	text := appendHeader([]byte(magic), []byte("header"), 0)
	_, err := parseSidecar(io.MultiReader(bytes.NewReader(text), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("parseSidecar = %v; want %v", err, broken)
	}
}

func FuzzSidecar(f *testing.F) {
	text := appendHeader([]byte(magic), []byte("first"), 0)
	text = slot{kind: kindChunk, flags: 1, length: 10, sum: 7}.append(text)
	text = slot{kind: kindChunk, length: 1, offset: 10}.append(text)
	text = appendHeader(text, []byte("second"), 11)
	text = slot{kind: kindSeal, offset: 11}.append(text)
	f.Add(text)
	f.Add(text[:len(text)-3])
	f.Add(append(slices.Clone(text[:60]), text[70:]...))
	f.Add([]byte{})
	dropped := append(slices.Clone(text[:len(text)-slotBytes]), make([]byte, 3*slotBytes)...) // a hole
	dropped = slot{kind: kindChunk, length: 5, offset: 20}.append(dropped)
	dropped = slot{kind: kindDrop, offset: 22}.append(dropped)
	f.Add(dropped)
	f.Add(slot{kind: kindDrop, offset: 100}.append(dropped))
	f.Fuzz(func(t *testing.T, text []byte) {
		side, err := parseSidecar(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("parseSidecar = %v", err)
		}
		if side.end > int64(len(text)) || side.start < 0 || side.size < side.start {
			t.Fatalf("end %d of %d, %d to %d", side.end, len(text), side.start, side.size)
		}
		at := int64(0)
		for _, p := range side.index.pages {
			slots, err := p.read(bytes.NewReader(text), nil)
			if err != nil || len(slots) != p.records {
				t.Fatalf("page %+v: %d slots, %v", p, len(slots), err)
			}
			for _, s := range slots {
				if s.offset < at || s.end() > side.size {
					t.Fatalf("chunk %d-%d after %d in %d bytes", s.offset, s.end(), at, side.size)
				}
				at = s.end()
			}
		}
		// What is kept of a torn sidecar is whole.
		again, err := parseSidecar(bytes.NewReader(text[:side.end]))
		if err != nil || again.size != side.size || again.start != side.start || again.end != side.end || again.sealed != side.sealed ||
			!bytes.Equal(again.header, side.header) || (again.damage == nil) != (side.damage == nil) {
			t.Fatalf("the good part reads %+v; want %+v", again, side)
		}
	})
}
