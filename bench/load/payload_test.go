package load

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPayloadTakesPacketsInAnyPieces(t *testing.T) {
	binary := strings.Repeat("\x00\x1eany bytes\xff", 99) + "!"
	in := []byte("2\x1e451-[\"chunk\"]\x1eb" + base64.StdEncoding.EncodeToString([]byte(binary)) + "\x1e6")
	for _, size := range []int{len(in), 1, 3, 64} {
		t.Run(fmt.Sprintf("%d at once", size), func(t *testing.T) {
			var h heard
			p := payload{text: h.text, binary: h.part, end: h.end}
			for part := range slices.Chunk(in, size) {
				if err := p.feed(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.finish(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(h.texts, []string{"2", `451-["chunk"]`, "6"}) || string(h.binary) != binary || h.ends != 1 {
				t.Errorf("%q, %d bytes, %d ends; want 3 texts, %d bytes, one end", h.texts, len(h.binary), h.ends, len(binary))
			}
		})
	}
}

func TestPayloadRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"an empty packet":  "2\x1e\x1e2",
		"an empty payload": "",
		"half a group":     "bAAA\x1e2",
		"an endless text":  strings.Repeat("x", maxTextBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			var h heard
			p := payload{text: h.text, binary: h.part}
			err := p.feed([]byte(in))
			if err == nil {
				err = p.finish()
			}
			if !errors.Is(err, errFrame) {
				t.Errorf("feed = %v; want %v", err, errFrame)
			}
		})
	}
	var h heard
	if err := (&payload{text: h.text, binary: h.part}).feed([]byte("b????")); err == nil {
		t.Error("what is not base64 was taken")
	}
}
