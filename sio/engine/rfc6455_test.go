package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/sio/engine"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// mirror sends every message back as it came.
type mirror struct {
	session *engine.Session

	mu  sync.Mutex
	out []*engine.Prepared // guarded by mu
}

func (m *mirror) Receive(msg engine.Message) error {
	back := engine.Outgoing{Data: bytes.Clone(msg.Text)}
	if msg.Body != nil {
		data, err := io.ReadAll(msg.Body)
		if err != nil {
			return err
		}
		back = engine.Outgoing{Binary: true, Data: data}
	}
	m.mu.Lock()
	m.out = append(m.out, engine.Prepare(back))
	m.mu.Unlock()
	m.session.Wake()
	return nil
}

func (m *mirror) Next(bool) (*engine.Prepared, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.out) == 0 {
		return nil, false
	}
	p := m.out[0]
	m.out = m.out[1:]
	return p, len(m.out) > 0
}

func (m *mirror) Closed(error) {}

// mirrors makes srv an echo server.
func mirrors(srv *engine.Server) *engine.Server {
	srv.Accept = func(s *engine.Session, _ *http.Request) (engine.Receiver, error) { return &mirror{session: s}, nil }
	return srv
}

// listen serves srv on loopback, and returns its address.
func listen(t testing.TB, srv *engine.Server) string {
	t.Helper()
	s := httptest.NewServer(srv)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		s.Close()
	})
	return s.Listener.Addr().String()
}

// tcp is a client that sends bytes as a test writes them.
type tcp struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func connect(t testing.TB, addr string) *tcp {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	return over(t, conn, err)
}

// over is a client over a connection that was dialed.
func over(t testing.TB, conn net.Conn, err error) *tcp {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &tcp{t, conn, bufio.NewReader(conn)}
}

// A WebSocket handshake, with the key of RFC 6455, section 1.3.
const (
	target  = "/engine.io/?EIO=4&transport=websocket"
	opening = "GET " + target + " HTTP/1.1\r\nHost: server.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

// openSocket opens a session on WebSocket.
func openSocket(t testing.TB, addr string) *tcp {
	t.Helper()
	return connect(t, addr).open()
}

// open makes the connection a session's WebSocket.
func (c *tcp) open() *tcp {
	c.t.Helper()
	c.write([]byte(opening))
	if resp := c.response(); resp.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("handshake: %s", resp.Status)
	}
	if first := c.next(); !strings.HasPrefix(first, `text 0{"sid"`) {
		c.t.Fatalf("first frame: %s", first)
	}
	return c
}

// write sends b; what the server makes of it is seen by reading.
func (c *tcp) write(b []byte) { c.conn.Write(b) }

// response reads the reply to a request, without its body.
func (c *tcp) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("no HTTP reply: %v", err)
	}
	return resp
}

// next reads a frame and describes it: "text 4hello", "pong x", "close 1000 bye", "end".
func (c *tcp) next() string {
	c.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return ending(err)
	}
	if head[1]&0x80 != 0 {
		return "a masked frame"
	}
	length := uint64(head[1])
	switch more := make([]byte, 8); length {
	case 126:
		io.ReadFull(c.r, more[:2])
		length = uint64(binary.BigEndian.Uint16(more))
	case 127:
		io.ReadFull(c.r, more)
		length = binary.BigEndian.Uint64(more)
	}
	payload := make([]byte, length) // the server is ours
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return "a frame cut short: " + ending(err)
	}
	return describe(head[0], payload)
}

func ending(err error) string {
	if errors.Is(err, io.EOF) {
		return "end"
	}
	return err.Error()
}

func describe(first byte, payload []byte) string {
	switch first {
	case fin | opText:
		return "text " + short(payload)
	case fin | opBinary:
		return "binary " + short(payload)
	case fin | opPong:
		return "pong " + short(payload)
	case fin | opClose:
		if len(payload) < 2 {
			return strings.TrimSpace("close " + string(payload))
		}
		return strings.TrimSpace(fmt.Sprintf("close %d %s", binary.BigEndian.Uint16(payload), payload[2:]))
	}
	return fmt.Sprintf("frame %#x %q", first, payload)
}

// short is what of a payload a test compares: all of it, in few words.
func short(payload []byte) string {
	if len(payload) <= 200 {
		return string(payload)
	}
	return fmt.Sprintf("%q... %d bytes, sum %x", payload[:10], len(payload), sum(payload))
}

func sum(b []byte) (n uint32) {
	for _, c := range b {
		n = n*31 + uint32(c)
	}
	return n
}

const (
	fin      = 0x80
	rsv1     = 0x40
	rsv2     = 0x20
	rsv3     = 0x10
	opCont   = 0x0
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xa
)

// frame is a masked frame with the shortest length there is.
func frame(first byte, payload string) []byte {
	switch n := len(payload); {
	case n < 126:
		return framed(first, byte(n), nil, payload)
	case n < 1<<16:
		return framed(first, 126, binary.BigEndian.AppendUint16(nil, uint16(n)), payload)
	default:
		return framed(first, 127, binary.BigEndian.AppendUint64(nil, uint64(n)), payload)
	}
}

// framed is a masked frame whose length is written as it is given.
func framed(first, length byte, more []byte, payload string) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d} // of RFC 6455, section 5.7
	b := append([]byte{first, 0x80 | length}, more...)
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

// naked is a frame that is not masked.
func naked(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// status is the payload of a close frame.
func status(code int, reason string) string {
	return string([]byte{byte(code >> 8), byte(code)}) + reason
}

// conversation is what a client sends and what must come back; where no end is expected, the connection must still be of use.
// What stands behind a question mark may be left out: the end takes what has not been sent yet with it.
type conversation struct {
	name string
	send []byte
	want []string
}

// fails is a conversation that the server ends with a status.
func fails(name string, code int, frames ...[]byte) conversation {
	return conversation{name, join(frames...), []string{"close " + strconv.Itoa(code), "end"}}
}

// comes is a conversation in which want comes back.
func comes(name string, want string, frames ...[]byte) conversation {
	return conversation{name, join(frames...), []string{want}}
}

// nothing is a conversation in which nothing comes back.
func nothing(name string, frames ...[]byte) conversation {
	return conversation{name: name, send: join(frames...)}
}

// closes is a conversation in which the client's close frame is answered with its like.
func closes(name, want string, frames ...[]byte) conversation {
	return conversation{name, join(frames...), []string{strings.TrimSpace("close " + want), "end"}}
}

const textLimit = 100_000

// baseFraming are the cases of section 5.2.
func baseFraming() (cases []conversation) {
	for _, kind := range []struct {
		op   byte
		name string
	}{{opText, "text"}, {opBinary, "binary"}} {
		for _, n := range []int{1, 2, 124, 125, 126, 127, 128, 4095, 4096, 4097, 65535, 65536, textLimit} {
			payload := "4" + strings.Repeat("x", n-1)
			cases = append(cases, comes(fmt.Sprintf("5.2 %s of %d bytes", kind.name, n), kind.name+" "+short([]byte(payload)), frame(fin|kind.op, payload)))
		}
		for _, bits := range []byte{rsv1, rsv2, rsv3, rsv1 | rsv2, rsv1 | rsv2 | rsv3} {
			cases = append(cases, fails(fmt.Sprintf("5.2 %s with reserved bits %#x", kind.name, bits), 1002, frame(fin|bits|kind.op, "4x")))
		}
		cases = append(cases,
			fails("5.2 the top bit of the length, "+kind.name, 1002, framed(fin|kind.op, 127, []byte{0x80, 0, 0, 0, 0, 0, 0, 1}, "")),
			fails("5.2 all bits of the length, "+kind.name, 1002, framed(fin|kind.op, 127, bytes.Repeat([]byte{0xff}, 8), "")),
			fails("5.2 lengths whose sum overflows, "+kind.name, 1009, frame(kind.op, "4x"), framed(opCont, 127, []byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, "")),
			fails("5.1 no mask, "+kind.name, 1002, naked(fin|kind.op, "4x")),
			fails("5.1 no mask on a continuation of "+kind.name, 1002, frame(kind.op, "4x"), naked(fin|opCont, "x")),
		)
	}
	for _, padded := range []struct {
		length int
		form   byte
	}{{0, 126}, {5, 126}, {125, 126}, {0, 127}, {125, 127}, {126, 127}, {65535, 127}} {
		more := binary.BigEndian.AppendUint64(nil, uint64(padded.length))
		if padded.form == 126 {
			more = more[6:]
		}
		for _, op := range []byte{opText, opBinary, opPing, opClose} {
			name := fmt.Sprintf("5.2 the length %d in form %d on opcode %d", padded.length, padded.form, op)
			cases = append(cases, fails(name, 1002, framed(fin|op, padded.form, more, "")))
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf} {
		cases = append(cases,
			fails(fmt.Sprintf("5.2 reserved opcode %d", op), 1002, frame(fin|op, "")),
			fails(fmt.Sprintf("5.2 reserved opcode %d with a payload", op), 1002, frame(fin|op, "4x")),
			fails(fmt.Sprintf("5.2 reserved opcode %d within a message", op), 1002, frame(opText, "4x"), frame(fin|op, ""), frame(fin|opCont, "")),
			fails(fmt.Sprintf("5.2 reserved opcode %d behind a ping", op), 1002, frame(fin|opPong, "x"), frame(fin|op, "")),
		)
	}
	for _, op := range []byte{opPing, opPong, opClose} {
		cases = append(cases,
			fails(fmt.Sprintf("5.2 a reserved bit on control frame %d", op), 1002, frame(fin|rsv1|op, "")),
			fails(fmt.Sprintf("5.1 no mask on control frame %d", op), 1002, naked(fin|op, "")),
		)
	}
	return append(cases,
		fails("5.2 a reserved bit on a continuation", 1002, frame(opText, "4x"), frame(fin|rsv2|opCont, "y")),
		fails("5.2 a text longer than may be", 1009, frame(fin|opText, strings.Repeat("4", textLimit+1))),
		fails("5.2 a text announced longer than may be", 1009, framed(fin|opText, 127, []byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, "")),
		fails("5.2 a text longer than may be in two parts", 1009, frame(opText, strings.Repeat("4", textLimit)), frame(fin|opCont, "4")),
		fails("an empty text, which is no packet", 1002, frame(fin|opText, "")),
		comes("5.3 a mask of zeros", "text 4hello", []byte{fin | opText, 0x86, 0, 0, 0, 0, '4', 'h', 'e', 'l', 'l', 'o'}),
	)
}

// fragmentation are the cases of section 5.4.
func fragmentation() (cases []conversation) {
	for _, kind := range []struct {
		op   byte
		name string
	}{{opText, "text"}, {opBinary, "binary"}} {
		letters := make([][]byte, 0, 26)
		for c := 'a'; c <= 'z'; c++ {
			letters = append(letters, frame(opCont, string(c)))
		}
		alphabet := "4abcdefghijklmnopqrstuvwxyz"
		ping := frame(fin|opPing, "in between")
		cases = append(cases,
			comes("5.4 "+kind.name+" in two", kind.name+" 4ab", frame(kind.op, "4a"), frame(fin|opCont, "b")),
			comes("5.4 "+kind.name+" in 27", kind.name+" "+alphabet, frame(kind.op, "4"), join(letters...), frame(fin|opCont, "")),
			comes("5.4 "+kind.name+" with empty fragments", kind.name+" 4a", frame(kind.op, ""), frame(opCont, ""), frame(opCont, "4a"), frame(opCont, ""), frame(fin|opCont, "")),
			conversation{"5.4 a ping within " + kind.name, join(frame(kind.op, "4a"), ping, frame(fin|opCont, "b")), []string{"pong in between", kind.name + " 4ab"}},
			comes("5.4 pongs within "+kind.name, kind.name+" 4ab", frame(kind.op, "4a"), frame(fin|opPong, ""), frame(opCont, ""), frame(fin|opPong, "x"), frame(fin|opCont, "b")),
			closes("5.4 a close within "+kind.name, "1000", frame(kind.op, "4a"), frame(fin|opClose, status(1000, "")), frame(fin|opCont, "b")),
			fails("5.4 another "+kind.name+" within a message", 1002, frame(kind.op, "4a"), frame(fin|kind.op, "4b")),
			fails("5.4 the first fragment of another "+kind.name+" within a message", 1002, frame(kind.op, "4a"), frame(kind.op, "4b"), frame(fin|opCont, "")),
			conversation{"5.4 a continuation after the end of " + kind.name, join(frame(kind.op, "4a"), frame(fin|opCont, "b"), frame(fin|opCont, "c")), []string{"?" + kind.name + " 4ab", "close 1002", "end"}},
			comes("5.4 "+kind.name+" in 1024 fragments", kind.name+" "+short([]byte("4"+strings.Repeat("x", 1023))), frame(kind.op, "4"), bytes.Repeat(frame(opCont, "x"), 1022), frame(fin|opCont, "x")),
			fails("5.4 "+kind.name+" in 1025 crumbs", 1008, frame(kind.op, "4"), bytes.Repeat(frame(opCont, "x"), 1023), frame(fin|opCont, "x")),
			fails("5.4 "+kind.name+" in 1025 empty fragments", 1008, frame(kind.op, ""), bytes.Repeat(frame(opCont, ""), 1024)),
		)
	}
	return append(cases,
		fails("5.4 a binary message within a text", 1002, frame(opText, "4a"), frame(fin|opBinary, "b")),
		fails("5.4 a continuation of nothing", 1002, frame(fin|opCont, "4a")),
		fails("5.4 an unfinished continuation of nothing", 1002, frame(opCont, "")),
		fails("5.4 a continuation behind a ping", 1002, frame(fin|opPong, "x"), frame(opCont, "4")),
	)
}

// controlFrames are the cases of section 5.5 and 7.4.
func controlFrames() (cases []conversation) {
	every := make([]byte, 125)
	for i := range every {
		every[i] = byte(i * 37)
	}
	long := strings.Repeat("x", 126)
	for _, op := range []byte{opPing, opPong, opClose} {
		cases = append(cases,
			fails(fmt.Sprintf("5.5 control frame %d of 126 bytes", op), 1002, frame(fin|op, long)),
			fails(fmt.Sprintf("5.5 control frame %d of 65536 bytes", op), 1002, framed(fin|op, 127, binary.BigEndian.AppendUint64(nil, 1<<16), "")),
			fails(fmt.Sprintf("5.5 a fragment of control frame %d", op), 1002, frame(op, "")),
			fails(fmt.Sprintf("5.5 control frame %d goes on", op), 1002, frame(op, ""), frame(fin|opCont, "")),
		)
	}
	cases = append(cases,
		comes("5.5.2 an empty ping", "pong ", frame(fin|opPing, "")),
		comes("5.5.2 a ping of a byte", "pong x", frame(fin|opPing, "x")),
		comes("5.5.2 a ping of 125 bytes of all kinds", "pong "+string(every), frame(fin|opPing, string(every))),
		nothing("5.5.3 an unsolicited pong", frame(fin|opPong, "")),
		nothing("5.5.3 unsolicited pongs with payloads", bytes.Repeat(frame(fin|opPong, string(every)), 100)),
		closes("5.5.1 close without a status", "", frame(fin|opClose, "")),
		closes("5.5.1 close with a reason", "1000 good night", frame(fin|opClose, status(1000, "good night"))),
		closes("5.5.1 close with a reason of all bytes there can be", "1000 "+strings.Repeat("é", 61), frame(fin|opClose, status(1000, strings.Repeat("é", 61)))),
		closes("5.5.1 close twice", "1000", frame(fin|opClose, status(1000, "")), frame(fin|opClose, status(1001, ""))),
		closes("5.5.1 text after close", "1000", frame(fin|opClose, status(1000, "")), frame(fin|opText, "4x"), frame(fin|opPing, "")),
		closes("5.5.1 much after close", "1000", frame(fin|opClose, status(1000, "")), frame(fin|opBinary, strings.Repeat("x", textLimit))),
		closes("5.5.1 nonsense after close", "1000", frame(fin|opClose, status(1000, "")), []byte(opening)),
		conversation{"5.5.1 a ping before close", join(frame(fin|opPing, "x"), frame(fin|opClose, status(1000, ""))), []string{"?pong x", "close 1000", "end"}},
		fails("5.5.1 half a status", 1002, frame(fin|opClose, "\x03")),
	)
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, closes(fmt.Sprintf("7.4 close with %d", code), strconv.Itoa(code), frame(fin|opClose, status(code, ""))))
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535} {
		cases = append(cases, fails(fmt.Sprintf("7.4 close with %d", code), 1002, frame(fin|opClose, status(code, ""))))
	}
	return cases
}

// Texts that are UTF-8, and some that cannot become it.
var (
	texts = []string{
		"\x00\x7f", "\u0080\u07ff", "\u0800\uffff", "\U00010000\U0010ffff", "\ud7ff\ue000", "\ufeff", "\ufffe\uffff", "κόσμε", "日本語", "😀👩‍👩‍👧",
	}
	noTexts = map[string]string{
		"a continuation alone":                  "\x80",
		"two of them":                           "\xbf\xbf",
		"two bytes for one":                     "\xc0\xaf",
		"two bytes for NUL":                     "\xc1\xbf",
		"three bytes for two":                   "\xe0\x9f\xbf",
		"four bytes for three":                  "\xf0\x8f\xbf\xbf",
		"a surrogate":                           "\xed\xa0\x80",
		"the last surrogate":                    "\xed\xbf\xbf",
		"beyond U+10FFFF":                       "\xf4\x90\x80\x80",
		"a lead byte F5":                        "\xf5\x80\x80\x80",
		"a lead byte FE":                        "\xfe",
		"a lead byte FF":                        "\xff",
		"five bytes":                            "\xf8\x88\x80\x80\x80",
		"a character cut by another":            "\xe2\x82x",
		"a character cut by one of more bytes":  "\xe2\xe2\x82\xac",
		"the second byte of four out of bounds": "\xf0\x80",
	}
)

// utf8Texts are the cases of section 5.6 and 8.1.
func utf8Texts() (cases []conversation) {
	for _, text := range texts {
		packet := "4" + text
		want := "text " + packet
		pieces := [][]byte{frame(opText, "")}
		for i := range len(packet) {
			pieces = append(pieces, frame(opCont, packet[i:i+1]), frame(fin|opPong, ""))
		}
		cases = append(cases,
			comes(fmt.Sprintf("8.1 %q", text), want, frame(fin|opText, packet)),
			comes(fmt.Sprintf("8.1 %q in bytes", text), want, join(pieces...), frame(fin|opCont, "")),
		)
		for cut := 1; cut < len(packet); cut++ {
			cases = append(cases, comes(fmt.Sprintf("8.1 %q cut at %d", text, cut), want, frame(opText, packet[:cut]), frame(fin|opCont, packet[cut:])))
		}
		if last := text[len(text)-1]; last >= 0x80 {
			cases = append(cases,
				fails(fmt.Sprintf("8.1 %q without its last byte", text), 1007, frame(fin|opText, packet[:len(packet)-1])),
				fails(fmt.Sprintf("8.1 %q without its last byte, in two", text), 1007, frame(opText, packet[:len(packet)-1]), frame(fin|opCont, "")),
			)
		}
	}
	for name, text := range noTexts {
		packet := "4κ" + text
		cases = append(cases,
			fails("8.1 "+name, 1007, frame(fin|opText, packet+"rest")),
			fails("8.1 "+name+" in a fragment", 1007, frame(opText, "4a"), frame(opCont, text), frame(fin|opCont, "rest")),
			fails("8.1 "+name+" in bytes, at once", 1007, frame(opText, packet[:3]), frame(opCont, text[:1]), frame(opCont, text[1:])),
			fails("8.1 "+name+" before the frame's end", 1007, framed(fin|opText, 100, nil, packet)),
			fails("8.1 "+name+" before a long frame's end", 1007, framed(fin|opText, 126, []byte{0xff, 0}, packet)),
			fails("8.1 "+name+" in the reason of a close", 1007, frame(fin|opClose, status(1000, text))),
			comes("5.6 "+name+" in a binary message", "binary "+text, frame(fin|opBinary, text)),
		)
	}
	return cases
}

// cuts are the ways in which TCP may deliver the same bytes.
func cuts(b []byte) map[string][]int {
	ways := map[string][]int{"whole": nil}
	every := make([]int, 0, len(b))
	for i := 1; i < min(len(b), 600); i++ { // the rest of a long message at once
		every = append(every, i)
	}
	ways["byte by byte"] = every
	r := rand.New(rand.NewPCG(6, 4555))
	for i := range 2 {
		var odd []int
		for at := 1 + r.IntN(9); at < len(b); at += 1 + r.IntN(len(b)/5+9) {
			odd = append(odd, at)
		}
		ways["odd cuts "+strconv.Itoa(i)] = odd
	}
	return ways
}

// pieces sends b, cut.
func (c *tcp) pieces(b []byte, at []int) {
	from := 0
	for _, to := range append(slices.Clip(at), len(b)) {
		c.write(b[from:to]) // Go's connections do not wait to fill a segment
		from = to
	}
}

// hold has a conversation and compares what comes back.
func (c *tcp) hold(conv conversation, at []int) {
	c.t.Helper()
	send, want := conv.send, conv.want
	if len(want) == 0 || want[len(want)-1] != "end" {
		send = append(slices.Clip(send), frame(fin|opText, "4are you there?")...)
		want = append(slices.Clip(want), "text 4are you there?")
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.pieces(send, at)
	}()
	got := c.next()
	for _, w := range want {
		w, optional := strings.CutPrefix(w, "?")
		if got != w && !optional {
			c.t.Errorf("came back %q; want %q", got, w)
			break
		}
		if got == w && w != want[len(want)-1] {
			got = c.next()
		}
	}
	c.conn.Close()
	<-sent
}

func everyConversation() []conversation {
	return slices.Concat(baseFraming(), fragmentation(), controlFrames(), utf8Texts())
}

// TestFramingOverTLS has the same conversations where the end of a connection is one of TLS.
func TestFramingOverTLS(t *testing.T) {
	srv := mirrors(&engine.Server{MaxPayloadBytes: textLimit})
	s := httptest.NewUnstartedServer(srv)
	s.Listener = engine.Listener(s.Listener)
	s.StartTLS()
	defer s.Close()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		srv.Shutdown(ctx)
	}()
	config := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)} // httptest's own certificate
	for _, conv := range everyConversation() {
		t.Run(conv.name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", s.Listener.Addr().String(), config)
			over(t, conn, err).open().hold(conv, nil)
		})
	}
}

func TestFramingBySections(t *testing.T) {
	srv := mirrors(&engine.Server{MaxPayloadBytes: textLimit})
	addr := listen(t, srv)
	cases := everyConversation()
	sessions := 0
	for _, conv := range cases {
		t.Run(conv.name, func(t *testing.T) {
			for way, at := range cuts(conv.send) {
				sessions++
				c := openSocket(t, addr)
				if c.hold(conv, at); t.Failed() {
					t.Fatalf("delivered %s", way)
				}
			}
		})
	}
	t.Logf("%d cases, %d connections", len(cases), sessions)
	if got := srv.Stats().Opened; got != uint64(sessions) {
		t.Errorf("%d sessions were opened; want %d", got, sessions)
	}
}

// opens is what a client sends to open a WebSocket, and how it is answered.
type opens struct {
	name   string
	lines  string // without those that are left out
	status int
}

// request is the opening handshake with some of its lines in place of others; an empty one is left out.
func request(change ...string) string {
	text := opening
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			panic("nothing to change: " + change[i])
		}
		text = strings.Replace(text, change[i], change[i+1], 1)
	}
	return text
}

func TestOpeningHandshakeBySections(t *testing.T) {
	const (
		get        = "GET " + target + " HTTP/1.1\r\n"
		host       = "Host: server.example\r\n"
		upgrade    = "Upgrade: websocket\r\n"
		connection = "Connection: Upgrade\r\n"
		key        = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		version    = "Sec-WebSocket-Version: 13\r\n"
	)
	addr := listen(t, mirrors(&engine.Server{}))
	for _, tt := range []opens{
		{"as it should be", request(), 101},
		{"names and tokens in other letters", request(upgrade, "UPGRADE: WebSocket\r\n", connection, "connection: UPGRADE\r\n", key, strings.Replace(key, "Sec-WebSocket-Key", "sec-websocket-KEY", 1)), 101},
		{"space around values", request(upgrade, "Upgrade: \t websocket \r\n", version, "Sec-WebSocket-Version:13 \r\n"), 101},
		{"Upgrade among others", request(connection, "Connection: keep-alive, Upgrade\r\n"), 101},
		{"Upgrade among others, without space", request(connection, "Connection: keep-alive,upgrade,x\r\n"), 101},
		{"Connection twice", request(connection, "Connection: keep-alive\r\nConnection: Upgrade\r\n"), 101},
		{"websocket among others", request(upgrade, "Upgrade: h2c, websocket\r\n"), 101},
		{"Upgrade twice", request(upgrade, "Upgrade: h2c\r\nUpgrade: websocket\r\n"), 101},
		{"extensions that nobody knows", request(version, version+"Sec-WebSocket-Extensions: x-unknown; a=1, x-other\r\n"), 101},
		{"subprotocols", request(version, version+"Sec-WebSocket-Protocol: chat, superchat\r\n"), 101},
		{"its own origin", request(host, host+"Origin: http://server.example\r\n"), 101},
		{"a body of nothing", request(host, host+"Content-Length: 0\r\n"), 101},

		{"4.1 POST", request("GET", "POST"), 400},
		{"4.1 PUT", request("GET", "PUT"), 400},
		{"4.1 a method of one's own", request("GET", "WEBSOCKET"), 400},
		{"4.1 HTTP/1.0", request("HTTP/1.1", "HTTP/1.0"), 400},
		{"4.1 HTTP/0.9, of which net/http has its own opinion", request("HTTP/1.1", "HTTP/0.9"), 505},
		{"4.1 no Host", request(host, ""), 400},
		{"4.1 two Hosts", request(host, host+host), 400},
		{"4.1 no Upgrade", request(upgrade, ""), 400},
		{"4.1 another Upgrade", request(upgrade, "Upgrade: h2c\r\n"), 400},
		{"4.1 Upgrade with a version", request(upgrade, "Upgrade: websocket/13\r\n"), 400},
		{"4.1 part of the word", request(upgrade, "Upgrade: websockets\r\n"), 400},
		{"4.1 no Connection", request(connection, ""), 400},
		{"4.1 another Connection", request(connection, "Connection: keep-alive\r\n"), 400},
		{"4.1 part of the token", request(connection, "Connection: no-upgrade\r\n"), 400},
		{"4.1 no key", request(key, ""), 400},
		{"4.1 two keys", request(key, key+key), 400},
		{"4.1 an empty key", request(key, "Sec-WebSocket-Key:\r\n"), 400},
		{"4.1 a key of 15 bytes", request(key, "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2Rl\r\n"), 400},
		{"4.1 a key of 17 bytes", request(key, "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZmc=\r\n"), 400},
		{"4.1 a key without padding", request(key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n"), 400},
		{"4.1 a key that is no base64", request(key, "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n"), 400},
		{"4.4 no version", request(version, ""), 426},
		{"4.4 version 8", request(version, "Sec-WebSocket-Version: 8\r\n"), 426},
		{"4.4 version 14", request(version, "Sec-WebSocket-Version: 14\r\n"), 426},
		{"4.4 version 013", request(version, "Sec-WebSocket-Version: 013\r\n"), 426},
		{"4.4 a list of versions", request(version, "Sec-WebSocket-Version: 13, 8\r\n"), 426},
		{"4.4 two versions", request(version, version+"Sec-WebSocket-Version: 8\r\n"), 426},
		{"4.2.2 another origin", request(host, host+"Origin: http://evil.example\r\n"), 403},
		{"4.2.2 an opaque origin", request(host, host+"Origin: null\r\n"), 403},
		{"no request at all", "\x16\x03\x01\r\n\r\n", 400},
		{"a header without a colon", request(host, host+"nonsense\r\n"), 400},
		{"a folded header", request(host, host+" folded: x\r\n"), 400},
		{"a space before the colon", request(upgrade, "Upgrade : websocket\r\n"), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for way, at := range cuts([]byte(tt.lines)) {
				c := connect(t, addr)
				go c.pieces([]byte(tt.lines), at)
				resp := c.response()
				if resp.StatusCode != tt.status {
					t.Fatalf("%s: %s; want %d", way, resp.Status, tt.status)
				}
				c.checkOpened(resp)
				c.conn.Close()
			}
		})
	}
}

// checkOpened looks at the reply to a handshake.
func (c *tcp) checkOpened(resp *http.Response) {
	c.t.Helper()
	h := resp.Header
	switch resp.StatusCode {
	case http.StatusUpgradeRequired:
		if got := h.Get("Sec-WebSocket-Version"); got != "13" {
			c.t.Errorf("Sec-WebSocket-Version %q; want 13", got)
		}
		if h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" { // RFC 9110, section 15.5.22
			c.t.Errorf("426 without what to upgrade to: %v", h)
		}
	case http.StatusSwitchingProtocols:
		if h.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || h.Get("Upgrade") != "websocket" || h.Get("Connection") != "Upgrade" {
			c.t.Errorf("headers %v", h)
		}
		if h.Values("Sec-WebSocket-Extensions") != nil {
			c.t.Errorf("something was agreed to that nobody can: %v", h)
		}
		if first := c.next(); !strings.HasPrefix(first, "text 0{") {
			c.t.Errorf("first frame: %s", first)
		}
	}
}

// Clients that name subprotocols, as engine.io-client does on request, give up if none is agreed to.
func TestTheFirstSubprotocolIsAgreedTo(t *testing.T) {
	addr := listen(t, mirrors(&engine.Server{}))
	for offer, want := range map[string]string{
		"":                                 "",
		"Sec-WebSocket-Protocol: chat\r\n": "chat",
		"Sec-WebSocket-Protocol:  v1.chat+x , superchat\r\n":                    "v1.chat+x",
		"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: superchat\r\n": "chat",
		"Sec-WebSocket-Protocol: a b\r\n":                                       "",
		"Sec-WebSocket-Protocol: \"chat\"\r\n":                                  "",
		"Sec-WebSocket-Protocol: ch\xc3\xa4t\r\n":                               "",
		"Sec-WebSocket-Protocol: , chat\r\n":                                    "",
	} {
		c := connect(t, addr)
		c.write([]byte(strings.Replace(opening, "\r\n\r\n", "\r\n"+offer+"\r\n", 1)))
		resp := c.response()
		if got := strings.Join(resp.Header.Values("Sec-WebSocket-Protocol"), "|"); resp.StatusCode != 101 || got != want {
			t.Errorf("%q: %s, %q; want %q", offer, resp.Status, got, want)
		}
		c.checkOpened(resp)
		c.conn.Close()
	}
}

func TestFramesMayComeWithTheHandshake(t *testing.T) {
	addr := listen(t, mirrors(&engine.Server{}))
	early := frame(fin|opText, "4"+strings.Repeat("x", 5000))
	for way, at := range cuts(early[:500]) {
		c := connect(t, addr)
		go func() {
			c.write(append([]byte(opening), early[:3]...))
			c.pieces(early[3:], at)
		}()
		c.checkOpened(c.response())
		if got := c.next(); got != "text "+short([]byte("4"+strings.Repeat("x", 5000))) {
			t.Errorf("%s: came back %s", way, got)
		}
	}
}

func TestTheServersCloseIsAnswered(t *testing.T) {
	sessions := make(chan *engine.Session, 1)
	srv := &engine.Server{Accept: func(s *engine.Session, _ *http.Request) (engine.Receiver, error) {
		sessions <- s
		return &mirror{session: s}, nil
	}}
	addr := listen(t, srv)
	for name, tt := range map[string]struct {
		err  error
		want string
		send []byte
	}{
		"by the client's close":          {nil, "close", frame(fin|opClose, "")},
		"by the client's close and more": {engine.ErrServerShutdown, "close 1001", join(frame(fin|opText, "4x"), frame(fin|opClose, status(1001, "")), frame(fin|opText, "4y"))},
		"by nonsense":                    {engine.ErrTooLarge, "close 1009", bytes.Repeat([]byte{0xff}, 100_000)},
		"by the end alone":               {nil, "close", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := openSocket(t, addr)
			(<-sessions).Close(tt.err)
			c.write(tt.send)
			if got := c.next() + ", " + c.next(); got != tt.want+", end" {
				t.Errorf("came %q; want %q", got, tt.want+", end")
			}
		})
	}
}

// A client that believes in its upgrade takes a reset for an error.
func TestAnUpgradeUnderWayEndsInOrder(t *testing.T) {
	sessions := make(chan *engine.Session, 1)
	srv := &engine.Server{Accept: func(s *engine.Session, _ *http.Request) (engine.Receiver, error) {
		sessions <- s
		return &mirror{session: s}, nil
	}}
	addr := listen(t, srv)
	for name, steps := range map[string][]string{
		"opened": nil,
		"begun":  {"2probe"},
		"agreed": {"2probe", "3probe"},
		"over":   {"2probe", "3probe", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := http.Get("http://" + addr + strings.Replace(target, "websocket", "polling", 1))
			if err != nil {
				t.Fatal(err)
			}
			defer http.DefaultClient.CloseIdleConnections()
			resp.Body.Close()
			s := <-sessions
			c := connect(t, addr)
			c.write([]byte(request(target, target+"&sid="+s.ID())))
			if resp := c.response(); resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal(resp.Status)
			}
			for _, step := range steps {
				if step != "3probe" {
					c.write(frame(fin|opText, step))
				} else if got := c.next(); got != "text 3probe" {
					t.Fatalf("came %q", got)
				}
			}
			s.Close(nil)
			c.write(join(frame(fin|opText, "5"), frame(fin|opText, "4hello")))
			for got := c.next(); got != "end"; got = c.next() {
				if !strings.HasPrefix(got, "close") && got != "text 3probe" {
					t.Fatalf("came %q; want a close frame and the end", got)
				}
			}
		})
	}
}
