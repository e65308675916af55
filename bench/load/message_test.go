package load

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// flow is messages with these numbers, one after the other.
func flow(m *Message, numbers ...int64) (all []byte) {
	for _, n := range numbers {
		from := len(all)
		all = append(all, m.data...)
		putStamp(all[from:], n, time.Unix(0, 5))
	}
	return all
}

func TestCheckerTakesAFlowInAnyPieces(t *testing.T) {
	m := Noise(1000)
	for _, size := range []int{1, 15, 999, 1000, 4000} {
		c := NewChecker(m)
		var numbers []int64
		c.Arrived = func(number int64, due time.Time) {
			numbers = append(numbers, number)
			if !due.Equal(time.Unix(0, 5)) {
				t.Errorf("due %v; want %v", due, time.Unix(0, 5))
			}
		}
		for part := range slices.Chunk(flow(m, 0, 1, 2, 3), size) {
			if err := c.Feed(part); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(numbers, []int64{0, 1, 2, 3}) || c.Messages() != 4 {
			t.Errorf("messages %v, %d; want 0 to 3", numbers, c.Messages())
		}
	}
}

func TestCheckerDetects(t *testing.T) {
	m := Noise(1000)
	corrupt := flow(m, 0, 1)
	corrupt[1500] ^= 1
	for name, in := range map[string][]byte{
		"a corrupt byte":   corrupt,
		"a lost message":   flow(m, 0, 2),
		"a lost first one": flow(m, 1),
		"a doubled one":    flow(m, 0, 1, 1),
		"swapped ones":     flow(m, 0, 2, 1),
		"a lost byte":      slices.Delete(flow(m, 0, 1, 2), 700, 701),
		"a byte too many":  slices.Insert(flow(m, 0, 1, 2), 700, 7),
		"another flow":     flow(Text(1000), 0),
	} {
		t.Run(name, func(t *testing.T) {
			if err := NewChecker(m).Feed(in); err == nil {
				t.Error("Feed took it")
			}
		})
	}
}

func TestMessagesAreOfTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{MinMessageBytes, 1 << 10, 64 << 10} {
		if n := Noise(size).Size(); n != size {
			t.Errorf("Noise(%d) has %d bytes", size, n)
		}
		if n := Text(size).Size(); n != size {
			t.Errorf("Text(%d) has %d bytes", size, n)
		}
	}
}

func TestFramedMessagesUnmaskToTheirFlow(t *testing.T) {
	m := Noise(1000)
	f := m.Frame(`["chunk","room",{}`)
	sent := f.AppendWith(f.Append(nil, 0, time.Unix(0, 5)), 7, `["chunk",{}`, 1, time.Unix(0, 5))
	texts, data := unmasked(t, sent)
	want := []string{`451-["chunk","room",{}` + placeholder, `451-7["chunk",{}` + placeholder}
	if !slices.Equal(texts, want) || !bytes.Equal(data, flow(m, 0, 1)) {
		t.Errorf("texts %q and %d bytes; want %q and the flow", texts, len(data), want)
	}
}

// unmasked returns what frames of a client hold.
func unmasked(t *testing.T, p []byte) (texts []string, binary []byte) {
	t.Helper()
	var h heard
	f := h.frames()
	for len(p) > 0 {
		f.header = append(f.header[:0], p[0], p[1])
		header := f.headerSize()
		f.header = append(f.header, p[2:header]...)
		f.header[1] &^= maskBit
		head := slices.Clone(f.header)
		if err := f.begin(); err != nil {
			t.Fatal(err)
		}
		n := int(f.left)
		f.op, f.left = opContinuation, 0
		body := p[header+len(mask):][:n]
		xor(body, mask)
		if err := f.feed(slices.Concat(head, body)); err != nil {
			t.Fatal(err)
		}
		p = p[header+len(mask)+n:]
	}
	return h.texts, h.binary
}
