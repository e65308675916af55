//go:build !race

package engine

import (
	"strings"
	"sync/atomic"
	"testing"

	"sluice/sio/internal/websocket"
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
	for name, p := range map[string]*Prepared{
		"a text":           Prepare(Outgoing{Data: []byte(`2["news","text"]`)}),
		"with attachments": Prepare(chunk(4 << 10)...),
		"lent":             PrepareLent(func() {}, chunk(4<<10)...),
	} {
		r := &single{}
		send := func(s *Session) {
			r.next = p
			p.Retain()
			s.Wake()
		}
		s := sending(r, void{})
		if n := testing.AllocsPerRun(100, func() { send(s) }); n != 0 {
			t.Errorf("%s: %v times; want 0", name, n)
		}
		l := connect(t, p)
		out := newSink(l.server)
		if _, waits := out.(blockingSink); waits {
			continue // on a goroutine: this system has nothing better
		}
		s = sending(r, out)
		n := testing.AllocsPerRun(100, func() {
			send(s)
			l.read(t)
		})
		if n != 0 {
			t.Errorf("%s, over a socket: %v times; want 0", name, n)
		}
	}
}

func TestReceivingAllocatesTheBodyOfABinaryMessageOnly(t *testing.T) {
	for kind, want := range map[byte]float64{opText: 0, opBin: 1} {
		s, c := receiving(kind, "4"+strings.Repeat("x", 100))
		n := testing.AllocsPerRun(100, func() {
			if err := s.readMessage(c); err != nil {
				t.Fatal(err)
			}
		})
		if n != want {
			t.Errorf("a message of kind %d: %v times; want %v", kind, n, want)
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

func TestReadingFromASocketAllocatesNothing(t *testing.T) {
	var counted atomic.Uint64
	l := connect(t, Prepare())
	src, ok := newSource(l.server, &counted).(websocket.BothReader)
	if !ok {
		t.Skip("into two buffers by one system call: not on this system")
	}
	sent, p, more := make([]byte, 15), make([]byte, 10), make([]byte, 10)
	n := testing.AllocsPerRun(100, func() {
		l.client.Write(sent)
		if n, err := src.ReadBoth(p, more); n != len(sent) || err != nil {
			t.Fatal(n, err)
		}
	})
	if n != 0 {
		t.Errorf("%v times; want 0", n)
	}
}
