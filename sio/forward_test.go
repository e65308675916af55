package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"sluice/sio"
	"sluice/sio/siotest"
)

// joinMemory is dialMemory of a client that joins "/".
func joinMemory(t testing.TB, srv *siotest.Server) *peer {
	t.Helper()
	p := dialMemory(t, srv)
	p.send(`0`)
	p.next()
	return p
}

// attached is a binary event of one attachment, and the attachment.
func attached(event, data string) (text, attachment string) {
	return `51-["` + event + `"` + placeholders(1) + `]`, data
}

// letters returns 20 KB, which are read into memory that is used again.
func letters(letter string) string { return strings.Repeat(letter, 20_000) }

// Each takes the attachment of an event in some way, in its handler or later, and what it returns is asked for it at the end.
func TestWhatAHandlerTakesIsItsForGood(t *testing.T) {
	decoded := func(e *sio.Event) func() []byte {
		var data []byte
		e.Decode(0, &data)
		return func() []byte { return data }
	}
	plain := `51-["a",{"_placeholder":true,"num":0}]`
	for name, tt := range map[string]struct {
		text string
		take func(e *sio.Event) func() []byte
	}{
		"decoded":                                {plain, decoded},
		"decoded, with escapes in what marks it": {`51-["a",{"\u005fplac\u0065holder":true,"num":0}]`, decoded},
		"split": {plain, func(e *sio.Event) func() []byte {
			_, attachments := e.Split()
			return func() []byte { return attachments[0] }
		}},
		"prepared": {plain, func(e *sio.Event) func() []byte {
			p := sio.PrepareArgs("b", e.Args)
			return func() (data []byte) {
				if args, err := p.Args(); err == nil {
					args.Decode(0, &data)
				}
				return data
			}
		}},
		"kept": {plain, func(e *sio.Event) func() []byte {
			e.Keep()
			return func() []byte { return decoded(e)() }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				io := &sio.Server{}
				var taken func() []byte
				io.Of("/").On("a", func(e *sio.Event) { taken = tt.take(e) })
				io.Of("/").On("b", func(e *sio.Event) {})
				srv := siotest.NewServer(io)
				defer srv.Close()
				p := joinMemory(t, srv)
				p.send(tt.text)
				p.sendBinary(letters("a"))
				synctest.Wait()
				for range 10 {
					text, data := attached("b", letters("b"))
					p.send(text)
					p.sendBinary(data)
				}
				synctest.Wait()
				if got := string(taken()); got != letters("a") {
					t.Errorf("it has become %d bytes, %.20q; want the letters a", len(got), got)
				}
			})
		})
	}
}

func TestWhatNoHandlerTookIsGoneWhenTheyHaveReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		var event *sio.Event
		io.Of("/").On("a", func(e *sio.Event) { event = e })
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := joinMemory(t, srv)
		text, data := attached("a", letters("a"))
		p.send(text)
		p.sendBinary(data)
		synctest.Wait()
		var got []byte
		if err := event.Decode(0, &got); err == nil || got != nil {
			t.Errorf("Decode gave %d bytes, %v; want an error", len(got), err)
		}
		if _, attachments := event.Split(); attachments != nil {
			t.Error("Split gave them")
		}
		if _, err := sio.PrepareArgs("b", event.Args).Args(); err == nil {
			t.Error("PrepareArgs made an event of them")
		}
		if err := io.Of("/").To("room").Forward("b", event, 0); err == nil {
			t.Error("Forward sent them")
		}
		event.Keep() // too late, and no harm
		if err := event.Decode(0, &got); err == nil {
			t.Error("Keep brought them back")
		}
	})
}

func TestForwardSendsWhatCameAsItCame(t *testing.T) {
	const one, two = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`
	for _, tt := range []struct {
		text string
		from int
		want []string
	}{
		{`2["f","room",{"b":12345678901234567890,"a":1e400}]`, 1, []string{`2["to",{"b":12345678901234567890,"a":1e400}]`}},
		{`2["f"]`, 0, []string{`2["to"]`}},
		{`2["f","room"]`, 1, []string{`2["to"]`}},
		{`2["f",{"_placeholder":true,"num":7}]`, 0, []string{`2["to",{"_placeholder":true,"num":7}]`}}, // is data
		{`52-["f","room",` + two + `,[` + one + `]]`, 1, []string{`52-["to",` + two + `,[` + one + `]]`, "b:first", "b:second"}},
		{`52-["f",` + one + `,{"b":` + two + `,"a":12345678901234567890}]`, 1, []string{`51-["to",{"b":` + one + `,"a":12345678901234567890}]`, "b:second"}},
		{`52-["f",{"a":` + two + `},` + one + `]`, 1, []string{`51-["to",` + one + `]`, "b:first"}},
		{`52-["f",` + one + `,` + two + `,1]`, 2, []string{`2["to",1]`}},
		{`52-["f",{"\u005fplaceholder":true,"num":0},` + two + `]`, 1, []string{`51-["to",` + one + `]`, "b:second"}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				io := &sio.Server{}
				io.Of("/").On("f", func(e *sio.Event) {
					if err := e.Socket.Broadcast().Forward("to", e, tt.from); err != nil {
						t.Error(err)
					}
				})
				srv := siotest.NewServer(io)
				defer srv.Close()
				from, to := joinMemory(t, srv), joinMemory(t, srv)
				from.send(tt.text)
				if strings.HasPrefix(tt.text, "52") {
					from.sendBinary("first", "second")
				}
				to.expect(tt.want...)
			})
		})
	}
}

func TestForwardRefusesWhatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{MaxAttachments: 20}
		errs := make(map[string]error)
		forward := func(e *sio.Event) {
			others := e.Socket.Broadcast()
			errs["reserved"] = others.Forward("connect", e, 0)
			errs["before the first"] = others.Forward("x", e, -1)
			errs["beyond the last"] = others.Forward("x", e, 12)
			errs["too many"] = others.Forward("x", e, 0)
		}
		io.Of("/").On("f", forward)
		io.Of("/").OnStream("s", func(e *sio.Event) { errs["a stream"] = e.Socket.Broadcast().Forward("x", e, 0) })
		srv := siotest.NewServer(io)
		defer srv.Close()
		from, to := joinMemory(t, srv), joinMemory(t, srv)
		from.send(`511-["f"` + placeholders(11) + `]`)
		from.sendBinary(strings.Split("abcdefghijk", "")...)
		text, data := attached("s", "x")
		from.send(text)
		from.sendBinary(data)
		synctest.Wait()
		for name, err := range errs {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		var limit *sio.LimitError
		if len(errs) != 5 || !errors.As(errs["too many"], &limit) {
			t.Errorf("errors: %v", errs)
		}
		io.Of("/").Emit("nothing else")
		to.expect(`2["nothing else"]`)
	})
}

// What a stalled client has not been sent is not overwritten, whatever comes meanwhile.
func TestWhatIsForwardedIsWholeHoweverLateItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 30
		io := &sio.Server{MaxQueuedBytes: 10 << 20, MaxPendingBytes: 10 << 20}
		io.Of("/").On("f", func(e *sio.Event) { e.Socket.Broadcast().Forward("to", e, 0) })
		srv := siotest.NewServer(io)
		defer srv.Close()
		from, fast, slow := joinMemory(t, srv), joinMemory(t, srv), joinMemory(t, srv)
		data := func(i int) string { return letters(fmt.Sprint(i % 10)) }
		for i := range events {
			text, attachment := attached("f", data(i))
			from.send(text)
			from.sendBinary(attachment)
			fast.expect(`51-["to"`+placeholders(1)+`]`, "b:"+data(i))
		}
		for i := range events {
			slow.expect(`51-["to"`+placeholders(1)+`]`, "b:"+data(i))
		}
	})
}

func TestWhoIsToldWhatIsSentMaySendItOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		var told *sio.Prepared
		io.Of("/").On("f", func(e *sio.Event) { e.Socket.Broadcast().Forward("to", e, 0) })
		io.Of("/").On("b", func(e *sio.Event) {})
		srv := siotest.NewServer(io)
		defer srv.Close()
		to := joinMemory(t, srv)
		s := io.Of("/").Sockets()[0]
		s.OnAnyOutgoing(func(p *sio.Prepared) { told = p })
		from := joinMemory(t, srv)
		text, data := attached("f", letters("a"))
		want := []string{`51-["to"` + placeholders(1) + `]`, "b:" + letters("a")}
		from.send(text)
		from.sendBinary(data)
		to.expect(want...)
		source := &once{}
		s.SetSource(source)
		for range 3 { // by a Source and otherwise, in turns
			source.p = told
			s.Wake()
			to.expect(want...)
			s.Send(told)
			to.expect(want...)
			for range 5 {
				text, data := attached("b", letters("b"))
				from.send(text)
				from.sendBinary(data)
			}
			synctest.Wait()
		}
	})
}

// late is an Adapter that sends what it is given when it is told to.
type late struct {
	sio.Adapter
	given []sio.Broadcast
}

func (l *late) Broadcast(b sio.Broadcast) error {
	l.given = append(l.given, b)
	return nil
}

func TestAnAdapterMayKeepWhatIsForwarded(t *testing.T) {
	for _, through := range []string{"the namespace", "its parent"} {
		t.Run(through, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var adapter *late
				io := &sio.Server{NewAdapter: func(_ *sio.Namespace, local sio.Adapter) sio.Adapter {
					adapter = &late{Adapter: local}
					return adapter
				}}
				parent := io.OfFunc(func(string, json.RawMessage) bool { return true })
				parent.On("f", func(e *sio.Event) {
					to := parent.To("room")
					if through == "the namespace" {
						to = e.Socket.Namespace().To("room")
					}
					if err := to.Forward("to", e, 0); err != nil {
						t.Error(err)
					}
				})
				parent.On("b", func(e *sio.Event) {})
				parent.OnConnect(func(s *sio.Socket) { s.Join("room") })
				srv := siotest.NewServer(io)
				defer srv.Close()
				p := dialMemory(t, srv)
				p.enter("/child")
				send := func(event, data string) {
					p.send(`51-/child,["` + event + `"` + placeholders(1) + `]`)
					p.sendBinary(data)
				}
				send("f", letters("a"))
				for range 5 {
					send("b", letters("b"))
				}
				synctest.Wait()
				for _, b := range adapter.given {
					adapter.Adapter.Broadcast(b)
				}
				p.expect(`51-/child,["to"`+placeholders(1)+`]`, "b:"+letters("a"))
			})
		})
	}
}

func TestTheMemoryOfWhatIsForwardedIsUsedAgain(t *testing.T) {
	const events, size = 60, 256 << 10
	for name, also := range map[string]func(e *sio.Event){
		"forwarded": func(e *sio.Event) { e.Socket.Broadcast().Forward("to", e, 0) },
		"ignored":   func(e *sio.Event) {},
	} {
		t.Run(name, func(t *testing.T) {
			server := &sio.Server{}
			server.Of("/").On("f", func(e *sio.Event) {
				also(e)
				e.Ack()
			})
			url := serve(t, server)
			from := join(t, url, "/")
			var readers sync.WaitGroup
			for range 3 {
				p := join(t, url, "/")
				readers.Go(func() { io.Copy(io.Discard, p.stream) })
			}
			message := frames(`451-0["f"` + placeholders(1) + "]\nb:" + strings.Repeat("x", size))
			var before, after runtime.MemStats
			for i := range events {
				if i == events/10 { // what there is of it has been made
					runtime.ReadMemStats(&before)
				}
				from.conn.Write(message)
				from.expect(`30[]`)
			}
			runtime.ReadMemStats(&after)
			if got, all := after.TotalAlloc-before.TotalAlloc, uint64(events*9/10*size); got > all*2/3 { // the race detector drops a quarter
				t.Errorf("%d bytes were allocated for %d", got, all)
			}
			server.Of("/").DisconnectSockets(true)
			readers.Wait()
		})
	}
}

// Over polling the length of an attachment is not known before it has come.
func TestAKeptAttachmentKeepsNotMuchMoreMemoryThanItHas(t *testing.T) {
	const events = 100
	server := &sio.Server{}
	var kept [][]byte
	server.Of("/").On("a", func(e *sio.Event) {
		for i := range e.Attachments() {
			var data []byte
			e.Decode(i, &data)
			kept = append(kept, data)
		}
		e.Ack()
	})
	p := startPolling(t, serve(t, server))
	packets := append([]string{`4510-1["a"` + placeholders(10) + `]`}, slices.Repeat([]string{inBase64("x")}, 10)...)
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for range events {
		p.post(packets...)
		for acks := p.get(); acks[0] != `431[]`; acks = p.get() {
		}
	}
	if got := int64(held() - before); got > 1<<20 {
		t.Errorf("%d attachments of one byte keep %d bytes", len(kept), got)
	}
}
