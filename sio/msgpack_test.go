package sio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/packet"
	"sluice/sio/siotest"
)

// pack encodes the text of a packet and its attachments as a msgpack client does.
func pack(t testing.TB, text string, attachments ...string) string {
	t.Helper()
	p, err := packet.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	data := make([][]byte, len(attachments))
	for i, a := range attachments {
		data[i] = []byte(a)
	}
	message, err := p.AppendMsgpack(nil, data)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(message)
}

// unpack is the reverse: what next has returned, as text followed by the attachments.
func unpack(t testing.TB, got string) []string {
	t.Helper()
	message, binary := strings.CutPrefix(got, "b:")
	if !binary {
		t.Fatalf("%q is no msgpack", got)
	}
	p, attachments, err := packet.ParseMsgpack([]byte(message))
	if err != nil {
		t.Fatalf("%q: %v", message, err)
	}
	text, err := p.AppendText(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{string(text)}
	for _, a := range attachments {
		all = append(all, string(a))
	}
	return all
}

// expectPacked reads a msgpack packet and compares its text and attachments.
func (p *peer) expectPacked(want ...string) {
	p.t.Helper()
	if got := unpack(p.t, p.next()); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Fatalf("got %.200q; want %.200q", got, want)
	}
}

// joinPacked opens a connection that speaks msgpack and joins "/".
func joinPacked(t testing.TB, url string) *peer {
	t.Helper()
	p := dial(t, url)
	p.sendBinary(pack(t, `0`))
	if got := unpack(t, p.next()); !strings.HasPrefix(got[0], `0{"sid":"`) {
		t.Fatalf("joining: %q", got)
	}
	return p
}

func TestStockMsgpackClientsWork(t *testing.T) {
	for name, transports := range map[string]string{"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"} {
		t.Run(name, func(t *testing.T) {
			srv := stockServer(t)
			srv.MaxEventBytes = 9 << 20 // what is streamed otherwise is whole here
			lab.Node(t, "client.cjs", "URL="+serve(t, srv), "TRANSPORTS="+transports, "PARSER=socket.io-msgpack-parser")
		})
	}
}

func TestTheFirstPacketDecidesHowAConnectionSpeaks(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	srv.Of("/").On("echo", func(e *sio.Event) {
		var text string
		var data []byte
		e.Decode(0, &text)
		e.Decode(1, &data)
		e.Ack(text, data)
		srv.Of("/").Emit("news", text, data)
	})
	url := serve(t, srv)
	packed, plain := joinPacked(t, url), join(t, url, "/")
	packed.sendBinary(pack(t, `51-7["echo","x",{"_placeholder":true,"num":0}]`, "bytes"))
	packed.expectPacked(`61-7["x",{"_placeholder":true,"num":0}]`, "bytes")
	packed.expectPacked(`51-["news","x",{"_placeholder":true,"num":0}]`, "bytes")
	plain.expect(`51-["news","x",{"_placeholder":true,"num":0}]`, "b:bytes")

	packed.send(`2["echo"]`)
	packed.expectClosed()
	plain.sendBinary(pack(t, `2["echo"]`))
	plain.expectClosed()
}

func TestMsgpackClientsAreToldWhyTheyMayNotJoin(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	srv.Of("/no").Use(func(*sio.Socket) error { return &sio.Error{Message: "no", Data: map[string]int{"code": 401}} })
	p := dial(t, serve(t, srv))
	p.sendBinary(pack(t, `0/no,{"token":"x"}`))
	p.expectPacked(`4/no,{"data":{"code":401},"message":"no"}`)
	p.sendBinary(pack(t, `0/nowhere,`))
	p.expectPacked(`4/nowhere,{"message":"Invalid namespace"}`)
}

func TestMsgpackClientsGiveAcks(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	acks := make(chan []byte, 1)
	srv.Of("/").OnConnect(func(s *sio.Socket) {
		reply, err := s.EmitWithAck(s.Context(), "question", []byte("b"))
		if err != nil {
			t.Error(err)
		}
		var data []byte
		reply.Decode(0, &data)
		acks <- data
		s.Disconnect(false)
	})
	p := joinPacked(t, serve(t, srv))
	p.expectPacked(`51-0["question",{"_placeholder":true,"num":0}]`, "b")
	p.sendBinary(pack(t, `61-0[{"_placeholder":true,"num":0}]`, "answer"))
	if got := receive(t, acks); string(got) != "answer" {
		t.Errorf("acknowledged with %q", got)
	}
	p.expectPacked(`1`)
}

func TestABroadcastGathersAcksOfBothCodecs(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	url := serve(t, srv)
	packed, plain := joinPacked(t, url), join(t, url, "/")
	acks := make(chan []sio.Args, 1)
	go func() {
		all, err := srv.Of("/").EmitWithAck(t.Context(), "q")
		if err != nil {
			t.Error(err)
		}
		acks <- all
	}()
	packed.expectPacked(`20["q"]`)
	plain.expect(`20["q"]`)
	packed.sendBinary(pack(t, `30[1]`))
	plain.send(`30[2]`)
	if got := receive(t, acks); len(got) != 2 {
		t.Errorf("%d acks; want 2", len(got))
	}
}

func TestOnStreamOfMsgpackReadsFromMemory(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	srv.Of("/").OnStream("a", func(e *sio.Event) {
		var all []string
		var first *sio.Attachment
		for a := e.Attachment(); a != nil; a = e.Attachment() {
			data, err := io.ReadAll(a)
			all = append(all, fmt.Sprint(string(data), a.Size(), err))
			if first == nil {
				first = a
			} else if _, err := first.Read(make([]byte, 1)); err == nil {
				t.Error("an attachment can be read after a later one")
			}
		}
		e.Ack(e.Attachments(), e.IsAttachment(1), all)
	})
	p := joinPacked(t, serve(t, srv))
	p.sendBinary(pack(t, `52-1["a",{"x":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`, "one", ""))
	p.expectPacked(`31[2,true,["one3 <nil>","0 <nil>"]]`)
}

// hostilePacks is what a server must answer by ending the connection of a client that speaks msgpack.
func hostilePacks(t testing.TB) map[string][]string {
	p := func(text string, attachments ...string) string { return "b:" + pack(t, text, attachments...) }
	deep := strings.Repeat("\x91", 100)
	return map[string][]string{
		"text":                        {`2["a"]`},
		"no map":                      {"b:\x91\x01"},
		"nothing":                     {"b:"},
		"an unknown type":             {"b:\x82\xa4type\x05\xa3nsp\xa1/"},
		"a namespace with a comma":    {"b:\x82\xa4type\x00\xa3nsp\xa4/a,b"},
		"an array that claims much":   {"b:\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd\xff\xff\xff\xff\xa1a"},
		"too deep":                    {"b:\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a" + deep + "\x01"},
		"a reserved name":             {"b:\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xaadisconnect"},
		"CONNECT twice":               {p(`0`)},
		"CONNECT with binary":         {"b:\x83\xa4type\x00\xa3nsp\xa6/other\xa4data\x81\xa1a\xc4\x01a"},
		"CONNECT_ERROR from a client": {p(`4{"message":"x"}`)},
		"a namespace never joined":    {p(`2/other,["a"]`)},
		"a forged placeholder":        {"b:\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x93\xa1a\xc4\x01a\x82\xac_placeholder\xc3\xa3num\x00"},
		"eleven attachments":          {p(`511-["a"`+placeholders(11)+`]`, make([]string, 11)...)},
		"bytes behind the packet":     {p(`2["a"]`) + "\x00"},
	}
}

func TestHostileMsgpackEndsItsConnectionOnly(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	srv.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	srv.Of("/other")
	url := serve(t, srv)
	plain, packed := join(t, url, "/"), joinPacked(t, url)
	hostile := hostilePacks(t)
	for name, messages := range hostile {
		t.Run(name, func(t *testing.T) {
			p := joinPacked(t, url)
			p.sendAll(messages)
			p.expectClosed()
		})
	}
	plain.send(`21["a"]`)
	plain.expect(`31[]`)
	packed.sendBinary(pack(t, `21["a"]`))
	packed.expectPacked(`31[]`)
	if got := srv.Stats(); got.Invalid != uint64(len(hostile)) || got.HalfSent != 0 {
		t.Errorf("Stats = %+v; want %d invalid", got, len(hostile))
	}
}

func TestBeforeJoiningMsgpackClientsMayOnlyConnect(t *testing.T) {
	connects := make([]string, 17)
	for i := range connects {
		connects[i] = "b:" + pack(t, fmt.Sprintf(`0/n%d,`, i))
	}
	for name, messages := range map[string][]string{
		"an event":           {"b:" + pack(t, `2["a"]`)},
		"seventeen connects": connects,
		"64 KiB of connects": {"b:" + pack(t, `0/a,{"x":"`+strings.Repeat("x", 64<<10)+`"}`)},
		"64 KiB as text":     {"b:" + pack(t, `0/a,{"x":"`+strings.Repeat(`\u0000`, 11<<10)+`"}`)},
		"64 KiB in two":      {"b:" + pack(t, `0/a,{"x":"`+strings.Repeat("x", 40<<10)+`"}`), "b:" + pack(t, `0/b,{"x":"`+strings.Repeat("x", 40<<10)+`"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, serve(t, &sio.Server{Logger: quiet()}))
			p.sendAll(messages)
			p.expectClosed()
		})
	}
}

func TestMsgpackEventsAreBounded(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), MaxEventBytes: 1000}
	errs := make(chan error, 1)
	srv.Of("/").On("a", func(e *sio.Event) { e.Ack(e.Attachments()) })
	srv.Of("/").OnInvalid(func(s *sio.Socket, err error) {
		s.Emit("problem")
		errs <- err
	})
	url := serve(t, srv)
	for name, message := range map[string]string{
		"by its message": pack(t, `51-1["a"`+placeholders(1)+`]`, strings.Repeat("x", 1000)),
		"by its text":    pack(t, `2["a"`+strings.Repeat(`,[`+strings.Repeat(`null,`, 30)+`null]`, 7)+`]`),
	} {
		t.Run(name, func(t *testing.T) {
			p := joinPacked(t, url)
			p.sendBinary(message)
			p.expectPacked(`2["problem"]`)
			var limit *sio.LimitError
			if err := receive(t, errs); !errors.As(err, &limit) || limit.What != "event" {
				t.Errorf("OnInvalid got %v", err)
			}
			if _, code := p.expectClosed(); code != ws.StatusMessageTooBig {
				t.Errorf("close code %d", code)
			}
		})
	}
	p := joinPacked(t, url)
	p.sendBinary(pack(t, `51-1["a"`+placeholders(1)+`]`, strings.Repeat("x", 900)))
	p.expectPacked(`31[1]`)
}

func TestAHalfSentMsgpackPacketIsCutOff(t *testing.T) {
	inMemory(t, &sio.Server{}, func(t *testing.T, srv *siotest.Server) {
		p := dialMemory(t, srv)
		p.patience = time.Hour
		ws.WriteHeader(p.conn, ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 100})
		p.conn.Write([]byte("\x82\xa4type"))
		synctest.Wait()
		start := time.Now()
		p.answerUntilClosed()
		if took := time.Since(start); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("cut off after %v; want 15 s", took)
		}
	})
}

func TestAnEventIsPackedOnceForAll(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), MaxQueuedBytes: 64 << 20}
	url := serve(t, srv)
	var peers []*peer
	for range 20 {
		peers = append(peers, joinPacked(t, url))
	}
	p := sio.Prepare("e", bytes.Repeat([]byte("x"), 1<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := srv.Of("/").Send(p); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes for an event of %d to %d clients", took, p.Size(), len(peers))
	}
	for _, p := range peers {
		if got := unpack(t, p.next()); len(got) != 2 || len(got[1]) != 1<<20 {
			t.Fatalf("got %.100q", got)
		}
	}
}

func TestMsgpackMayComeInFragments(t *testing.T) {
	srv := &sio.Server{Logger: quiet()}
	srv.Of("/").On("a", func(e *sio.Event) { e.Ack(e.Raw(0)) })
	p := joinPacked(t, serve(t, srv))
	w := wsutil.NewWriterSize(p.conn, ws.StateClientSide, ws.OpBinary, 7)
	io.WriteString(w, pack(t, `21["a","0123456789"]`))
	w.Flush()
	p.expectPacked(`31["0123456789"]`)
}
