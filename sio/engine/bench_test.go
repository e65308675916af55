package engine

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/sio/internal/websocket"
)

// void is a connection that takes everything.
type void struct{}

func (void) tryWrite(bufs *net.Buffers) (n int, err error) {
	for _, b := range *bufs {
		n += len(b)
	}
	take(bufs, n)
	return n, nil
}

func (v void) write(bufs *net.Buffers) (int, error) { return v.tryWrite(bufs) }

// single is a Receiver that has one thing to send after each set.
type single struct {
	next *Prepared
}

func (s *single) Receive(Message) error { return nil }
func (s *single) Closed(error)          {}

func (s *single) Next(bool) (*Prepared, bool) {
	p := s.next
	s.next = nil
	return p, false
}

// sending returns a session that sends over a WebSocket to out.
func sending(r Receiver, out sink) *Session {
	s := newSession(&Server{}, httptest.NewRequest("GET", "/", nil), 4)
	s.receiver = r
	s.carrier = &carrier{out: out, variant: variant{form: forWebSocket}}
	s.out.release()
	return s
}

// chunk is an event with an attachment, as messages.
func chunk(size int) []Outgoing {
	return []Outgoing{
		{Data: []byte(`251-["chunk",{"stream":"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T"},{"_placeholder":true,"num":0}]`)},
		{Binary: true, Data: make([]byte, size)},
	}
}

// Each iteration is one message on its way to one of many who get it.
func BenchmarkWake(b *testing.B) {
	r := &single{}
	s := sending(r, void{})
	p := Prepare(chunk(64 << 10)...)
	b.SetBytes(int64(p.Size()))
	b.ReportAllocs()
	for b.Loop() {
		r.next = p
		s.Wake()
	}
}

// loopback is a connection whose other end reads all of a message before the next is sent.
type loopback struct {
	server, client net.Conn
	room           []byte
}

// connect returns one over which p is to go.
func connect(tb testing.TB, p *Prepared) *loopback {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		server.Close()
		client.Close()
	})
	frames := bytes.Join(p.as(variant{form: forWebSocket}), nil)
	return &loopback{server, client, make([]byte, len(frames))}
}

func (l *loopback) read(tb testing.TB) {
	if _, err := io.ReadFull(l.client, l.room); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkWakeSocket is BenchmarkWake of a short message and a real connection.
func BenchmarkWakeSocket(b *testing.B) {
	p := Prepare(Outgoing{Data: []byte(`2["news","text"]`)})
	l, r := connect(b, p), &single{}
	s := sending(r, newSink(l.server))
	b.SetBytes(int64(p.Size()))
	b.ReportAllocs()
	for b.Loop() {
		r.next = p
		s.Wake()
		l.read(b)
	}
}

// drain is a Receiver that reads what comes.
type drain struct {
	single
	room [4 << 10]byte
}

func (d *drain) Receive(m Message) error {
	for m.Body != nil {
		if _, err := m.Body.Read(d.room[:]); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	return nil
}

// endless yields the same bytes again and again.
type endless struct {
	bytes []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.bytes[e.at:])
	e.at = (e.at + n) % len(e.bytes)
	return n, nil
}

// receiving returns a session to which a frame comes without end over a WebSocket.
func receiving(kind byte, payload string) (*Session, *carrier) {
	s := sending(&drain{}, void{})
	socket := &webSocket{carrier: s.carrier}
	socket.in = websocket.NewReader(&endless{bytes: raw(fin|kind, payload)}, socket.control)
	s.carrier.in = socket
	return s, s.carrier
}

// Each iteration is a message that comes.
func BenchmarkReceive(b *testing.B) {
	for name, kind := range map[string]byte{"text": opText, "binary": opBin} {
		b.Run(name, func(b *testing.B) {
			s, c := receiving(kind, `42["news","text"]`)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.readMessage(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// payloadOf is a polling payload of texts of 100 bytes, and one binary message of 30 KiB.
func payloadOf(texts int) string {
	packets := make([]string, texts)
	for i := range packets {
		packets[i] = "4" + strings.Repeat("x", 100)
	}
	binary := Prepare(Outgoing{Binary: true, Data: make([]byte, 30<<10)}).as(variant{form: forPolling})[0]
	return strings.Join(append(packets, string(binary)), string(rune(separator)))
}

// readPayload reads all packets of a payload.
func readPayload(tb testing.TB, body io.Reader, size int, room []byte) {
	p := newPayloadReader(body, int64(size), 1<<20)
	for {
		kind, err := p.next()
		if err == io.EOF {
			return
		}
		if err == nil && kind == typeBinary {
			for err == nil {
				_, err = p.Read(room)
			}
			if err == io.EOF {
				continue
			}
		} else if err == nil {
			_, err = p.rest()
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkReadPayload(b *testing.B) {
	body := payloadOf(100)
	r, room := strings.NewReader(body), make([]byte, 32<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(body)
		readPayload(b, r, len(body), room)
	}
}

// Each iteration is the reply to a GET, of events that others have been sent, too.
func BenchmarkPollingReply(b *testing.B) {
	for _, events := range []int{1, 100} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			s, msgs := sending(nil, nil), prepared(events)
			b.ReportAllocs()
			for b.Loop() {
				s.payload(nil, msgs)
			}
		})
	}
}

// prepared returns so many texts, as polling has them.
func prepared(n int) []*Prepared {
	msgs := make([]*Prepared, n)
	for i := range msgs {
		msgs[i] = Prepare(Outgoing{Data: bytes.Repeat([]byte("x"), 100)})
		msgs[i].as(variant{form: forPolling})
	}
	return msgs
}
