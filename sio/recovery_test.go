package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/gobwas/ws/wsutil"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/siotest"
)

// guest is a peer that has joined a server that lets clients come back.
type guest struct {
	*peer
	namespace string // with a comma behind it; empty for "/"
	ID        string `json:"sid"`
	PID       string `json:"pid"`
	offset    string // of the newest event
}

// comeIn joins a namespace with a payload.
func comeIn(p *peer, namespace, auth string) *guest {
	p.t.Helper()
	m := &guest{peer: p}
	if namespace != "/" {
		m.namespace = namespace + ","
	}
	p.send("0" + m.namespace + auth)
	hello, ok := strings.CutPrefix(p.next(), "0"+m.namespace)
	if !ok || json.Unmarshal([]byte(hello), m) != nil || m.ID == "" || m.PID == "" || m.ID == m.PID {
		p.t.Fatalf("joined with %s", hello)
	}
	return m
}

// claim is the payload of a client that was here before.
func (m *guest) claim() string { return fmt.Sprintf(`{"pid":"%s","offset":"%s"}`, m.PID, m.offset) }

// args reads an event and returns it without its offset, which it remembers.
func (m *guest) args() string {
	m.t.Helper()
	text := m.next()
	i := strings.LastIndex(text, `,"`)
	if i < 0 {
		m.t.Fatalf("%s has no offset", text)
	}
	m.offset = strings.TrimSuffix(text[i+2:], `"]`)
	return text[:i] + "]"
}

// expectEvents reads events and compares them without their offsets, and attachments.
func (m *guest) expectEvents(want ...string) {
	m.t.Helper()
	for _, w := range want {
		got := ""
		if strings.HasPrefix(w, "b:") {
			got = m.next()
		} else {
			got = m.args()
		}
		if got != w {
			m.t.Fatalf("got %.200s; want %.200s", got, w)
		}
	}
}

// loseConnection closes m's connection without a word, and waits until io has no sockets.
func (m *guest) loseConnection(io *sio.Server) {
	m.t.Helper()
	m.conn.Close()
	eventually(m.t, func() bool { return io.Stats().Sockets == 0 })
}

// recovering is a server whose sockets know how they came, and that says "hello" to fresh ones.
func recovering(r sio.Recovery) (*sio.Server, chan *sio.Socket) {
	io := &sio.Server{Logger: quiet(), Recovery: &r}
	joined := make(chan *sio.Socket, 100)
	greet := func(s *sio.Socket) {
		if !s.Recovered() {
			s.Join("red", "blue")
			s.Leave("blue")
			s.SetData("data of " + s.ID())
			s.Emit("hello")
		}
		joined <- s
	}
	io.Of("/").OnConnect(greet)
	io.Of("/other").OnConnect(greet)
	return io, joined
}

func TestAClientThatComesBackGetsWhatItMissed(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	first := receive(t, joined)
	p.expectEvents(`2["hello"]`)
	p.loseConnection(io)

	all := io.Of("/")
	all.To("red").Emit("news", 1)
	all.To("blue").Emit("left before")
	all.To("red", "blue").Except(p.ID).Emit("for others")
	all.Emit("everybody", []byte("bytes"), map[string]any{"more": []byte("of them")})
	all.Volatile().Emit("missed")
	if err := first.Emit("to the socket that was", "x"); err != nil {
		t.Errorf("Emit = %v; the client may come back", err)
	}
	go all.EmitWithAck(t.Context(), "nobody answers")
	io.Of("/other").Emit("elsewhere")

	back := comeIn(dial(t, url), "/", p.claim())
	if back.ID != p.ID || back.PID != p.PID {
		t.Errorf("came back as %s, %s; was %s, %s", back.ID, back.PID, p.ID, p.PID)
	}
	back.expectEvents(
		`2["news",1]`,
		`52-["everybody",{"_placeholder":true,"num":0},{"more":{"_placeholder":true,"num":1}}]`, "b:bytes", "b:of them",
		`2["to the socket that was","x"]`,
	)
	s := receive(t, joined)
	if s == first || !s.Recovered() || first.Recovered() || s.ID() != p.ID || s.Data() != "data of "+p.ID || !slices.Equal(s.Rooms(), []string{p.ID, "red"}) {
		t.Errorf("recovered %v, id %s, data %v, rooms %v", s.Recovered(), s.ID(), s.Data(), s.Rooms())
	}
	all.To("red").Emit("later")
	back.expectEvents(`2["later"]`)
	if got := io.Stats(); got.Connects != 2 || got.Recovered != 1 {
		t.Errorf("Stats = %+v", got)
	}
}

func TestWhatWasNotReadYetIsSentAgain(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	p.expectEvents(`2["hello"]`)
	for i := range 3 {
		io.Of("/").Emit("n", i)
	}
	p.expectEvents(`2["n",0]`)
	p.loseConnection(io)
	io.Of("/").Emit("n", 3)
	p = comeIn(dial(t, url), "/", p.claim())
	p.expectEvents(`2["n",1]`, `2["n",2]`, `2["n",3]`)

	p.loseConnection(io) // once more, and nothing happens meanwhile
	p = comeIn(dial(t, url), "/", p.claim())
	if receive(t, joined); !receive(t, joined).Recovered() {
		t.Error("not recovered the second time")
	}
	io.Of("/").Emit("n", 4)
	p.expectEvents(`2["n",4]`)
}

func TestWhoCannotProveItWasHereGetsAFreshSocket(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	for name, claim := range map[string]func(m *guest) string{
		"nothing":             func(m *guest) string { return `` },
		"no offset":           func(m *guest) string { return `{"pid":"` + m.PID + `"}` },
		"no pid":              func(m *guest) string { return `{"offset":"` + m.offset + `"}` },
		"an offset of null":   func(m *guest) string { return `{"pid":"` + m.PID + `","offset":null}` },
		"an offset of digits": func(m *guest) string { return `{"pid":"` + m.PID + `","offset":1}` },
		"an unknown offset":   func(m *guest) string { return `{"pid":"` + m.PID + `","offset":"x"}` },
		"an offset to come":   func(m *guest) string { return `{"pid":"` + m.PID + `","offset":"` + m.offset + `zz"}` },
		"a pid of digits":     func(m *guest) string { return `{"pid":7,"offset":"` + m.offset + `"}` },
		"an unknown pid":      func(m *guest) string { return `{"pid":"x","offset":"` + m.offset + `"}` },
		"the id for the pid":  func(m *guest) string { return `{"pid":"` + m.ID + `","offset":"` + m.offset + `"}` },
	} {
		t.Run(name, func(t *testing.T) {
			p := comeIn(dial(t, url), "/", "")
			receive(t, joined)
			p.expectEvents(`2["hello"]`)
			p.loseConnection(io)
			io.Of("/").Emit("missed")
			back := comeIn(dial(t, url), "/", claim(p))
			if s := receive(t, joined); s.Recovered() || back.ID == p.ID || back.PID == p.PID || s.Data() != "data of "+back.ID {
				t.Errorf("recovered %v as %s, %s; was %s, %s", s.Recovered(), back.ID, back.PID, p.ID, p.PID)
			}
			back.expectEvents(`2["hello"]`)
			back.loseConnection(io)
		})
	}
}

func TestAClientThatWasSentNothingIsNotWaitedFor(t *testing.T) {
	io := &sio.Server{Logger: quiet(), Recovery: &sio.Recovery{}}
	ended := make(chan *sio.Socket, 1)
	io.Of("/").OnDisconnect(func(s *sio.Socket, _ string) { ended <- s })
	p := comeIn(dial(t, serve(t, io)), "/", "")
	p.conn.Close()
	if err := receive(t, ended).Emit("x"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Emit = %v; want net.ErrClosed", err)
	}
}

func TestASocketIsTakenUpByOneAtATime(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	p.expectEvents(`2["hello"]`)
	p.loseConnection(io)
	receive(t, joined)
	first := comeIn(dial(t, url), "/", p.claim())
	second := comeIn(dial(t, url), "/", p.claim())
	for range 2 {
		if !receive(t, joined).Recovered() {
			t.Error("not recovered")
		}
	}
	first.expectClosed()
	if first.ID != p.ID || second.ID != p.ID || io.Stats().Sockets != 1 {
		t.Errorf("the socket %s was taken up as %s and %s; %d are there", p.ID, first.ID, second.ID, io.Stats().Sockets)
	}
}

func TestOnlySomeEndsCanBeRecoveredFrom(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(p *guest, s *sio.Socket)
		want bool
	}{
		"the client vanishes":         {func(p *guest, s *sio.Socket) { p.conn.Close() }, true},
		"the client closes":           {func(p *guest, s *sio.Socket) { wsutil.WriteClientText(p.conn, []byte("1")) }, true},
		"the client sends nonsense":   {func(p *guest, s *sio.Socket) { p.send(`2{}`) }, true},
		"the client goes astray":      {func(p *guest, s *sio.Socket) { p.send(`0`) }, true},
		"the client sends too much":   {func(p *guest, s *sio.Socket) { p.send(`2["` + strings.Repeat("x", 1_000_000) + `"]`) }, true},
		"the client breaks the frame": {func(p *guest, s *sio.Socket) { wsutil.WriteClientText(p.conn, []byte("9")) }, false},
		"the client leaves":           {func(p *guest, s *sio.Socket) { p.send(`1`) }, false},
		"the server throws it out":    {func(p *guest, s *sio.Socket) { s.Disconnect(false) }, false},
		"the server closes":           {func(p *guest, s *sio.Socket) { s.Disconnect(true) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			io, joined := recovering(sio.Recovery{})
			url := serve(t, io)
			p := comeIn(dial(t, url), "/", "")
			s := receive(t, joined)
			p.expectEvents(`2["hello"]`)
			tt.end(p, s)
			eventually(t, func() bool { return io.Stats().Sockets == 0 })
			comeIn(dial(t, url), "/", p.claim())
			if got := receive(t, joined).Recovered(); got != tt.want {
				t.Errorf("recovered %v after %v", got, io.Stats().Disconnects)
			}
			err := s.Emit("x")
			if closed := errors.Is(err, net.ErrClosed); !closed {
				t.Errorf("Emit on the socket that was = %v; want net.ErrClosed", err)
			}
		})
	}
}

func TestAClientMayBeAwayForTwoMinutes(t *testing.T) {
	for away, want := range map[time.Duration]bool{2*time.Minute - time.Second: true, 2*time.Minute + time.Millisecond: false, time.Hour: false} {
		io, joined := recovering(sio.Recovery{})
		inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
			p := comeIn(dialMemory(t, srv), "/", "")
			s := <-joined
			p.expectEvents(`2["hello"]`)
			p.conn.Close()
			synctest.Wait()
			time.Sleep(time.Minute) // of the bubble
			s.Emit("missed")
			time.Sleep(away - time.Minute)
			back := comeIn(dialMemory(t, srv), "/", p.claim())
			if got := (<-joined).Recovered(); got != want {
				t.Errorf("after %v: recovered %v", away, got)
			}
			if want {
				back.expectEvents(`2["missed"]`)
			}
		})
	}
}

func TestWhatWasSentBeforeTheEndWasNoticedIsKept(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		p := comeIn(dialMemory(t, srv), "/", "")
		s := <-joined
		p.expectEvents(`2["hello"]`)
		s.Emit("not read any more")
		<-s.Context().Done() // after a ping that nobody answered
		time.Sleep(2*time.Minute - time.Second)
		io.Of("/").Emit("missed")
		back := comeIn(dialMemory(t, srv), "/", p.claim())
		back.expectEvents(`2["not read any more"]`, `2["missed"]`)
	})
}

func TestAClientThatWasSentNothingForLongComesBack(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		p := comeIn(dialMemory(t, srv), "/", "")
		<-joined
		p.expectEvents(`2["hello"]`)
		p.patience = time.Hour
		until := time.Now().Add(10 * time.Minute)
		for time.Now().Before(until) {
			io.Of("/").To("blue").Emit("for others")
			if p.read() == "2" {
				wsutil.WriteClientText(p.conn, []byte("3"))
			}
		}
		p.conn.Close()
		synctest.Wait()
		io.Of("/").To("red").Emit("missed")
		back := comeIn(dialMemory(t, srv), "/", p.claim())
		if !(<-joined).Recovered() {
			t.Error("not recovered")
		}
		back.expectEvents(`2["missed"]`)
	})
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, tt := range map[string]struct {
		r    sio.Recovery
		many int // events that are missed
		want bool
	}{
		"as many events as may be":   {sio.Recovery{MaxEvents: 10}, 10, true},
		"more events than may be":    {sio.Recovery{MaxEvents: 10}, 11, false},
		"as many bytes as may be":    {sio.Recovery{MaxBytes: 16_000}, 10, true},
		"more bytes than may be":     {sio.Recovery{MaxBytes: 16_000}, 11, false},
		"an event that is too large": {sio.Recovery{MaxBytes: 1000}, 1, false},
		"the defaults":               {sio.Recovery{}, 1000, true},
	} {
		t.Run(name, func(t *testing.T) {
			io, joined := recovering(tt.r)
			url := serve(t, io)
			p := comeIn(dial(t, url), "/", "")
			receive(t, joined)
			p.expectEvents(`2["hello"]`)
			p.loseConnection(io)
			for range tt.many {
				io.Of("/").Emit("e", long)
			}
			back := comeIn(dial(t, url), "/", p.claim())
			if got := receive(t, joined).Recovered(); got != tt.want {
				t.Errorf("recovered %v", got)
			}
			for i := 0; tt.want && i < tt.many; i++ {
				back.expectEvents(`2["e","` + long + `"]`)
			}
		})
	}
}

func TestTheClientsThatAreAwayAreBounded(t *testing.T) {
	io, joined := recovering(sio.Recovery{MaxSockets: 2})
	url := serve(t, io)
	var away []*guest
	for range 3 {
		p := comeIn(dial(t, url), "/", "")
		receive(t, joined)
		p.expectEvents(`2["hello"]`)
		p.loseConnection(io)
		away = append(away, p)
	}
	for i, want := range []bool{false, true, true} {
		comeIn(dial(t, url), "/", away[i].claim())
		if got := receive(t, joined).Recovered(); got != want {
			t.Errorf("client %d: recovered %v", i, got)
		}
	}
}

func TestAnEventGetsItsOffsetOnceForAll(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	var peers []*guest
	for range 5 {
		p := comeIn(dial(t, url), "/", "")
		receive(t, joined)
		p.expectEvents(`2["hello"]`)
		peers = append(peers, p)
	}
	p := sio.Prepare("e", 1)
	for range 2 {
		if err := io.Of("/").Send(p); err != nil {
			t.Fatal(err)
		}
	}
	var offsets []string
	for _, p := range peers {
		p.expectEvents(`2["e",1]`)
		offsets = append(offsets, p.offset)
	}
	if slices.Sort(offsets); offsets[0] != offsets[4] {
		t.Errorf("offsets %q", offsets)
	}
	if peers[0].expectEvents(`2["e",1]`); peers[0].offset == offsets[0] {
		t.Error("two events have one offset")
	}
}

func TestWhatIsNotKeptHasNoOffset(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	s := receive(t, joined)
	p.expectEvents(`2["hello"]`)
	io.Of("/").On("sync", func(e *sio.Event) { e.Ack("acks have none") })
	p.send(`21["sync"]`)
	p.expect(`31["acks have none"]`)
	s.Volatile().Emit("volatile")
	p.expect(`2["volatile"]`)
	io.Of("/").Volatile().Emit("volatile", 1)
	p.expect(`2["volatile",1]`)
	go s.EmitWithAck(t.Context(), "question")
	p.expect(`20["question"]`)
	go io.Of("/").EmitWithAck(t.Context(), "question")
	p.expect(`21["question"]`)
	s.SetSource(&once{sio.Prepare("pulled")})
	s.Wake()
	p.expect(`2["pulled"]`)
}

// once is a source of one event.
type once struct{ p *sio.Prepared }

func (o *once) Next(bool) (*sio.Prepared, bool) {
	p := o.p
	o.p = nil
	return p, false
}

func TestAnEventOf64ArgumentsHasRoomForItsOffset(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	p.expectEvents(`2["hello"]`)
	p.loseConnection(io)
	args := make([]any, 64)
	if err := io.Of("/").Emit("e", args...); err != nil {
		t.Fatal(err)
	}
	want := `2["e"` + strings.Repeat(`,null`, 64) + `]`
	comeIn(dial(t, url), "/", p.claim()).expectEvents(want)
}

func TestOldClientsCannotComeBack(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	io.AllowEIO3 = true
	url := serve(t, io)
	old, _ := dialOld(t, url, "")
	old.expect(`0`, `2["hello"]`)
	receive(t, joined)
	io.Of("/").Emit("news")
	old.expect(`2["news"]`)
	p := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	io.Of("/").Emit("more", []byte("b"))
	old.expect(`51-["more",{"_placeholder":true,"num":0}]`, "b:\x04b")
	p.expectEvents(`2["hello"]`, `51-["more",{"_placeholder":true,"num":0}]`, "b:b")
}

func TestMsgpackClientsComeBack(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	var hello struct{ SID, PID string }
	enter := func(auth string) *peer {
		p := dial(t, url)
		p.sendBinary(pack(t, `0`+auth))
		if err := json.Unmarshal([]byte(unpack(t, p.next())[0][1:]), &hello); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := enter("")
	s := receive(t, joined)
	var event []string
	if err := json.Unmarshal([]byte(unpack(t, p.next())[0][1:]), &event); err != nil || len(event) != 2 {
		t.Fatalf("%q, %v", event, err)
	}
	(&guest{peer: p}).loseConnection(io)
	s.Emit("missed", []byte("b"))
	id := hello.SID
	p = enter(`{"pid":"` + hello.PID + `","offset":"` + event[1] + `"}`)
	if got := unpack(t, p.next()); !strings.HasPrefix(got[0], `51-["missed",{"_placeholder":true,"num":0},"`) || got[1] != "b" || id != hello.SID {
		t.Errorf("got %q as %s; was %s", got, hello.SID, id)
	}
}

func TestMiddlewareIsNotAskedAgain(t *testing.T) {
	for _, run := range []bool{false, true} {
		io, joined := recovering(sio.Recovery{RunMiddleware: run})
		asked := make(chan string, 10)
		io.Of("/").Use(func(s *sio.Socket) error {
			asked <- fmt.Sprint(s.ID(), s.Recovered(), s.Data())
			if s.Recovered() {
				return &sio.Error{Message: "no more"}
			}
			return nil
		})
		url := serve(t, io)
		p := comeIn(dial(t, url), "/", "")
		<-asked
		receive(t, joined)
		p.expectEvents(`2["hello"]`)
		p.loseConnection(io)
		if !run {
			comeIn(dial(t, url), "/", p.claim())
			if !receive(t, joined).Recovered() || len(asked) > 0 {
				t.Error("not recovered, or asked again")
			}
			continue
		}
		q := dial(t, url)
		q.send(`0` + p.claim())
		q.expect(`4{"message":"no more"}`)
		if got, want := <-asked, fmt.Sprint(p.ID, true, "data of "+p.ID); got != want {
			t.Errorf("asked about %s; want %s", got, want)
		}
		q.send(`0` + p.claim())
		if <-asked; receive(t, joined).Recovered() {
			t.Error("recovered after it was refused")
		}
	}
}

func TestAClientThatIsLetInTooLateIsCutOff(t *testing.T) {
	io, joined := recovering(sio.Recovery{RunMiddleware: true, MaxEvents: 2})
	asked, goOn := make(chan bool), make(chan bool)
	io.Of("/").Use(func(s *sio.Socket) error {
		if s.Recovered() {
			asked <- true
			<-goOn
		}
		return nil
	})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	p.expectEvents(`2["hello"]`)
	p.loseConnection(io)
	q := dial(t, url)
	q.send(`0` + p.claim())
	receive(t, asked)
	for i := range 3 {
		io.Of("/").Emit("missed", i)
	}
	goOn <- true
	q.expectClosed()
}

func TestAClientThatGoesWhileItComesBackMayComeAgain(t *testing.T) {
	io, joined := recovering(sio.Recovery{RunMiddleware: true})
	waiting := make(chan bool)
	io.Of("/").Use(func(s *sio.Socket) error {
		if s.Recovered() && s.Handshake().Query().Has("slow") {
			waiting <- true
			<-s.Context().Done()
			waiting <- true
		}
		return nil
	})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	p.expectEvents(`2["hello"]`)
	p.loseConnection(io)
	io.Of("/").Emit("missed")
	q := dial(t, url+"/socket.io/?slow=1")
	q.send(`0` + p.claim())
	<-waiting
	q.conn.Close()
	<-waiting
	back := comeIn(dial(t, url), "/", p.claim())
	if !receive(t, joined).Recovered() {
		t.Error("not recovered")
	}
	back.expectEvents(`2["missed"]`)
}

func TestWhatCameBeforeIsHandledBeforeTheClientIsBack(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		begun, goOn := make(chan bool), make(chan bool)
		io.Of("/").On("slow", func(e *sio.Event) {
			begun <- true
			<-goOn
			e.Socket.SetData("changed")
		})
		io.Of("/").OnDisconnect(func(s *sio.Socket, _ string) {
			if s.Data() == "changed" {
				<-goOn
				s.SetData("changed twice")
			}
		})
		p := comeIn(dialMemory(t, srv), "/", "")
		<-joined
		p.expectEvents(`2["hello"]`)
		p.send(`2["slow"]`)
		<-begun
		p.conn.Close()
		synctest.Wait()
		dialMemory(t, srv).send(`0` + p.claim())
		synctest.Wait()
		for range 2 {
			if len(joined) > 0 {
				t.Error("the client is back, and its handlers have not returned")
			}
			goOn <- true
			synctest.Wait()
		}
		if s := <-joined; !s.Recovered() || s.Data() != "changed twice" {
			t.Errorf("recovered %v with %v; want what the handlers have set", s.Recovered(), s.Data())
		}
	})
}

func TestAChildNamespaceWaitsForWhoIsAway(t *testing.T) {
	io, joined := recovering(sio.Recovery{MaxDisconnection: time.Minute})
	parent := io.OfFunc(func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, "/room-") })
	parent.OnConnect(func(s *sio.Socket) {
		if !s.Recovered() {
			s.Emit("hello")
		}
		joined <- s
	})
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		p := comeIn(dialMemory(t, srv), "/room-1", "")
		<-joined
		p.expectEvents(`2/room-1,["hello"]`)
		p.conn.Close()
		synctest.Wait()
		parent.Emit("missed")
		p = comeInAgain(t, srv, p)
		if !(<-joined).Recovered() {
			t.Error("not recovered")
		}
		p.expectEvents(`2/room-1,["missed"]`)
		p.conn.Close()
		synctest.Wait()
		names := func() (names []string) {
			for _, ns := range io.Namespaces() {
				names = append(names, ns.Name())
			}
			return names
		}
		if got := names(); !slices.Contains(got, "/room-1") {
			t.Errorf("namespaces %q", got)
		}
		time.Sleep(2 * time.Minute) // of the bubble
		if got := names(); slices.Contains(got, "/room-1") {
			t.Errorf("namespaces %q after the client stayed away", got)
		}
	})
}

func comeInAgain(t *testing.T, srv *siotest.Server, m *guest) *guest {
	return comeIn(dialMemory(t, srv), strings.TrimSuffix(m.namespace, ","), m.claim())
}

func TestAClientThatIsCutOffAllTheTimeMissesNothing(t *testing.T) {
	const events, senders = 1000, 3
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	var socket atomic.Pointer[sio.Socket]
	socket.Store(receive(t, joined))
	p.expectEvents(`2["hello"]`)
	toSocket := func(event string, args ...any) error {
		for {
			if err := socket.Load().Emit(event, args...); !errors.Is(err, net.ErrClosed) {
				return err
			}
			runtime.Gosched() // it was taken up, and the new one is not known yet
		}
	}
	turns := make(chan bool, senders*events)
	var all sync.WaitGroup
	for sender := range senders {
		emit := []func(string, ...any) error{toSocket, io.Of("/").Emit, io.Of("/").To("red", p.ID).Emit}[sender]
		all.Go(func() {
			for i := range events {
				if i%50 == 0 {
					<-turns
				}
				if err := emit("n", sender, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range senders {
		turns <- true
	}
	var next [senders]int
	for got := 0; got < senders*events; {
		for range 4 {
			turns <- true // what goes on while the connection is lost
		}
		for i := 0; i < 100 && got < senders*events; i++ {
			var event struct{ sender, n int }
			fmt.Sscanf(p.args(), `2["n",%d,%d]`, &event.sender, &event.n)
			if event.n != next[event.sender] {
				t.Fatalf("event %d of sender %d; want %d", event.n, event.sender, next[event.sender])
			}
			next[event.sender]++
			got++
		}
		p.loseConnection(io)
		id := p.ID
		if p = comeIn(dial(t, url), "/", p.claim()); p.ID != id {
			t.Fatalf("not recovered after %d events", got)
		}
		socket.Store(receive(t, joined))
	}
	all.Wait()
}

func TestWhatIsKeptIsForgottenWithTime(t *testing.T) {
	io := &sio.Server{Logger: quiet(), Recovery: &sio.Recovery{MaxDisconnection: time.Minute}}
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		data := make([]byte, 1<<20)
		kept := weak.Make(&data[0])
		io.Of("/").Emit("e", data)
		data = nil
		for after, want := range []bool{true, false} {
			runtime.GC()
			if got := kept.Value() != nil; got != want {
				t.Errorf("after %d minutes: kept %v", 2*after, got)
			}
			time.Sleep(2 * time.Minute) // of the bubble
			synctest.Wait()
		}
	})
}

func TestStockClientsComeBack(t *testing.T) {
	for name, transports := range map[string]string{"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"} {
		for parser, env := range map[string]string{"json": "PARSER=", "msgpack": "PARSER=socket.io-msgpack-parser"} {
			t.Run(name+"/"+parser, func(t *testing.T) {
				io := &sio.Server{Recovery: &sio.Recovery{}}
				ns := io.Of("/")
				ns.OnConnect(func(s *sio.Socket) {
					if !s.Recovered() {
						s.Emit("hello")
					}
				})
				ns.On("join", func(e *sio.Event) {
					e.Socket.Join("red")
					e.Socket.SetData("kept")
					e.Ack()
				})
				ns.On("tell me while I am away", func(e *sio.Event) {
					s := e.Socket
					go func() {
						<-s.Context().Done()
						ns.To("red").Emit("missed", "text")
						ns.To("red").Emit("missed", []byte("bytes"), map[string]any{"deep": []byte("too")})
						s.Emit("missed", "to you")
						ns.Except("red").Emit("missed", "not for you")
					}()
				})
				ns.On("state", func(e *sio.Event) { e.Ack(e.Socket.Recovered(), e.Socket.Rooms(), e.Socket.Data()) })
				lab.Node(t, "recovery.cjs", "URL="+serve(t, io), "TRANSPORTS="+transports, env)
			})
		}
	}
}

func TestWhatWasMissedLeavesRoomForWhatIsNew(t *testing.T) {
	for _, closeSlow := range []bool{false, true} {
		const many = 200
		io, joined := recovering(sio.Recovery{})
		io.MaxQueuedBytes, io.MaxQueuedPackets, io.CloseSlow = 4<<10, 10, closeSlow
		inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
			p := comeIn(dialMemory(t, srv), "/", "")
			<-joined
			p.expectEvents(`2["hello"]`)
			p.conn.Close()
			synctest.Wait()
			for i := range many {
				io.Of("/").Emit("missed", i, strings.Repeat("x", 1000))
			}
			back := dialMemory(t, srv)
			back.send("0" + p.claim())
			<-joined
			synctest.Wait() // all of it waits for the client
			back.send(`0/other,`)
			synctest.Wait()
			io.Of("/").Emit("new")
			if st := io.Stats(); st.Sockets != 2 || st.Dropped != 0 {
				t.Fatalf("%d sockets are there, %d events were dropped; want 2 and 0", st.Sockets, st.Dropped)
			}
			<-joined
			for range 1 + many {
				back.next()
			}
			if got := back.next(); !strings.HasPrefix(got, `0/other,`) {
				t.Errorf("after what was missed came %.100s", got)
			}
			back.next() // hello
			if got := back.next(); !strings.HasPrefix(got, `2["new"`) {
				t.Errorf("then came %.100s", got)
			}
			back.conn.Close()
			synctest.Wait()
		})
	}
}

func TestWhatIsNewIsBoundedWhileWhatWasMissedWaits(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	io.MaxQueuedPackets = 10
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		p := comeIn(dialMemory(t, srv), "/", "")
		<-joined
		p.expectEvents(`2["hello"]`)
		p.conn.Close()
		synctest.Wait()
		for range 200 {
			io.Of("/").Emit("missed", strings.Repeat("x", 1000))
		}
		back := dialMemory(t, srv)
		back.send("0" + p.claim())
		s := <-joined
		synctest.Wait()
		var err error
		sent := 0
		for ; err == nil && sent < 100; sent++ {
			err = s.Emit("new")
		}
		if !errors.Is(err, sio.ErrQueueFull) || sent > 15 {
			t.Errorf("%d events were sent, then %v; want about 10, then ErrQueueFull", sent, err)
		}
		back.conn.Close()
		synctest.Wait()
	})
}

func TestAClientMayComeBackBeforeItsEndWasNoticed(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	ended := make(chan string, 10)
	io.Of("/").OnDisconnect(func(s *sio.Socket, reason string) { ended <- reason })
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	first := receive(t, joined)
	p.expectEvents(`2["hello"]`)
	for round := range 3 {
		io.Of("/").Emit("lost on the way", round)
		back := comeIn(dial(t, url), "/", p.claim())
		if s := receive(t, joined); !s.Recovered() || back.ID != p.ID || first.Connected() {
			t.Fatalf("recovered %v as %s; was %s", s.Recovered(), back.ID, p.ID)
		}
		back.expectEvents(fmt.Sprintf(`2["lost on the way",%d]`, round))
		if reason := receive(t, ended); reason != "transport close" {
			t.Errorf("the socket that was ended with %s", reason)
		}
		p.next() // what was lost
		p.expectClosed()
		p = back
	}
	if got := io.Stats().Sockets; got != 1 {
		t.Errorf("%d sockets; want 1", got)
	}
}

func TestWhoIsInTheRoomOfAnotherDoesNotGetWhatIsForThatAlone(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	comeIn(dial(t, url), "/", "")
	other := receive(t, joined)
	p := comeIn(dial(t, url), "/", "")
	s := receive(t, joined)
	p.expectEvents(`2["hello"]`)
	s.Join(other.ID())
	p.conn.Close()
	<-s.Context().Done()
	other.Emit("for nobody else")
	io.Of("/").To(other.ID()).Emit("for the room")
	comeIn(dial(t, url), "/", p.claim()).expectEvents(`2["for the room"]`)
}

func TestWhatCameBeforeAClientJoinedWasNotMissed(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	other := comeIn(dial(t, url), "/", "")
	receive(t, joined)
	other.expectEvents(`2["hello"]`) // its offset is older than all that follows
	io.Of("/").Emit("before it was there")
	io.Of("/").To("late").Emit("before it was there")

	p := comeIn(dial(t, url), "/", "")
	s := receive(t, joined)
	p.expectEvents(`2["hello"]`)
	io.Of("/").To("late").Emit("before it joined")
	io.Of("/").Except("late").Emit("not to the room, before it joined")
	s.Join("late", "left")
	io.Of("/").To("late").Emit("afterwards")
	s.Leave("left")
	s.Join("left")
	for range 2 { // what was sent is lost on the way, twice
		p.conn.Close()
		<-s.Context().Done()
		p.offset = other.offset
		p = comeIn(dial(t, url), "/", p.claim())
		s = receive(t, joined)
		p.expectEvents(`2["hello"]`, `2["not to the room, before it joined"]`, `2["afterwards"]`)
	}
	io.Of("/").To("left").Emit("later")
	p.expectEvents(`2["later"]`)
}
