package sockets

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/relay"
	"sluice/sio"
	stock "sluice/sio/client"
	"sluice/sio/siotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is a server with the door, on a network in memory.
type place struct {
	hub *relay.Hub
	io  *sio.Server
	net *siotest.Server
}

func open(t *testing.T, hub *relay.Hub, limits Limits) *place {
	t.Helper()
	hub.Dir = t.TempDir()
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	io := &sio.Server{}
	(&Door{Hub: hub, Limits: limits}).Mount(io.Of("/"))
	p := &place{hub: hub, io: io, net: siotest.NewServer(io)}
	t.Cleanup(func() {
		p.net.Close()
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// peer is a client that remembers what it is told, in order.
type peer struct {
	t *testing.T
	*stock.Client
	told chan told
}

type told struct {
	event string
	head  struct {
		Stream, ID, Type, Code, Event, Message string
		State                                  relay.State
		Limit                                  float64
		Slowed                                 bool
		Offset, From, To                       int64
	}
	data []byte
}

func (p *place) connect(t *testing.T) *peer {
	t.Helper()
	c, err := stock.New("http://sluice", stock.Options{Transports: []string{stock.WebSocket}, DialContext: p.net.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	w := &peer{t: t, Client: c, told: make(chan told, 10_000)}
	c.OnUnknown(func(e *stock.Event) {
		n := told{event: e.Name}
		e.Decode(0, &n.head)
		if e.NumArgs() > 1 {
			e.Decode(1, &n.data)
		}
		w.told <- n
	})
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return w
}

// object is an argument.
type object = map[string]any

type answer struct {
	OK     bool
	ID     string
	Error  relay.Error
	Stream relay.Info
	Gaps   relay.Gaps
	Offset int64
}

// ask emits and returns the acknowledgement.
func (p *peer) ask(event string, args ...any) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	args2, err := p.EmitWithAck(ctx, event, args...)
	if err != nil {
		p.t.Fatalf("%s: %v", event, err)
	}
	return p.read(args2)
}

func (p *peer) read(args sio.Args) (a answer) {
	p.t.Helper()
	if err := args.Decode(0, &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// must is ask for what must be granted.
func (p *peer) must(event string, args ...any) answer {
	p.t.Helper()
	a := p.ask(event, args...)
	if !a.OK {
		p.t.Fatalf("%s %v: %v", event, args[0], a.Error)
	}
	return a
}

// until waits for an event, and returns it and what came before it.
func (p *peer) until(event string) (told, []told) {
	p.t.Helper()
	var before []told
	for {
		select {
		case n := <-p.told:
			if n.event == event {
				return n, before
			}
			before = append(before, n)
		case <-time.After(10 * time.Second):
			p.t.Fatalf("no %s came, but %+v", event, before)
		}
	}
}

// start emits, and leaves the acknowledgement for later.
func (p *peer) start(event string, args ...any) *stock.Pending {
	p.t.Helper()
	pending, err := p.Start(p.t.Context(), event, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return pending
}

func random(n int) []byte {
	p := make([]byte, n)
	rand.Read(p)
	return p
}

func TestChunksAreAcknowledgedThoughFinishFollowsAtOnce(t *testing.T) {
	ann := open(t, &relay.Hub{}, Limits{}).connect(t)
	for range 50 {
		id := ann.must("publish", object{"room": "r"}).Stream.ID
		chunk := ann.start("chunk", object{"stream": id, "offset": 0}, random(1000))
		finish := ann.start("finish", object{"stream": id})
		for _, pending := range []*stock.Pending{chunk, finish} {
			args, err := pending.Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if a := ann.read(args); !a.OK {
				t.Fatalf("refused: %v", a.Error)
			}
		}
	}
}

func TestFinishHoldsThoughTheClientLeavesAtOnce(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	bob := p.connect(t)
	bob.must("join", object{"room": "r"})
	for range 30 {
		ann := p.connect(t)
		id := ann.must("publish", object{"room": "r"}).Stream.ID
		ann.Emit("chunk", object{"stream": id, "offset": 0}, random(1000))
		ann.Emit("finish", object{"stream": id})
		ann.Close()
		if end, _ := bob.until("end"); end.head.State != relay.Ended {
			t.Fatalf("the stream is %s", end.head.State)
		}
	}
}

func TestStreamIsToldOnceItsTypeIsKnown(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	ann, bob, eve := p.connect(t), p.connect(t), p.connect(t)
	eve.must("join", object{"room": "r"})
	id := ann.must("publish", object{"room": "r"}).Stream.ID
	bob.must("subscribe", object{"stream": id})
	png := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"), random(9000)...)
	ann.must("chunk", object{"stream": id, "offset": 0}, png)
	for name, who := range map[string]*peer{"bob": bob, "eve": eve} {
		if begun, before := who.until("stream"); begun.head.Type != "image/png" || len(before) > 0 {
			t.Errorf("%s was told of type %q, after %v", name, begun.head.Type, before)
		}
	}
	ann.must("finish", object{"stream": id})
	late := p.connect(t)
	late.must("subscribe", object{"stream": id})
	if begun, _ := late.until("stream"); begun.head.State != relay.Ended || begun.head.Offset != int64(len(png)) {
		t.Errorf("a late reader was told of a stream that is %s at %d", begun.head.State, begun.head.Offset)
	}
}

func TestAReaderCutByADeleteIsNotToldOfAGoodEnd(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	ann, bob, slow := p.connect(t), p.connect(t), p.connect(t)
	bob.must("join", object{"room": "r"})
	id := ann.must("send", object{"room": "r"}, random(800_000)).Stream.ID
	bob.until("end")
	slow.must("subscribe", object{"stream": id, "window": 1})
	slow.until("chunk")
	ann.must("delete", object{"stream": id})
	slow.Emit("credit", object{"stream": id, "offset": 256 << 10})
	end, before := slow.until("end")
	if end.head.State != relay.Cancelled {
		t.Errorf("after %d more events the stream is %s", len(before), end.head.State)
	}
}

func TestWhoResumesIsNotSentItsOwnChunks(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	spec := object{"room": "r", "key": "k"}
	first := p.connect(t)
	id := first.must("publish", spec).Stream.ID
	first.must("chunk", object{"stream": id, "offset": 0}, random(5000))
	first.Close()
	for _, joinFirst := range []bool{true, false} {
		again := p.connect(t)
		if joinFirst {
			again.must("join", object{"room": "r", "from": "none"})
			again.must("join", object{"room": "r"})
		}
		got := again.must("publish", spec)
		if got.Stream.From != again.ID() {
			t.Errorf("the stream is from %s; want %s", got.Stream.From, again.ID())
		}
		if !joinFirst {
			again.must("join", object{"room": "r"})
		}
		for len(again.told) > 0 {
			<-again.told // what came before it was the publisher
		}
		again.must("chunk", object{"stream": id, "offset": got.Offset}, random(5000))
		again.must("list", object{"room": "r"})
		for len(again.told) > 0 {
			if n := <-again.told; n.event == "chunk" && n.head.Offset >= got.Offset {
				t.Errorf("joined before: %v; it was sent its own chunk at %d", joinFirst, n.head.Offset)
			}
		}
		again.Close()
	}
}

func TestStreamsThatFailedDoNotCountAsPublished(t *testing.T) {
	ann := open(t, &relay.Hub{}, Limits{Publishing: 3}).connect(t)
	for range 10 {
		id := ann.must("publish", object{"room": "r", "size": 10}).Stream.ID
		if a := ann.ask("chunk", object{"stream": id, "offset": 0}, random(20)); a.Error.Code != relay.Conflict {
			t.Fatalf("too much: %+v", a)
		}
	}
	for range 3 {
		ann.must("publish", object{"room": "r"})
	}
	if a := ann.ask("publish", object{"room": "r"}); a.Error.Code != relay.TooMany || a.Error.Limit != 3 {
		t.Errorf("a fourth: %+v", a)
	}
}

func TestMetaCannotPassForAnAttachment(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	ann, bob := p.connect(t), p.connect(t)
	bob.must("join", object{"room": "r", "deliver": "whole"})
	for _, meta := range []string{`{"_placeholder":true,"num":7}`, `[{"a":{"_pl\u0061ceholder":true,"num":0}}]`} {
		if a := ann.ask("publish", object{"room": "r", "meta": json.RawMessage(meta)}); a.Error.Code != relay.BadRequest {
			t.Errorf("meta %s: %+v", meta, a)
		}
	}
	good := object{"a": "_placeholder", "b": object{"num": 1}}
	id := ann.must("publish", object{"room": "r", "meta": good}).Stream.ID
	ann.must("chunk", object{"stream": id, "offset": 0}, []byte("hello"))
	ann.must("finish", object{"stream": id})
	if whole, _ := bob.until("media"); string(whole.data) != "hello" {
		t.Errorf("media = %+v", whole)
	}
}

func TestWhatIsSkippedNeedsNoCredit(t *testing.T) {
	p := open(t, &relay.Hub{Limits: relay.Limits{BehindBytes: 300 << 10}}, Limits{})
	ann, bob := p.connect(t), p.connect(t)
	id := ann.must("publish", object{"room": "r", "kind": "live"}).Stream.ID
	ann.must("chunk", object{"stream": id, "offset": 0}, random(5000))
	bob.must("subscribe", object{"stream": id, "from": 0, "window": 100_000})
	bob.until("chunk")
	at := int64(5000)
	for i := range 10 {
		ann.must("chunk", object{"stream": id, "offset": at}, random(200_000))
		at += 200_000
		if i == 0 {
			bob.until("chunk") // the window was open for one
		}
	}
	bob.Emit("credit", object{"stream": id, "offset": 205_000})
	bob.until("gap")
	bob.until("chunk") // though nothing of the gap was credited
	ann.must("finish", object{"stream": id})
}

func TestNewsForAClientThatDoesNotReadIsBounded(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{Reading: 10})
	bob := p.connect(t)
	bob.must("join", object{"room": "r"})
	c := p.io.Of("/").Socket(bob.ID()).Data().(*client)
	c.lock()
	for i := range 1000 {
		c.Deleted("r", fmt.Sprint(i))
	}
	c.newsMu.Lock()
	waiting := len(c.news)
	c.newsMu.Unlock()
	c.unlock()
	if waiting > 10 {
		t.Errorf("%d pieces of news wait; want 10", waiting)
	}
	if n, _ := bob.until("problem"); n.head.Code != string(relay.TooMany) {
		t.Errorf("problem = %+v", n.head)
	}
}

func TestAnAttachmentThatIsRefusedIsNotKept(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	ann := p.connect(t)
	if a := ann.ask("send", object{"room": strings.Repeat("r", 300)}, bytes.Repeat([]byte("x"), 500_000)); a.Error.Code != relay.TooLarge {
		t.Errorf("%+v", a)
	}
	ann.must("send", object{"room": "r"}, []byte("x"))
}

func TestWhoJoinsAtTheSameTimeKnowsOfEachOther(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{Rooms: 1000})
	peers := []*peer{p.connect(t), p.connect(t), p.connect(t), p.connect(t)}
	for round := range 200 {
		room := object{"room": fmt.Sprint(round)}
		var joins []*stock.Pending
		for _, who := range peers {
			joins = append(joins, who.start("join", room))
		}
		for i, who := range peers {
			knows := map[string]bool{}
			args, err := joins[i].Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var view struct{ Members []struct{ ID string } }
			if err := args.Decode(0, &view); err != nil {
				t.Fatal(err)
			}
			for _, m := range view.Members {
				knows[m.ID] = true
			}
			for len(knows) < len(peers) {
				n, _ := who.until("member")
				knows[n.head.ID] = true
			}
		}
		for _, who := range peers {
			who.must("leave", room)
		}
		for _, who := range peers {
			for who.must("list", room); len(who.told) > 0; {
				<-who.told
			}
		}
	}
}

func TestMembersWhoAreBusyWhenALiveStreamBeginsMissNothingOfIt(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	watcher, publisher := p.connect(t), p.connect(t)
	id := watcher.must("join", object{"room": "studio"}).ID
	busy := p.io.Of("/").To(id).Sockets()[0].Data().(*client)
	busy.lock() // it pulls nothing
	st := publisher.must("publish", object{"room": "studio", "kind": "live"}).Stream
	content := bytes.Repeat([]byte("sound"), 2000)
	publisher.must("chunk", object{"stream": st.ID, "offset": 0}, content)
	busy.unlock()
	first, before := watcher.until("chunk")
	for _, n := range before {
		if n.event == "gap" {
			t.Errorf("a gap came first, from %d to %d", n.head.From, n.head.To)
		}
	}
	if first.head.Offset != 0 || !bytes.HasPrefix(content, first.data) {
		t.Errorf("the first chunk is at %d", first.head.Offset)
	}
	publisher.must("cancel", object{"stream": st.ID})
}

func TestAPublisherIsToldThatAReaderWaitsForAKeyChunk(t *testing.T) {
	webm, err := os.ReadFile("../testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, &relay.Hub{}, Limits{})
	publisher, watcher, late := p.connect(t), p.connect(t), p.connect(t)
	watcher.must("join", object{"room": "studio"})
	st := publisher.must("publish", object{"room": "studio", "kind": "live"}).Stream
	cluster := bytes.Index(webm, []byte{0x1f, 0x43, 0xb6, 0x75})
	publisher.must("chunk", object{"stream": st.ID, "offset": 0}, webm[:cluster]) // the init segment
	watcher.until("chunk")
	late.must("subscribe", object{"stream": st.ID})
	if told, _ := publisher.until("keyframe"); told.head.Stream != st.ID {
		t.Errorf("asked for a key chunk of %q", told.head.Stream)
	}
	publisher.must("cancel", object{"stream": st.ID})
}

func TestAPublisherIsToldWhatItsReadersWereNotGiven(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	publisher, late := p.connect(t), p.connect(t)
	st := publisher.must("publish", object{"room": "studio", "kind": "live"}).Stream
	publisher.must("chunk", object{"stream": st.ID, "offset": 0}, bytes.Repeat([]byte("sound"), 2000))
	late.must("subscribe", object{"stream": st.ID})
	late.until("gap")
	a := publisher.must("finish", object{"stream": st.ID})
	if want := (relay.Gaps{relay.Joined: {Gaps: 1, Bytes: 10_000}}); !maps.Equal(a.Gaps, want) {
		t.Errorf("the ack has %v; want %v", a.Gaps, want)
	}
}

// shut is an archive that takes nothing yet.
type shut struct{ relay.Archive }

func (shut) KeepFrom() int64    { return math.MaxInt64 }
func (shut) Keep(*relay.Stream) {}

func TestAPublisherIsToldFromWhereOnItIsNotKept(t *testing.T) {
	p := open(t, &relay.Hub{Archive: shut{}, Limits: relay.Limits{SpoolBytes: 250_000}}, Limits{})
	publisher, watcher := p.connect(t), p.connect(t)
	watcher.must("join", object{"room": "studio"})
	st := publisher.must("publish", object{"room": "studio", "kind": "live"}).Stream
	sound := bytes.Repeat([]byte("sound"), 20_000)
	for i := range 5 {
		publisher.must("chunk", object{"stream": st.ID, "offset": i * len(sound)}, sound)
	}
	told, _ := publisher.until("problem")
	if told.head.Code != string(relay.Unavailable) || told.head.Stream != st.ID || !strings.Contains(told.head.Message, "from byte 200000 on") {
		t.Errorf("the publisher is told %+v; want from where on", told.head)
	}
	for at := int64(0); at < 500_000; {
		c, _ := watcher.until("chunk")
		if c.head.Offset != at {
			t.Fatalf("a chunk at %d; want it at %d: all is relayed", c.head.Offset, at)
		}
		at += int64(len(c.data))
	}
	end := publisher.must("finish", object{"stream": st.ID}).Stream
	if *end.Size != 500_000 {
		t.Errorf("it ends with %d bytes; want all that was relayed", *end.Size)
	}
}
