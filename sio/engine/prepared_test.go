package engine

import (
	"bytes"
	"strings"
	"testing"
)

// variants returns all that clients of one server, which compresses from threshold on, can need.
func variants(threshold int) (all []variant) {
	all = append(all, variant{form: forPolling}, variant{form: forStream})
	for _, base64 := range []bool{false, true} {
		all = append(all, variant{form: forPolling, eio3: true, base64: base64})
		for _, eio3 := range []bool{false, true} {
			for _, deflate := range []int{0, threshold} {
				all = append(all, variant{form: forWebSocket, eio3: eio3, base64: base64, deflate: deflate})
			}
		}
	}
	return all
}

// Who connects in a rare way can make no message be encoded, or compressed, for him alone if it is the same as for others.
func TestWhatDoesNotDifferIsEncodedOnce(t *testing.T) {
	const threshold = 1024
	long := []byte(strings.Repeat("x", threshold))
	for name, tt := range map[string]struct {
		msgs []Outgoing
		want int
	}{
		"a short text":                  {[]Outgoing{{Data: []byte("short")}}, 5},    // polling's three, a frame, a stream's packet
		"a text just below the limit":   {[]Outgoing{{Data: long[:threshold-2]}}, 5}, // with its type
		"a text at the limit":           {[]Outgoing{{Data: long[:threshold-1]}}, 6}, // and a compressed frame
		"texts that are long together":  {[]Outgoing{{Data: long[1:]}, {Data: long[1:]}}, 6},
		"a short binary message":        {[]Outgoing{{Binary: true, Data: []byte{1, 2}}}, 10},
		"a binary message that is long": {[]Outgoing{{Binary: true, Data: long}}, 12},
	} {
		p := Prepare(tt.msgs...)
		for _, v := range variants(threshold) {
			got, want := bytes.Join(p.as(v), nil), bytes.Join(encode(tt.msgs, v), nil)
			if !bytes.Equal(got, want) {
				t.Errorf("%s as %+v: %.40q; want %.40q", name, v, got, want)
			}
		}
		n := 0
		for e := p.encoded.Load(); e != nil; e = e.next {
			n++
		}
		if n != tt.want {
			t.Errorf("%s is kept in %d encodings; want %d", name, n, tt.want)
		}
	}
}
