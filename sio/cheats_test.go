package sio_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/siotest"
)

// cheat is what a client does instead of answering pings: something once, something every beat, or something to every ping.
type cheat struct {
	first  string
	beat   func(io.Writer)
	answer string
}

// beat is how often a cheat does something.
const beat = 20 * time.Millisecond

// bytesOf writes bytes as they are.
func bytesOf(b ...string) func(io.Writer) {
	return func(w io.Writer) { io.WriteString(w, strings.Join(b, "")) }
}

// texts are text messages.
func texts(messages ...string) string { return string(frames(strings.Join(messages, "\n"))) }

func frameOf(f ws.Frame) string { return string(ws.MustCompileFrame(ws.MaskFrame(f))) }

// drip writes a byte of b every time, and then always the last one.
func drip(b string) func(io.Writer) {
	return func(w io.Writer) {
		io.WriteString(w, b[:1])
		b = b[min(1, len(b)-1):]
	}
}

// cheats are the ways to look alive on WebSocket.
func cheats() map[string]cheat {
	const long = "\x82\xfe\xff\xff\x00\x00\x00\x00" // the head of a binary message of 65535 bytes
	announce := func(event string) string { return texts(`451-["` + event + `"` + placeholders(1) + `]`) }
	return map[string]cheat{
		"silence":                     {},
		"events":                      {beat: bytesOf(texts(`42["a"]`))},
		"events that ask for acks":    {beat: bytesOf(texts(`421["a","x"]`))},
		"events with an attachment":   {beat: bytesOf(announce("a"), texts("b:x"))},
		"noops":                       {beat: bytesOf(texts("6"))},
		"a text that drips":           {first: "\x81" + long[1:] + "4", beat: bytesOf("x")},
		"a header that drips":         {beat: drip("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x004x")},
		"a text that does not end":    {first: frameOf(ws.NewFrame(ws.OpText, false, []byte("4"))), beat: bytesOf(frameOf(ws.NewFrame(ws.OpContinuation, false, []byte("x"))))},
		"an attachment that drips":    {first: announce("a") + long, beat: bytesOf("x")},
		"a stream that drips":         {first: announce("b") + long, beat: bytesOf("x")},
		"an attachment that is late":  {first: announce("a")},
		"a stream that is late":       {first: announce("b")},
		"a flood of pongs":            {beat: bytesOf(texts("3", "3", "3", "3", "3"))},
		"pongs to no ping":            {first: texts("3", "3", "3")},
		"pongs of another kind":       {answer: "3probe"},
		"pongs with something behind": {answer: "3 "},
		"pings of WebSocket":          {beat: bytesOf(frameOf(ws.NewPingFrame([]byte("x"))))},
		"pongs of WebSocket":          {beat: bytesOf(frameOf(ws.NewPongFrame(nil)))},
	}
}

// inTime runs f with a server whose heartbeat is fast, and wants the socket that f opens to end no later than the heartbeat says.
func inTime(t *testing.T, f func(t *testing.T, srv *siotest.Server, ended <-chan struct{})) {
	const interval, timeout = 300 * time.Millisecond, 200 * time.Millisecond
	io := target()
	io.PingInterval, io.PingTimeout = interval, timeout
	var joined, gone time.Time
	var reason string
	var ended chan struct{}
	io.Of("/").OnConnect(func(s *sio.Socket) {
		joined = time.Now()
		s.OnDisconnect(func(why string) {
			gone, reason = time.Now(), why
			close(ended)
		})
	})
	inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
		ended = make(chan struct{}) // of the bubble
		f(t, srv, ended)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("it is still there")
		}
		if took := gone.Sub(joined); took > interval+timeout+beat {
			t.Errorf("it was cut off after %v (%s)", took, reason)
		}
	})
}

func TestHeartbeatsCannotBeCheated(t *testing.T) {
	for name, c := range cheats() {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, srv *siotest.Server, ended <-chan struct{}) {
				p := dialMemory(t, srv)
				p.send("0")
				p.next()
				var beats sync.WaitGroup
				beats.Go(func() {
					io.WriteString(p.conn, c.first)
					for over := false; c.beat != nil && !over; {
						c.beat(p.conn)
						select {
						case <-ended:
							over = true
						case <-time.After(beat):
						}
					}
				})
				for {
					got, err := p.tryRead()
					if err != nil {
						break
					}
					if got == "2" && c.answer != "" {
						wsutil.WriteClientText(p.conn, []byte(c.answer))
					}
				}
				p.conn.Close()
				beats.Wait()
			})
		})
	}
}

// A polling client has less to cheat with.
func TestHeartbeatsCannotBeCheatedByPolling(t *testing.T) {
	type client struct {
		t   *testing.T
		ctx context.Context
		do  func(method string, body io.Reader) string // returns the reply, or why there is none
	}
	repeat := func(body string) func(*client) {
		return func(c *client) {
			for c.ctx.Err() == nil {
				c.do("POST", strings.NewReader(body))
				time.Sleep(beat)
			}
		}
	}
	for name, act := range map[string]func(*client){
		"silence": func(*client) {},
		"GETs": func(c *client) {
			for c.ctx.Err() == nil {
				c.do("GET", nil)
			}
		},
		"events":                repeat(`42["a"]`),
		"noops":                 repeat("6"),
		"pongs":                 repeat("3"),
		"pongs of another kind": repeat("3probe"),
		"a POST that drips": func(c *client) {
			r, w := io.Pipe()
			go c.do("POST", r)
			for c.ctx.Err() == nil {
				io.WriteString(w, "4")
				time.Sleep(beat)
			}
			w.CloseWithError(io.ErrUnexpectedEOF)
		},
		"an attachment in a POST that drips": func(c *client) {
			c.do("POST", strings.NewReader(`451-["a"`+placeholders(1)+`]`))
			r, w := io.Pipe()
			go c.do("POST", r)
			io.WriteString(w, "b")
			for c.ctx.Err() == nil {
				io.WriteString(w, "AAAA")
				time.Sleep(beat)
			}
			w.CloseWithError(io.ErrUnexpectedEOF)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, srv *siotest.Server, ended <-chan struct{}) {
				web := srv.Client()
				defer web.CloseIdleConnections()
				url := srv.URL + "/socket.io/?EIO=4&transport=polling"
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-ended
					cancel()
				}()
				c := &client{t, ctx, func(method string, body io.Reader) string {
					r, _ := http.NewRequestWithContext(ctx, method, url, body)
					resp, err := web.Do(r)
					if err != nil {
						return err.Error()
					}
					defer resp.Body.Close()
					reply, _ := io.ReadAll(resp.Body)
					return string(reply)
				}}
				var open struct{ SID string }
				if err := json.Unmarshal([]byte(c.do("GET", nil)[1:]), &open); err != nil {
					t.Fatal(err)
				}
				url += "&sid=" + open.SID
				c.do("POST", strings.NewReader("40"))
				c.do("GET", nil)
				act(c)
				<-ended
				synctest.Wait()
			})
		})
	}
}
