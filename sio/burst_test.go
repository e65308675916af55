package sio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/sio"
	"sluice/sio/siotest"
)

// troupe are clients of a server in memory, whose handlers do what a test says.
type troupe struct {
	t       *testing.T
	srv     *siotest.Server
	peers   []*peer
	sockets []*sio.Socket // of the peers

	parts map[string]chan func(e *sio.Event) // by socket: what the handlers of its next events do
}

// gather calls test with clients that have joined, in a bubble.
func gather(t *testing.T, io *sio.Server, clients int, test func(tr *troupe)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(newTroupe(t, io, clients))
	})
}

func newTroupe(t *testing.T, io *sio.Server, clients int) *troupe {
	t.Helper()
	tr := &troupe{t: t, srv: siotest.NewServer(io), parts: make(map[string]chan func(e *sio.Event))}
	t.Cleanup(tr.srv.Close)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		tr.sockets = append(tr.sockets, s)
		tr.parts[s.ID()] = make(chan func(*sio.Event), 1000)
	})
	io.Of("/").On("do", func(e *sio.Event) { (<-tr.parts[e.Socket.ID()])(e) })
	for range clients {
		p := joinMemory(t, tr.srv)
		t.Cleanup(func() { p.conn.Close() })
		tr.peers = append(tr.peers, p)
		synctest.Wait()
	}
	return tr
}

// press has the handlers of a client's next events do things, while in every one but the last the next event waits already. It
// returns when nothing more happens without time passing.
func (tr *troupe) press(client int, do ...func(e *sio.Event)) {
	tr.prepare(client, do...)()
	synctest.Wait()
}

// prepare is press up to where everything waits for begin to be called.
func (tr *troupe) prepare(client int, do ...func(e *sio.Event)) (begin func()) {
	gate := make(chan struct{})
	parts := tr.parts[tr.sockets[client].ID()]
	parts <- func(*sio.Event) { <-gate }
	for _, f := range do {
		parts <- f
	}
	tr.peers[client].send(`2["do"]`)
	for range do {
		tr.peers[client].send(fmt.Sprintf(`2%d["do"]`, client))
	}
	synctest.Wait()
	return func() { close(gate) }
}

// others emits to all other clients.
func others(event string, args ...any) func(e *sio.Event) {
	return func(e *sio.Event) { e.Socket.Broadcast().Emit(event, args...) }
}

func nothing(*sio.Event) {}

func TestWhatIsHeldBackWaits5msForAHandlerThatBlocks(t *testing.T) {
	gather(t, &sio.Server{}, 2, func(tr *troupe) {
		returns := make(chan struct{})
		begin := time.Now()
		tr.press(0, others("n", 1), func(e *sio.Event) {
			e.Socket.Broadcast().Emit("n", 2)
			<-returns
		}, nothing)
		if took := time.Since(begin); took != 0 {
			t.Errorf("%v have passed", took)
		}
		tr.peers[1].expect(`2["n",1]`, `2["n",2]`)
		if took := time.Since(begin); took != 5*time.Millisecond {
			t.Errorf("it came after %v; want 5 ms", took)
		}
		close(returns)
	})
}

func TestNothingIsHeldBackWhenNoFurtherEventWaits(t *testing.T) {
	gather(t, &sio.Server{}, 2, func(tr *troupe) {
		returns := make(chan struct{})
		begin := time.Now()
		tr.press(0, others("n", 1), func(e *sio.Event) {
			e.Socket.Broadcast().Emit("n", 2)
			<-returns
		})
		tr.peers[1].expect(`2["n",1]`, `2["n",2]`)
		tr.press(1, nothing, func(e *sio.Event) { e.Socket.To(tr.sockets[0].ID()).Emit("n", 3) })
		close(returns)
		tr.peers[0].expect(`2["n",3]`)
		if took := time.Since(begin); took != 0 {
			t.Errorf("it came after %v; want it at once", took)
		}
	})
}

// script is what handlers of two clients do in turns, at random, by a seed.
type script struct {
	tr     *troupe
	random *rand.Rand
	said   int
}

var scriptRooms = []string{"a", "b", "c"}

// step is one thing that a handler of a client's does. Others do nothing meanwhile.
func (sc *script) step(client int) func(e *sio.Event) {
	rooms := scriptRooms[:1+sc.random.IntN(2)]
	if sc.random.IntN(2) == 0 {
		rooms = scriptRooms[1:2]
	}
	other := sc.random.IntN(len(sc.tr.sockets))
	sc.said++
	args := []any{sc.said}
	if sc.random.IntN(4) == 0 {
		args = append(args, []byte(strings.Repeat("b", sc.random.IntN(3000))))
	}
	s := func() *sio.Socket { return sc.tr.sockets[client] }
	to := func() *sio.Socket { return sc.tr.sockets[other] }
	ns := func() *sio.Namespace { return s().Namespace() }
	switch what := sc.random.IntN(100); {
	case what < 40:
		return func(*sio.Event) { s().To("a").Emit("often", args...) }
	case what < 55:
		return func(*sio.Event) { s().To(rooms...).Emit("to", args...) }
	case what < 60:
		return func(*sio.Event) { s().Except(rooms...).Emit("except", args...) }
	case what < 65:
		return func(*sio.Event) { s().To(rooms...).Compress(false).Emit("plain", args...) }
	case what < 70:
		return func(*sio.Event) { ns().To(rooms...).Emit("nobody's", args...) }
	case what < 80:
		return func(*sio.Event) { to().Emit("alone", args...) }
	case what < 85:
		return func(*sio.Event) { to().Join(rooms...) }
	case what < 90:
		return func(*sio.Event) { to().Leave(rooms...) }
	case what < 93:
		return func(e *sio.Event) { e.Ack(args...) }
	case what < 95 && other > 1:
		return func(*sio.Event) { to().Disconnect(false) }
	}
	return nothing
}

// play plays the script of a seed with some clients, and returns what each of them was sent. pressed: all events of both clients
// have come before the first is handled; else each is handled before the next comes.
func play(t *testing.T, seed uint64, pressed bool) (heard [][]string) {
	const clients, steps = 6, 60
	gather(t, &sio.Server{MaxQueuedBytes: 8 << 20}, clients, func(tr *troupe) {
		for i, s := range tr.sockets {
			s.Join(scriptRooms[:1+i%3]...)
		}
		heard = make([][]string, clients)
		var readers sync.WaitGroup
		for i, p := range tr.peers {
			readers.Go(func() {
				for got, err := p.tryRead(); err == nil; got, err = p.tryRead() {
					heard[i] = append(heard[i], got[:min(len(got), 60)])
				}
			})
		}
		sc := &script{tr: tr, random: rand.New(rand.NewPCG(seed, 0))}
		var parts [2][]func(*sio.Event)
		turn := make(chan struct{})
		close(turn)
		for range steps {
			client := sc.random.IntN(2)
			do, mine, next := sc.step(client), turn, make(chan struct{})
			part := func(e *sio.Event) {
				<-mine
				do(e)
				close(next)
			}
			turn = next
			parts[client] = append(parts[client], part)
			if !pressed {
				tr.press(client, part)
			}
		}
		if pressed {
			first, second := tr.prepare(0, append(parts[0], nothing)...), tr.prepare(1, append(parts[1], nothing)...)
			first()
			second()
			synctest.Wait()
		}
		for _, p := range tr.peers {
			p.conn.Close()
		}
		readers.Wait()
	})
	return heard
}

// Two clients, whose handlers take turns: what one of them does may be because of what the other did.
func TestNobodyCanTellThatSomethingWasHeldBack(t *testing.T) {
	for seed := range uint64(12) {
		want, got := play(t, seed, false), play(t, seed, true)
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Fatalf("seed %d: client %d was sent\n%q; want\n%q", seed, i, got[i], want[i])
			}
		}
	}
}

// The one is sent by whatever else is emitted to others at that moment.
func TestWhatIsEmittedNextDoesNotOvertakeWhatIsHeldBack(t *testing.T) {
	const clients, events = 30, 120
	io := &sio.Server{MaxQueuedBytes: 8 << 20, MaxPendingBytes: 8 << 20}
	var first *sio.Socket
	srv := siotest.NewServer(io)
	defer srv.Close()
	peers := make([]*peer, clients)
	for i := range peers {
		peers[i] = joinMemory(t, srv)
		if i == 0 {
			first = io.Of("/").Sockets()[0]
		}
	}
	text := strings.Repeat("x", 500)
	io.Of("/").On("n", func(e *sio.Event) {
		e.Socket.Broadcast().Emit("held", e.Raw(0), text)
		for range rand.IntN(20) { // others may come to send it
			runtime.Gosched()
		}
		first.Emit("next", e.Raw(0))
	})
	rest, over := io.Of("/").Except(first.ID()), make(chan struct{})
	var all sync.WaitGroup
	for _, p := range peers[1:] {
		all.Go(func() {
			for _, err := p.tryRead(); err == nil; _, err = p.tryRead() {
			}
		})
	}
	all.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				rest.Volatile().Emit("meanwhile")
			}
		}
	})
	all.Go(func() {
		for i := range events {
			peers[1].send(fmt.Sprintf(`2["n",%d]`, i))
		}
	})
	for i := range events {
		peers[0].expect(fmt.Sprintf(`2["held",%d,"%s"]`, i, text), fmt.Sprintf(`2["next",%d]`, i))
	}
	close(over)
	for _, p := range peers[1:] {
		p.conn.Close()
	}
	all.Wait()
}

func TestWhatIsHeldBackGoesBeforeWhatASourceHas(t *testing.T) {
	gather(t, &sio.Server{}, 2, func(tr *troupe) {
		source := &once{}
		tr.sockets[1].SetSource(source)
		tr.press(0, func(e *sio.Event) {
			e.Socket.Broadcast().Emit("n", 1)
			source.p = sio.Prepare("pulled")
			tr.sockets[1].Wake()
			e.Socket.Broadcast().Emit("n", 2)
		}, nothing)
		tr.peers[1].expect(`2["n",1]`)
		if a, b := tr.peers[1].next(), tr.peers[1].next(); !slices.Contains([]string{a, b}, `2["n",2]`) {
			t.Errorf("then came %s and %s", a, b)
		}
	})
}

// Each by itself would have been on its way before the next came.
func TestARunOfEventsIsNoMoreThanAQueueTakes(t *testing.T) {
	for name, io := range map[string]*sio.Server{
		"packets":      {MaxQueuedPackets: 3, CloseSlow: true},
		"more packets": {MaxQueuedPackets: 16, CloseSlow: true},
		"bytes":        {MaxQueuedBytes: 40_000, CloseSlow: true},
	} {
		t.Run(name, func(t *testing.T) {
			gather(t, io, 2, func(tr *troupe) {
				small, large := strings.Repeat("s", 9000), strings.Repeat("l", 39_000)
				if name != "bytes" {
					small, large = "s", "l"
				}
				var do []func(*sio.Event)
				for range 10 {
					for _, text := range []string{small, large} {
						do = append(do, func(e *sio.Event) {
							others("n", text)(e)
							synctest.Wait() // the client has got it, if it was sent
						})
					}
				}
				tr.prepare(0, append(do, nothing)...)()
				for range 10 {
					tr.peers[1].expect(`2["n","`+small+`"]`, `2["n","`+large+`"]`)
				}
				if got := io.Stats().Dropped; got != 0 {
					t.Errorf("%d were dropped", got)
				}
			})
		})
	}
}

func TestOfARunOfEventsAStalledClientGetsWhatFits(t *testing.T) {
	io := &sio.Server{MaxQueuedBytes: 4000}
	gather(t, io, 3, func(tr *troupe) {
		stalled, other := tr.sockets[1], tr.peers[2]
		stalled.Emit("held")
		synctest.Wait() // the transport has it, and is stuck with it
		stalled.Emit("queued", strings.Repeat("x", 3300))
		tr.press(0, others("n", 1), others("n", strings.Repeat("y", 600)), others("n", 3), others("n", 4))
		other.expect(`2["n",1]`, `2["n","`+strings.Repeat("y", 600)+`"]`, `2["n",3]`, `2["n",4]`)
		tr.peers[1].expect(`2["held"]`, `2["queued","`+strings.Repeat("x", 3300)+`"]`, `2["n",1]`, `2["n",3]`, `2["n",4]`)
		if got := io.Stats().Dropped; got != 1 {
			t.Errorf("%d were dropped; want 1", got)
		}
	})
}

func TestAClientThatIsTooSlowForWhatWasHeldBackIsCutOff(t *testing.T) {
	io := &sio.Server{MaxQueuedPackets: 8, CloseSlow: true}
	gather(t, io, 3, func(tr *troupe) {
		stalled, reads := tr.sockets[1], tr.sockets[2]
		stalled.Emit("held")
		synctest.Wait() // the transport has it, and is stuck with it
		tr.prepare(0, append(slices.Repeat([]func(*sio.Event){others("n")}, 8), others("n", "one too many"))...)()
		for range 8 {
			tr.peers[2].expect(`2["n"]`)
		}
		tr.peers[2].expect(`2["n","one too many"]`)
		<-stalled.Context().Done()
		if !reads.Connected() || io.Stats().Disconnects["too slow"] != 1 {
			t.Errorf("the other one is connected: %v; Disconnects %v", reads.Connected(), io.Stats().Disconnects)
		}
	})
}

func TestAHandlerThatFailsOfWhatWasHeldBackEndsNothingElse(t *testing.T) {
	for name, fail := range map[string]func(){"a panic": func() { panic("of a test") }, "Goexit": goexit} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{Logger: quiet()}
			gather(t, io, 4, func(tr *troupe) {
				for _, s := range tr.sockets[1:3] {
					s.OnAnyOutgoing(func(*sio.Prepared) { fail() })
				}
				returns := make(chan struct{})
				tr.press(0, others("n", 1), func(*sio.Event) { <-returns }, nothing)
				for _, p := range tr.peers[1:] { // after 5 ms
					p.expect(`2["n",1]`)
				}
				close(returns)
				tr.peers[0].answerUntilClosed()
				io.Of("/").To(tr.sockets[3].ID()).Emit("n", 2)
				tr.peers[3].expect(`2["n",2]`)
			})
		})
	}
}

func TestWhatIsHeldBackIsSentWhateverBecomesOfItsOrigin(t *testing.T) {
	for name, end := range map[string]func(tr *troupe, s *sio.Socket){
		"it is disconnected":           func(_ *troupe, s *sio.Socket) { s.Disconnect(false) },
		"its connection is closed":     func(_ *troupe, s *sio.Socket) { s.Disconnect(true) },
		"a handler panics":             func(*troupe, *sio.Socket) { panic("of a test") },
		"a handler ends its goroutine": func(*troupe, *sio.Socket) { goexit() },
		"its client has gone":          func(tr *troupe, _ *sio.Socket) { tr.peers[0].conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			gather(t, &sio.Server{Logger: quiet()}, 2, func(tr *troupe) {
				tr.press(0, func(e *sio.Event) {
					e.Socket.Broadcast().Emit("last", "words")
					end(tr, e.Socket)
				}, nothing)
				tr.peers[1].expect(`2["last","words"]`)
			})
		})
	}
}

func TestWhatIsHeldBackIsSentBeforeAnEnd(t *testing.T) {
	for name, end := range map[string]func(tr *troupe){
		"of the recipient's socket":     func(tr *troupe) { tr.sockets[1].Disconnect(false) },
		"of the recipient's connection": func(tr *troupe) { tr.sockets[1].Disconnect(true) },
		"of everybody's":                func(tr *troupe) { tr.sockets[0].Namespace().DisconnectSockets(true) },
		"of the server":                 func(tr *troupe) { go tr.srv.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			gather(t, &sio.Server{Logger: quiet()}, 2, func(tr *troupe) {
				before := make(chan []string)
				go func() {
					got, _ := tr.peers[1].expectClosed()
					before <- got
				}()
				go tr.peers[0].answerUntilClosed()
				tr.press(0, func(e *sio.Event) {
					e.Socket.Broadcast().Emit("last", "words")
					end(tr)
				}, nothing)
				if name == "of the recipient's socket" {
					synctest.Wait()
					tr.peers[1].conn.Close()
				}
				if got := <-before; len(got) == 0 || got[0] != `42["last","words"]` {
					t.Errorf("got %q before the end", got)
				}
			})
		})
	}
}

func TestClientsOfAllKindsAreSentWhatWasHeldBack(t *testing.T) {
	io := &sio.Server{AllowEIO3: true}
	gather(t, io, 3, func(tr *troupe) {
		packed := dialMemory(tr.t, tr.srv)
		packed.sendBinary(pack(t, `0`))
		packed.next()
		synctest.Wait()
		tr.press(0, others("n", 1), others("n", []byte("x")), others("n", 3))
		packed.expectPacked(`2["n",1]`)
		packed.expectPacked(`51-["n"`+placeholders(1)+`]`, "x")
		packed.expectPacked(`2["n",3]`)
		for _, p := range tr.peers[1:] {
			p.expect(`2["n",1]`, `51-["n"`+placeholders(1)+`]`, "b:x", `2["n",3]`)
		}
	})
}

// An Audience can be kept and used from any goroutine, with its origin busy or gone.
func TestAnAudienceOfASocketMayBeUsedBesideItsHandlers(t *testing.T) {
	const events = 50
	gather(t, &sio.Server{}, 2, func(tr *troupe) {
		audience := tr.sockets[0].Broadcast()
		var emitting sync.WaitGroup
		for from := range 3 {
			emitting.Go(func() {
				for i := range events {
					audience.Emit("n", from, i)
				}
			})
		}
		do := make([]func(*sio.Event), events)
		for i := range do {
			do[i] = others("n", 3, i)
		}
		begin := tr.prepare(0, do...)
		begin()
		var next [4]int
		for range 4 * events {
			var from, i int
			got := tr.peers[1].next()
			if _, err := fmt.Sscanf(got, `2["n",%d,%d]`, &from, &i); err != nil || i != next[from] {
				t.Fatalf("got %s; want number %d", got, next[from])
			}
			next[from]++
		}
		emitting.Wait()
		tr.sockets[0].Disconnect(true)
		tr.peers[0].expectClosed()
		audience.Emit("after")
		tr.peers[1].expect(`2["after"]`)
	})
}

func TestWhoIsToldOfEventsIsToldOfThoseThatWereHeldBack(t *testing.T) {
	gather(t, &sio.Server{}, 2, func(tr *troupe) {
		var told []string
		s := tr.sockets[1]
		s.OnAnyOutgoing(func(p *sio.Prepared) {
			told = append(told, p.Name())
			if p.Name() == "first" {
				s.Emit("because of it")
			}
		})
		tr.press(0, others("first"), others("second"), others("third"))
		tr.peers[1].expect(`2["first"]`, `2["second"]`, `2["third"]`, `2["because of it"]`)
		synctest.Wait()
		if want := []string{"first", "because of it", "second", "third"}; !slices.Equal(told, want) {
			t.Errorf("told of %q; want %q", told, want)
		}
	})
}

// It has the time there is for those for whom something waits, not that of those who may never come again.
func TestAPollingClientIsSentWhatWasHeldBackAtShutdown(t *testing.T) {
	io := &sio.Server{}
	gather(t, io, 1, func(tr *troupe) {
		c := tr.srv.Client()
		defer c.CloseIdleConnections()
		poller := joinPolling(tr.t, c, tr.srv.URL)
		synctest.Wait()
		go tr.peers[0].answerUntilClosed()
		tr.prepare(0, func(e *sio.Event) {
			e.Socket.Broadcast().Emit("last", "words")
			go io.Shutdown(context.Background())
			<-time.After(time.Millisecond)
		}, nothing)()
		<-time.After(2 * time.Second)
		if got := poller.get(); len(got) == 0 || got[0] != `42["last","words"]` {
			t.Errorf("got %q", got)
		}
	})
}
