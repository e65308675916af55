package packet

import (
	"flag"
	"strings"
	"testing"
	"time"
)

// hostileLimit is what a packet of any shape may cost.
func hostileLimit() time.Duration {
	limit := 50 * time.Millisecond * raceFactor
	if fuzz := flag.Lookup("test.fuzz"); fuzz != nil && fuzz.Value.String() != "" {
		limit *= 10 // instrumented, too
	}
	return limit
}

// quickest returns what f costs at best.
func quickest(f func()) time.Duration {
	return min(cpuTime(f), cpuTime(f), cpuTime(f))
}

func TestHostileShapesOfMsgpackCostLittle(t *testing.T) {
	const n = 100_000
	event := "\x83\xa4type\x02\xa3nsp\xa1/\xa4data"
	u32 := func(head byte, n int) string {
		return string([]byte{head, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	for name, message := range map[string]string{
		"deep arrays":            event + "\x92\xa1a" + strings.Repeat("\x91", n),
		"deep maps":              event + "\x92\xa1a" + strings.Repeat("\x81\xa1a", n),
		"deep where nobody does": "\x84\xa7options" + strings.Repeat("\x91", n) + event[1:],
		"wide":                   event + u32(0xdd, n) + "\xa1a" + strings.Repeat("\xc0", n-1),
		"wide inside":            event + "\x92\xa1a" + u32(0xdd, n) + strings.Repeat("\xc0", n),
		"many keys":              event + "\x92\xa1a" + u32(0xdf, n) + strings.Repeat("\xa1a\x01", n),
		"many members":           u32(0xdf, n) + strings.Repeat("\xa1x\x01", n-3) + event[1:] + "\x91\xa1a",
		"many names of members":  u32(0xdf, n) + strings.Repeat("\xdb\x00\x00\x00\x08abcdefgh\xc0", n),
		"many attachments":       event + "\x92\xa1a" + u32(0xdd, n) + strings.Repeat("\xc4\x00", n),
		"floats":                 event + "\x92\xa1a" + u32(0xdd, n) + strings.Repeat("\xcb\x00\x10\x00\x00\x00\x00\x00\x00", n),
		"dates":                  event + "\x92\xa1a" + u32(0xdd, n) + strings.Repeat("\xd7\x00\x00\x00\x01\x00\x00\x00\x00\x00", n),
		"control characters":     event + "\x92\xa1a" + u32(0xdb, n) + strings.Repeat("\x00", n),
		"undefined":              event + "\x92\xa1a" + u32(0xdd, n) + strings.Repeat("\xd4\x00\x00", n),
		"undefined members":      event + "\x92\xa1a" + u32(0xdf, n) + strings.Repeat("\xa1a\xd4\x00\x00", n),
		"more than there is":     event + "\x92\xa1a" + u32(0xdd, 1<<31),
		"a string of too much":   event + "\x92\xa1a" + u32(0xdb, 1<<31),
		"a long namespace":       "\x82\xa4type\x00\xa3nsp" + u32(0xdb, n) + "/" + strings.Repeat("a", n-1),
		"a map of nothing":       u32(0xdf, 1<<31-1),
	} {
		took := quickest(func() { ParseMsgpack([]byte(message)) })
		if took > hostileLimit() {
			t.Errorf("%s: %v; want < %v", name, took, hostileLimit())
		}
	}
}
