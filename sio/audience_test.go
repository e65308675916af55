package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/sio"
	"sluice/sio/client"
	"sluice/sio/siotest"
)

func TestVolatileEventsNeverWaitBehindAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		p.send(`0`)
		p.next()
		synctest.Wait() // the server has seen that its answer was read
		ns := io.Of("/")
		s := ns.Sockets()[0]
		if err := s.Volatile().Emit("fresh", 1); err != nil {
			t.Error(err)
		}
		p.expect(`2["fresh",1]`)
		synctest.Wait()

		ns.Emit("held", 2)
		synctest.Wait() // nobody reads: it is on its way, and does not arrive
		for i := range 5 {
			if err := errors.Join(s.Volatile().Emit("stale", i), ns.Volatile().Emit("stale", i), ns.To(s.ID()).Volatile().Emit("stale", i)); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Volatile().EmitWithAck(t.Context(), "stale"); err != sio.ErrQueueFull {
			t.Errorf("EmitWithAck = %v; want ErrQueueFull", err)
		}
		ns.Emit("last")
		s.Volatile().Emit("stale")
		p.expect(`2["held",2]`, `2["last"]`)
		if got := io.Stats(); got.Volatile != 17 || got.Dropped > 0 {
			t.Errorf("dropped as volatile: %d, otherwise: %d; want 17 and 0", got.Volatile, got.Dropped)
		}
		p.conn.Close()
	})
}

func TestAnAudienceAcknowledges(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, _ := member(t, url, `["red"]`)
	b, _ := member(t, url, `["red"]`)
	member(t, url, `["blue"]`)
	acks := make(chan []sio.Args)
	go func() {
		got, err := io.Of("/").To("red").EmitWithAck(t.Context(), "question", []byte("q"))
		if err != nil {
			t.Error(err)
		}
		acks <- got
	}()
	for i, p := range []*peer{a, b} {
		p.expect(`51-0["question",{"_placeholder":true,"num":0}]`, `b:q`)
		p.send(`61-0[{"_placeholder":true,"num":0}]`)
		p.sendBinary(fmt.Sprint("answer ", i))
		p.send(`30["twice"]`)
	}
	var got []string
	for _, ack := range receive(t, acks) {
		var data []byte
		if err := ack.Decode(0, &data); err != nil {
			t.Error(err)
		}
		got = append(got, string(data))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"answer 0", "answer 1"}) {
		t.Errorf("acks %q", got)
	}
	if none, err := io.Of("/").To("green").EmitWithAck(t.Context(), "question"); err != nil || len(none) != 0 {
		t.Errorf("of nobody: %v, %v", none, err)
	}
	if _, err := io.Of("/").EmitWithAck(t.Context(), "disconnect"); err == nil {
		t.Error("a reserved name was emitted")
	}
}

func TestAcksThatDoNotComeInTimeAreMissing(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, _ := member(t, url, `["red"]`)
	member(t, url, `["red"]`)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.expect(`20["question"]`)
		a.send(`30["in time"]`)
	}()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		<-answered
		a.send(`21["join",[]]`) // is acknowledged after the ack has been taken
		a.next()
		cancel(enough)
	}()
	acks, err := io.Of("/").EmitWithAck(ctx, "question")
	var missing *sio.AckError
	if !errors.As(err, &missing) || missing.Missing != 1 || missing.Event != "question" || !errors.Is(err, enough) {
		t.Errorf("err = %v; want an AckError with 1 missing", err)
	}
	if len(acks) != 1 || string(acks[0].Raw(0)) != `"in time"` {
		t.Errorf("acks %v", acks)
	}
	acks, err = io.Of("/").Timeout(time.Millisecond).EmitWithAck(t.Context(), "question")
	if !errors.As(err, &missing) || missing.Missing != 2 || !errors.Is(err, context.DeadlineExceeded) || len(acks) != 0 {
		t.Errorf("after the timeout: %v, %v", acks, err)
	}
}

func TestWhoDisconnectsIsNotWaitedFor(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, _ := member(t, url, `["red"]`)
	b, _ := member(t, url, `["red"]`)
	go func() {
		b.expect(`20["question"]`)
		b.conn.Close()
		a.expect(`20["question"]`)
		a.send(`30[]`)
	}()
	acks, err := io.Of("/").To("red").EmitWithAck(t.Context(), "question")
	if err != nil || len(acks) != 1 {
		t.Errorf("acks %v, %v; want one", acks, err)
	}
}

func TestAcksAreGatheredWhileClientsComeAndGo(t *testing.T) {
	io := &sio.Server{}
	url := serve(t, io)
	ctx, cancel := context.WithCancel(t.Context())
	var clients, askers sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				c, err := client.Dial(ctx, url, client.Options{Transports: []string{client.WebSocket}})
				if err != nil {
					continue // the test is over
				}
				if i > 0 {
					c.On("question", func(e *client.Event) { e.Ack(i) })
				}
				c.EmitWithAck(ctx, "stay a while")
				c.Close()
			}
		})
	}
	var asked atomic.Int32
	io.Of("/").On("stay a while", func(e *sio.Event) {
		for enough := asked.Load() + 3; asked.Load() < enough && e.Socket.Connected() && ctx.Err() == nil; {
			e.Socket.Timeout(time.Millisecond).EmitWithAck(ctx, "question")
		}
		e.Ack()
	})
	for range 4 {
		askers.Go(func() {
			for range 50 {
				acks, err := io.Of("/").Timeout(5*time.Millisecond).EmitWithAck(ctx, "question")
				var missing *sio.AckError
				if err != nil && (!errors.As(err, &missing) || len(acks)+missing.Missing > 4) {
					t.Errorf("%d acks, %v", len(acks), err)
				}
				asked.Add(1)
			}
		})
	}
	askers.Wait()
	cancel()
	clients.Wait()
}

func TestASocketsTimeoutBoundsItsAck(t *testing.T) {
	io := &sio.Server{}
	join(t, serve(t, io), "/")
	s := io.Of("/").Sockets()[0]
	if _, err := s.Timeout(time.Millisecond).Compress(false).EmitWithAck(t.Context(), "question"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v; want context.DeadlineExceeded", err)
	}
}

func TestSocketsAreFetchedAndCommanded(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, idA := member(t, url, `["red","blue"]`)
	_, idB := member(t, url, `["blue"]`)
	ns := io.Of("/")
	ns.Socket(idA).SetData(map[string]int{"age": 7})
	sockets, err := ns.To("red").FetchSockets(t.Context())
	if err != nil || len(sockets) != 1 {
		t.Fatalf("FetchSockets = %v, %v", sockets, err)
	}
	s := sockets[0]
	var data struct{ Age int }
	if err := s.Decode(&data); err != nil || data.Age != 7 || s.ID != idA || !slices.Equal(s.Rooms, []string{idA, "red", "blue"}) || s.Handshake.Address == "" {
		t.Errorf("fetched %+v, data %+v, %v", s, data, err)
	}
	if err := errors.Join(s.Emit("news"), s.Join("green"), s.Leave("red", idA)); err != nil {
		t.Error(err)
	}
	a.expect(`2["news"]`)
	if got := ns.Socket(idA).Rooms(); !slices.Equal(got, []string{idA, "blue", "green"}) {
		t.Errorf("rooms %q", got)
	}
	go func() {
		a.expect(`20["question"]`)
		a.send(`30[5]`)
	}()
	if ack, err := s.EmitWithAck(t.Context(), "question"); err != nil || string(ack.Raw(0)) != "5" {
		t.Errorf("ack %v, %v", ack, err)
	}
	if err := s.Disconnect(false); err != nil {
		t.Error(err)
	}
	a.expect(`1`)
	if _, err := s.EmitWithAck(t.Context(), "question"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("EmitWithAck of one who has gone: %v; want net.ErrClosed", err)
	}
	all, err := ns.FetchSockets(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != idB || all[0].Decode(&data) != nil {
		t.Errorf("left: %+v, %v", all, err)
	}
}

func TestAPreparedEventComesApartAndTogether(t *testing.T) {
	p := sio.Prepare("news", 1, map[string]any{"image": []byte("x")}, "<b>")
	args, err := p.Args()
	if err != nil {
		t.Fatal(err)
	}
	raw, attachments := args.Split()
	again := sio.PrepareArgs(p.Name(), sio.NewArgs(raw, attachments))
	io := roomServer()
	c := join(t, serve(t, io), "/")
	io.Of("/").Send(again)
	c.expect(`51-["news",1,{"image":{"_placeholder":true,"num":0}},"<b>"]`, `b:x`)
	if again.Size() != p.Size() {
		t.Errorf("Size = %d; want %d", again.Size(), p.Size())
	}
	if _, err := sio.Prepare("connect").Args(); err == nil {
		t.Error("the arguments of what cannot be sent")
	}
}

func TestArgumentsFromElsewhereAreValidated(t *testing.T) {
	type list = []json.RawMessage
	binary := json.RawMessage(`{"_placeholder":true,"num":0}`)
	for name, p := range map[string]*sio.Prepared{
		"no JSON":             sio.PrepareArgs("x", sio.NewArgs(list{json.RawMessage(`{]`)}, nil)),
		"two for one":         sio.PrepareArgs("x", sio.NewArgs(list{json.RawMessage(`1],[2`)}, nil)),
		"a reserved name":     sio.PrepareArgs("connect", sio.NewArgs(nil, nil)),
		"no attachment for":   sio.PrepareArgs("x", sio.NewArgs(list{binary}, [][]byte{nil, nil})),
		"an attachment twice": sio.PrepareArgs("x", sio.NewArgs(list{binary, binary}, [][]byte{nil})),
		"eleven attachments":  sio.PrepareArgs("x", sio.NewArgs(list{}, make([][]byte, 11))),
	} {
		if err := new(sio.Server).Of("/").Send(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
