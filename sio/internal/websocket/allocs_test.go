//go:build !race

package websocket

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestAHeaderAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, ws.MaxHeaderSize)
	for _, length := range []int{0, 1 << 10, 1 << 20} {
		if n := testing.AllocsPerRun(100, func() { AppendHeader(dst, ws.OpBinary, length) }); n != 0 {
			t.Errorf("of a frame of %d bytes: %v times; want 0", length, n)
		}
	}
}

func TestReadingAMessageAllocatesNothing(t *testing.T) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		t.Run(fmt.Sprintf("binary of %d KiB", size>>10), func(t *testing.T) {
			r, p := repeating(opBin, strings.Repeat("x", size)), make([]byte, size)
			if n := testing.AllocsPerRun(20, func() { readBinary(t, r, p) }); n != 0 {
				t.Errorf("%v times; want 0", n)
			}
		})
	}
	t.Run("text from the buffer", func(t *testing.T) {
		r := repeating(opText, strings.Repeat("x", 100))
		if n := testing.AllocsPerRun(100, func() { readText(t, r) }); n != 0 {
			t.Errorf("%v times; want 0", n)
		}
	})
}
