package load

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// heard collects what a parser passes on.
type heard struct {
	texts  []string
	binary []byte
	ends   int
	pings  []string
}

func (h *heard) text(text []byte) error    { h.texts = append(h.texts, string(text)); return nil }
func (h *heard) part(part []byte) error    { h.binary = append(h.binary, part...); return nil }
func (h *heard) end() error                { h.ends++; return nil }
func (h *heard) ping(payload []byte) error { h.pings = append(h.pings, string(payload)); return nil }

func (h *heard) frames() *frames {
	return &frames{text: h.text, binary: h.part, end: h.end, ping: h.ping}
}

// plain is a frame as servers send it; first is its first byte.
func plain(first byte, payload string) []byte {
	p := append(appendPlainHeader(nil, 0, len(payload)), payload...)
	p[0] = first
	return p
}

// inPieces feeds p to fresh parsers, whole and in pieces.
func inPieces(t *testing.T, p []byte, look func(t *testing.T, h *heard, err error)) {
	for _, size := range []int{len(p), 1, 7} {
		t.Run(fmt.Sprintf("%d at once", size), func(t *testing.T) {
			var h heard
			f := h.frames()
			var err error
			for part := range slices.Chunk(p, size) {
				if err = f.feed(part); err != nil {
					break
				}
			}
			look(t, &h, err)
		})
	}
}

func TestFramesTakeEveryLength(t *testing.T) {
	for _, size := range []int{1, 125, 126, 1<<16 - 1, 1 << 16, 1 << 17} {
		want := strings.Repeat("x", size)
		inPieces(t, slices.Concat(plain(finBit|opText, "4"), plain(finBit|opBinary, want)), func(t *testing.T, h *heard, err error) {
			if err != nil || string(h.binary) != want || h.ends != 1 || len(h.texts) != 1 {
				t.Errorf("%d bytes, %d ends, texts %q, %v; want %d bytes, one end, one text", len(h.binary), h.ends, h.texts, err, size)
			}
		})
	}
}

func TestFramesTakeFragmentsWithPingsAmongThem(t *testing.T) {
	in := slices.Concat(plain(opText, "he"), plain(finBit|opPing, "are you there"), plain(finBit|opContinuation, "llo"),
		plain(opBinary, "all of it"), plain(finBit|opContinuation, ""), // as gorilla writes what is large
		plain(opBinary, "a"), plain(opContinuation, "b"), plain(finBit|opContinuation, "c"), plain(finBit|opText, "2"))
	inPieces(t, in, func(t *testing.T, h *heard, err error) {
		if err != nil || !slices.Equal(h.texts, []string{"hello", "2"}) || string(h.binary) != "all of itabc" || h.ends != 2 {
			t.Errorf("%q, %q, %d ends, %v", h.texts, h.binary, h.ends, err)
		}
		if !slices.Equal(h.pings, []string{"are you there"}) {
			t.Errorf("pings %q; want one", h.pings)
		}
	})
}

func TestFramesInflateWhatIsCompressed(t *testing.T) {
	want := bytes.Repeat([]byte("again and "), 100)
	packed := deflated(t, want)
	var h heard
	f := h.frames()
	f.inflate = NewInflater().Inflate
	for range 2 {
		if err := f.feed(slices.Concat(plain(opBinary|compressedBit, packed[:5]), plain(finBit|opContinuation, packed[5:]))); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(h.binary, slices.Concat(want, want)) || h.ends != 2 {
		t.Errorf("%d bytes, %d ends; want %d bytes, two ends", len(h.binary), h.ends, 2*len(want))
	}
}

func TestFramesRefuse(t *testing.T) {
	for name, in := range map[string][]byte{
		"a masked frame":               appendFrame(nil, opText, mask, []byte("4")),
		"a continuation of nothing":    plain(finBit|opContinuation, "x"),
		"a message within a message":   slices.Concat(plain(opText, "4"), plain(finBit|opText, "4")),
		"a ping in fragments":          plain(opPing, "x"),
		"a large ping":                 plain(finBit|opPing, strings.Repeat("x", 126)),
		"an opcode nobody knows":       plain(finBit|0x3, "x"),
		"an endless text":              slices.Repeat(plain(opText, strings.Repeat("x", maxTextBytes)), 2),
		"compression nobody asked for": plain(finBit|opBinary|compressedBit, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			var h heard
			if err := h.frames().feed(in); !errors.Is(err, errFrame) {
				t.Errorf("feed = %v; want %v", err, errFrame)
			}
		})
	}
}

func TestFramesSayWhyTheServerCloses(t *testing.T) {
	var h heard
	err := h.frames().feed(plain(finBit|opClose, "\x03\xf1too large"))
	if err == nil || !strings.Contains(err.Error(), "1009 too large") {
		t.Errorf("feed = %v; want 1009 and the reason", err)
	}
}
