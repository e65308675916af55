//go:build !race

package engine

import (
	"strings"
	"testing"
)

func TestAnEventIsEncodedOnceForAllAndAllocatesNothingForEach(t *testing.T) {
	for name, tt := range map[string]struct {
		msgs []Outgoing
		want float64 // Prepared, its header and payload, the list of these, and what is remembered of them
	}{
		"a text":           {[]Outgoing{{Data: []byte(`2["news","text"]`)}}, 4},
		"with attachments": {chunk(64 << 10), 4},
	} {
		for _, v := range []variant{{form: forWebSocket}, {form: forWebSocket, deflate: 1 << 20}, {form: forStream}, {form: forPolling}} {
			if n := testing.AllocsPerRun(100, func() { Prepare(tt.msgs...).as(v) }); n > tt.want {
				t.Errorf("%s as %+v: %v times; want %v", name, v, n, tt.want)
			}
			p := Prepare(tt.msgs...)
			p.as(v)
			if n := testing.AllocsPerRun(100, func() { p.as(v) }); n != 0 {
				t.Errorf("%s as %+v for one more: %v times; want 0", name, v, n)
			}
		}
	}
}

func TestSendingToOneMoreAllocatesNothing(t *testing.T) {
	for name, out := range map[string]sink{"taken at once": void{}, "a socket": newSink(connected(t))} {
		for what, p := range map[string]*Prepared{
			"a text":           Prepare(Outgoing{Data: []byte(`2["news","text"]`)}),
			"with attachments": Prepare(chunk(4 << 10)...),
			"lent":             PrepareLent(func() {}, chunk(4<<10)...),
		} {
			r := &single{}
			s := sending(r, out)
			n := testing.AllocsPerRun(50, func() {
				r.next = p
				p.Retain()
				s.Wake()
			})
			if n != 0 {
				t.Errorf("%s, %s: %v times; want 0", name, what, n)
			}
		}
	}
}

func TestAPollingReplyAllocatesNothingForEachEvent(t *testing.T) {
	s := sending(nil, nil)
	for events, want := range map[int]float64{1: 1, 2: 2, 100: 2} { // the list of the parts, and what stands between them
		msgs := prepared(events)
		if n := testing.AllocsPerRun(100, func() { s.payload(nil, msgs) }); n != want {
			t.Errorf("%d events: %v times; want %v", events, n, want)
		}
	}
}

func TestReadingAPayloadAllocatesNothingForEachPacket(t *testing.T) {
	room := make([]byte, 32<<10)
	for _, texts := range []int{1, 100} {
		body := payloadOf(texts)
		r := strings.NewReader(body)
		n := testing.AllocsPerRun(100, func() {
			r.Reset(body)
			readPayload(t, r, len(body), room)
		})
		if n != 3 { // the reader, its buffer, and the buffer's bytes
			t.Errorf("a payload of %d texts and a binary message: %v times; want 3", texts, n)
		}
	}
}
