package sio_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/siotest"
)

// target handles every kind of event, and acknowledges what it is asked to.
func target() *sio.Server {
	srv := &sio.Server{Logger: quiet(), MaxEventBytes: 10_000, AllowEIO3: true, Recovery: &sio.Recovery{}}
	for _, ns := range []*sio.Namespace{srv.Of("/"), srv.Of("/other")} {
		ns.On("a", func(e *sio.Event) {
			for i := range e.NumArgs() + 1 {
				var v any
				e.Decode(i, &v)
				e.Ack(v)
			}
		})
		ns.OnStream("b", func(e *sio.Event) {
			for a := e.Attachment(); a != nil; a = e.Attachment() {
				a.Read(make([]byte, 10))
			}
			e.Ack()
		})
		ns.OnUnknown(func(e *sio.Event) { e.Ack(e.Name) })
		ns.OnInvalid(func(s *sio.Socket, err error) { s.Emit("problem", err.Error()) })
	}
	return srv
}

// How a client joins "/": by a text, by a message of msgpack, or as one of old, which is joined unasked.
const (
	joinByText    = "40"
	joinByMsgpack = "b:\x82\xa4type\x00\xa3nsp\xa1/"
	joinUnasked   = "EIO3"
)

// conversation is what a client sends: how it joins, and then messages separated by line ends; those that begin with "b:" are
// binary.
type conversation struct{ join, rest string }

var conversations = []conversation{
	{joinByText, "42[\"a\",1,{\"x\":[null]}]\n421[\"a\"]"},
	{joinByText, "40/other,{\"token\":\"x\"}\n422[\"a\",\"b\"]\n41"},
	{joinByText, "451-3[\"a\",{\"_placeholder\":true,\"num\":0}]\nb:bytes\n42[\"a\"]"},
	{joinByText, "452-[\"b\",{\"_placeholder\":true,\"num\":1},[{\"num\":0,\"_placeholder\":true}]]\nb:x\nb:y\n424[\"a\"]"},
	{joinByText, "452-7[\"b\",{\"_placeholder\":true,\"num\":1},[{\"num\":0,\"_placeholder\":true}]]\nb:0123456789abc\nb:\n430[]"},
	{joinByText, "461-0[{\"_placeholder\":true,\"num\":0}]\nb:x\n41\n40"},
	{joinByText, "40/other,{\"pid\":\"x\",\"offset\":\"y\"}\n422[\"a\",\"b\"]\n2"},
	{joinByText, "3\n6\n42[\"what\",\"\\u00e9\\ud83d\\ude00\"]\n40/nowhere,\n1"},
	{joinByMsgpack, "b:\x84\xa4type\x02\xa4data\x93\xa1a\x01\x81\xa1x\xcb?\xe0\x00\x00\x00\x00\x00\x00\xa2id\x07\xa3nsp\xa1/\n3"},
	{joinByMsgpack, "b:\x84\xa4type\x02\xa4data\x92\xa1b\xc4\x03abc\xa2id\x07\xa3nsp\xa1/\nb:\x83\xa4type\x03\xa2id\x00\xa4data\x90\xa3nsp\xa1/"},
	{joinByMsgpack, "b:\x82\xa4type\x00\xa3nsp\xa6/other\nb:\x83\xa4type\x02\xa4data\x92\xa1a\xd6\xff\x00\x00\x00\x01\xa3nsp\xa6/other\nb:\x82\xa4type\x01\xa3nsp\xa1/"},
	{joinUnasked, "2\n42[\"a\",1]\n40/other?x=y,\n421[\"a\"]"},
	{joinUnasked, "451-3[\"a\",{\"_placeholder\":true,\"num\":0}]\nb:\x04bytes\n2probe\n42[\"a\"]\n41"},
}

// hold sends a conversation.
func (p *peer) hold(conversation string) {
	p.conn.SetWriteDeadline(time.Now().Add(patience))
	p.conn.Write(frames(conversation))
}

// mutations are the ways in which damage changes a conversation; other is another one.
var mutations = []func(r *rand.Rand, b, other []byte) []byte{
	func(r *rand.Rand, b, _ []byte) []byte { // a bit is flipped
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	func(r *rand.Rand, b, _ []byte) []byte { // a byte is another
		b[r.IntN(len(b))] = byte(r.IntN(256))
		return b
	},
	func(r *rand.Rand, b, _ []byte) []byte { // some are missing
		i := r.IntN(len(b))
		return slices.Delete(b, i, min(len(b), i+1+r.IntN(4)))
	},
	func(r *rand.Rand, b, _ []byte) []byte { // the end is missing
		return b[:1+r.IntN(len(b))]
	},
	func(r *rand.Rand, b, _ []byte) []byte { // something is in between
		const marks = "0123456789-/,?\"[]{}:\\\n\x1e"
		return slices.Insert(b, r.IntN(len(b)), marks[r.IntN(len(marks))])
	},
	func(r *rand.Rand, b, _ []byte) []byte { // a number is another
		digits := regexp.MustCompile(`\d+`).FindAllIndex(b, -1)
		if len(digits) == 0 {
			return b
		}
		at := digits[r.IntN(len(digits))]
		numbers := []string{"", "0", "00", "-1", "1.5", "11", "1024", "99999", "4294967296", "18446744073709551615", "1e9", "0x1"}
		return slices.Replace(b, at[0], at[1], []byte(numbers[r.IntN(len(numbers))])...)
	},
	func(r *rand.Rand, b, _ []byte) []byte { // two bytes change places
		i, j := r.IntN(len(b)), r.IntN(len(b))
		b[i], b[j] = b[j], b[i]
		return b
	},
	func(r *rand.Rand, b, _ []byte) []byte { // some come twice
		i := r.IntN(len(b))
		return slices.Insert(b, i, b[i:min(len(b), i+r.IntN(30))]...)
	},
	func(r *rand.Rand, b, _ []byte) []byte { // a message comes twice
		lines := bytes.Split(b, []byte("\n"))
		i := r.IntN(len(lines))
		return bytes.Join(slices.Insert(lines, i, lines[i]), []byte("\n"))
	},
	func(r *rand.Rand, b, _ []byte) []byte { // messages come in another order
		lines := bytes.Split(b, []byte("\n"))
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return bytes.Join(lines, []byte("\n"))
	},
	func(r *rand.Rand, b, other []byte) []byte { // it goes on as another
		return slices.Concat(b[:r.IntN(len(b))], other[r.IntN(len(other)):])
	},
	func(r *rand.Rand, b, other []byte) []byte { // the messages of two alternate
		mine, theirs := bytes.Split(b, []byte("\n")), bytes.Split(other, []byte("\n"))
		for i, line := range theirs {
			mine = slices.Insert(mine, min(2*i+r.IntN(2), len(mine)), line)
		}
		return bytes.Join(mine, []byte("\n"))
	},
}

// mutate changes a conversation a little.
func mutate(r *rand.Rand, s string) string {
	b := []byte(s)
	for range 1 + r.IntN(3) {
		other := []byte(conversations[r.IntN(len(conversations))].rest)
		if b = mutations[r.IntN(len(mutations))](r, b, other); len(b) == 0 {
			return "4"
		}
	}
	return string(b)
}

// assailant is one of several clients that send what they should not.
type assailant struct {
	t    *testing.T
	url  string
	http *http.Client
}

// endpoint returns the URL of a transport for a client that joins in that way.
func (a *assailant) endpoint(join, transport string) string {
	version := "4"
	if join == joinUnasked {
		version = "3"
	}
	return a.url + "/socket.io/?EIO=" + version + "&transport=" + transport
}

// byWebSocket joins, unless join is empty, and then sends what may be frames.
func (a *assailant) byWebSocket(join string, wire []byte) {
	conn, early, _, err := ws.Dial(a.t.Context(), strings.Replace(a.endpoint(join, "websocket"), "http", "ws", 1))
	if err != nil {
		a.t.Error(err)
		return
	}
	defer conn.Close()
	p := &peer{t: a.t, conn: conn, stream: conn, patience: patience}
	if early != nil {
		p.stream = readWriter{early, conn}
	}
	welcome := "40"
	switch join {
	case "":
		welcome = ""
	case joinByMsgpack:
		welcome = "b:"
		fallthrough
	case joinByText:
		conn.Write(frames(join))
	}
	for got := ""; !strings.HasPrefix(got, welcome); {
		if got, err = p.tryRead(); err != nil {
			a.t.Error(err)
			return
		}
	}
	conn.Write(wire)
}

var sid = regexp.MustCompile(`"sid":"([^"]+)"`)

// byPolling joins, unless join is empty, and then sends a text in one POST for each message, or in one for all.
func (a *assailant) byPolling(join, text string, together bool) {
	url := a.endpoint(join, "polling")
	_, open := a.do("GET", url, "")
	hello := sid.FindSubmatch(open)
	if hello == nil {
		a.t.Errorf("handshake: %q", open)
		return
	}
	url += "&sid=" + string(hello[1])
	if join == joinByText || join == joinByMsgpack {
		a.do("POST", url, payload(join, join)[0])
		a.do("GET", url, "")
	}
	packets := payload(join, text)
	if together && join == joinUnasked {
		packets = []string{strings.Join(packets, "")}
	} else if together {
		packets = []string{strings.Join(packets, "\x1e")}
	}
	for _, body := range packets {
		a.do("POST", url, body)
	}
	a.do("POST", url, payload(join, "1")[0])
}

// payload returns the messages of a text as a polling client sends them that joins in that way.
func payload(join, text string) []string {
	messages := strings.Split(text, "\n")
	for i, m := range messages {
		data, binary := strings.CutPrefix(m, "b:")
		switch {
		case binary && join == joinUnasked:
			messages[i] = "b4" + base64.StdEncoding.EncodeToString([]byte(data))
		case binary:
			messages[i] = inBase64(data)
		}
		if join == joinUnasked {
			messages[i] = strconv.Itoa(utf8.RuneCountInString(messages[i])) + ":" + messages[i]
		}
	}
	return messages
}

// do sends a request, which may be wrong: but that is not the server's fault.
func (a *assailant) do(method, url, body string) (status int, reply []byte) {
	r, err := http.NewRequestWithContext(a.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return 0, nil
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return 0, nil // the server may end a connection
	}
	defer resp.Body.Close()
	reply, _ = io.ReadAll(resp.Body)
	if resp.StatusCode >= 500 {
		a.t.Errorf("%s %q: %s", method, body, resp.Status)
	}
	return resp.StatusCode, reply
}

// frames is a conversation as it is on the wire of a WebSocket.
func frames(conversation string) []byte {
	var wire bytes.Buffer
	for line := range strings.SplitSeq(conversation, "\n") {
		if data, binary := strings.CutPrefix(line, "b:"); binary {
			wsutil.WriteClientBinary(&wire, []byte(data))
		} else {
			wsutil.WriteClientText(&wire, []byte(line))
		}
	}
	return wire.Bytes()
}

// badInputs are what assailants do: everything that is known to be bad on every transport, and damaged conversations. The
// seed is fixed, so that what is found is found again.
func badInputs(damaged int) (inputs []func(*assailant)) {
	r := rand.New(rand.NewPCG(1, 2))
	all := hostileInputs()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var lines []string
		for _, m := range all[name] {
			if !strings.HasPrefix(m, "b:") {
				m = "4" + m
			}
			lines = append(lines, m)
		}
		text := strings.Join(lines, "\n")
		inputs = append(inputs,
			func(a *assailant) { a.byWebSocket(joinByText, frames(text)) },
			func(a *assailant) { a.byPolling(joinByText, text, false) })
	}
	for _, body := range []string{"", "\x1e", "40\x1e", "\x1e40", "40\x1e\x1e42[\"a\"]", "b", "bA", "bAQI", "b!!!!", "bAQ==AQ==", "b====", "4\xff", "9", "x", "5", "2probe"} {
		inputs = append(inputs, func(a *assailant) { a.byPolling("", body, true) })
	}
	for i := range damaged {
		c := conversations[i%len(conversations)]
		if c.join != joinUnasked && r.IntN(10) == 0 {
			c.join = ""
		}
		how := r.IntN(5)
		if how == 0 { // what is damaged is how it lies on the wire
			wire := mutations[r.IntN(6)](r, frames(c.rest), nil)
			inputs = append(inputs, func(a *assailant) { a.byWebSocket(c.join, wire) })
			continue
		}
		text := mutate(r, c.rest)
		if how < 3 {
			inputs = append(inputs, func(a *assailant) { a.byWebSocket(c.join, frames(text)) })
		} else {
			inputs = append(inputs, func(a *assailant) { a.byPolling(c.join, text, how == 4) })
		}
	}
	return inputs
}

func TestBadInputReachesNobodyElse(t *testing.T) {
	const hands = 4
	inputs := badInputs(1500)
	if len(inputs) < 1450 {
		t.Fatalf("only %d inputs", len(inputs))
	}
	server := target()
	heed(server)
	url := serve(t, server)
	others := []*bystander{stand(t, url, "websocket"), stand(t, url, "polling")}
	before := footprintOf(server)
	work := make(chan func(*assailant))
	var assailants sync.WaitGroup
	for range hands {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		assailants.Go(func() {
			defer transport.CloseIdleConnections()
			a := &assailant{t: t, url: url, http: &http.Client{Transport: transport}}
			for input := range work {
				input(a)
			}
		})
	}
	for _, input := range inputs {
		work <- input
	}
	close(work)
	assailants.Wait()
	before.awaitReturn(t, server, 8<<20, len(others))
	for _, b := range others {
		up, down := b.leave()
		t.Logf("a bystander's events: %d up, %d down", up, down)
	}
	st := server.Stats()
	if st.HalfSent != 0 || st.Sockets != 0 || st.Panics != 0 {
		t.Errorf("%d bytes are half-sent, %d sockets open of nobody; %d handlers panicked", st.HalfSent, st.Sockets, st.Panics)
	}
	t.Logf("%d bad inputs: %d connections were cut off, %d events were handled all the same", len(inputs), st.Invalid, st.EventsIn)
}

func FuzzServer(f *testing.F) {
	for _, c := range conversations {
		if c.join != joinUnasked {
			f.Add(c.join == joinByMsgpack, c.rest)
		}
	}
	f.Fuzz(func(t *testing.T, msgpack bool, conversation string) {
		io := target()
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		join := joinByText
		if msgpack {
			join = joinByMsgpack
		}
		p.hold(join)
		p.next()
		var reader sync.WaitGroup
		reader.Go(func() {
			for {
				if _, err := p.tryRead(); err != nil {
					return
				}
			}
		})
		p.hold(conversation)
		p.conn.Close()
		reader.Wait()
		srv.Close()
		if got := io.Stats(); got.Panics != 0 || got.Sockets != 0 || got.HalfSent != 0 {
			t.Errorf("after %q: %+v", conversation, got)
		}
	})
}
