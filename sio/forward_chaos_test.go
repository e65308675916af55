package sio_test

import (
	"bytes"
	"compress/flate"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/engine"
	"sluice/sio/packet"
)

// flood is a server that forwards attachments to all who listen, and what these have heard.
type flood struct {
	t          *testing.T
	url        string
	secure     string // the same over TLS
	http       *http.Client
	heard      sync.Map // by kind of listener: *atomic.Int64, of attachments that were whole
	publishing sync.WaitGroup
}

// largeness is drawn so that there are as many of 1 to 10 bytes as of 10 to 100.
func largeness() int { return int(math.Exp(rand.Float64() * math.Log(300<<10))) }

// publish sends attachments that tell what they are, with a checksum of each before it.
func (f *flood) publish(name string, events int) {
	p := join(f.t, f.url, "/")
	for i := range events {
		data := strings.Repeat(fmt.Sprintf("%s %d ", name, i), 300<<10/len(name))[:largeness()]
		p.send(fmt.Sprintf(`51-["f","%s",%d,%d`, name, i, crc32.ChecksumIEEE([]byte(data))) + placeholders(1) + `]`)
		p.sendBinary(data)
	}
	p.send(`20["last"]`)
	if got := p.next(); got != `30[]` {
		f.t.Errorf("the last event was answered with %q", got)
	}
}

// check looks at the text of an event and its attachment. last knows how far each publisher is.
func (f *flood) check(kind string, last map[string]int, text, data string) {
	var name string
	var i int
	var sum uint32
	text = strings.ReplaceAll(strings.NewReplacer(`"`, " ", ",", " ", "[", " ").Replace(text), "  ", " ")
	if _, err := fmt.Sscanf(text, "51- to %s %d %d", &name, &i, &sum); err != nil {
		f.t.Errorf("%s: %q: %v", kind, text, err)
		return
	}
	if got := crc32.ChecksumIEEE([]byte(data)); got != sum {
		f.t.Errorf("%s: number %d of %s came as %d bytes, %.20q", kind, i, name, len(data), data)
	}
	if before, ok := last[name]; ok && before >= i {
		f.t.Errorf("%s: number %d of %s came after number %d", kind, i, name, before)
	}
	last[name] = i
	count, _ := f.heard.LoadOrStore(kind, new(atomic.Int64))
	count.(*atomic.Int64).Add(1)
}

// message reads a message from the server, inflated if it is compressed.
func (p *peer) message() (string, ws.OpCode, error) {
	h, err := ws.ReadHeader(p.stream)
	if err != nil {
		return "", 0, err
	}
	data := make([]byte, h.Length)
	if _, err := io.ReadFull(p.stream, data); err != nil || h.OpCode == ws.OpClose {
		return "", h.OpCode, io.EOF
	}
	if h.Rsv1() {
		data, err = io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(data), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	}
	return string(data), h.OpCode, err
}

// listen listens over WebSocket until the end, or until it has had enough.
func (f *flood) listen(kind string, enough int) {
	d := ws.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true}} // httptest's own certificate
	url := f.url
	if strings.Contains(kind, "TLS") {
		url = f.secure
	}
	if strings.Contains(kind, "deflate") {
		d.Extensions = append(d.Extensions, wsflate.DefaultParameters.Option())
	}
	p := dialWith(f.t, url, d)
	defer p.conn.Close()
	packed := strings.Contains(kind, "msgpack")
	if packed {
		p.sendBinary(pack(f.t, `0`))
		p.next()
		p.sendBinary(pack(f.t, `2["listen"]`))
	} else {
		p.send(`0`)
		p.next()
		p.send(`2["listen"]`)
	}
	last := make(map[string]int)
	text := ""
	for n := 0; n < enough; n++ {
		got, op, err := p.message()
		switch {
		case err != nil:
			return
		case packed && op == ws.OpBinary:
			event, attachments, err := packet.ParseMsgpack([]byte(got))
			if err != nil {
				f.t.Errorf("%s: %v", kind, err)
			} else if len(attachments) == 1 {
				parsed, _ := event.AppendText(nil)
				f.check(kind, last, string(parsed), string(attachments[0]))
			}
		case op == ws.OpBinary:
			f.check(kind, last, text, got)
		case got == "2":
			wsutil.WriteClientText(p.conn, []byte("3"))
		default:
			text = strings.TrimPrefix(got, "4")
		}
		if strings.Contains(kind, "slow") && n%20 == 0 {
			<-time.After(20 * time.Millisecond)
		}
	}
}

// poll listens over polling until the end.
func (f *flood) poll(kind string) {
	p := joinPolling(f.t, f.http, f.url)
	p.post(`42["listen"]`)
	last := make(map[string]int)
	text := ""
	for {
		resp, err := f.http.Get(p.url)
		if err != nil {
			f.t.Errorf("%s: %v", kind, err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return
		}
		for got := range strings.SplitSeq(string(body), "\x1e") {
			switch data, binary := strings.CutPrefix(got, "b"); {
			case got == "1":
				return
			case got == "2":
				p.post("3")
			case binary:
				decoded, err := base64.StdEncoding.DecodeString(data)
				if err != nil {
					f.t.Errorf("%s: %v", kind, err)
				}
				f.check(kind, last, text, string(decoded))
			default:
				text = strings.TrimPrefix(got, "4")
			}
		}
	}
}

// keptData is an attachment that a handler has decoded, and what it was then.
type keptData struct {
	data []byte
	sum  uint32
}

// newFlood starts the server. Every tenth event's attachment is decoded, too: check says whether those are what they were.
func newFlood(t *testing.T) (f *flood, server *sio.Server, check func()) {
	server = &sio.Server{Deflate: &sio.Deflate{}, MaxQueuedBytes: 2 << 20, Logger: quiet()}
	ns := server.Of("/")
	var mu sync.Mutex
	var kept []keptData // guarded by mu
	ns.On("listen", func(e *sio.Event) { e.Socket.Join("listeners") })
	ns.On("f", func(e *sio.Event) {
		if err := e.Socket.To("listeners").Forward("to", e, 0); err != nil {
			t.Error(err)
		}
		var k keptData
		if rand.IntN(10) > 0 {
			return
		}
		if err := e.Decode(3, &k.data); err != nil || e.Decode(2, &k.sum) != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, k)
	})
	ns.On("last", func(e *sio.Event) { e.Ack() })
	f = &flood{t: t, url: serve(t, server), http: &http.Client{Transport: &http.Transport{}}}
	secure := httptest.NewUnstartedServer(server)
	secure.Listener = engine.Listener(secure.Listener)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	t.Cleanup(f.http.CloseIdleConnections)
	f.secure = secure.URL
	return f, server, func() {
		for _, k := range kept {
			if crc32.ChecksumIEEE(k.data) != k.sum {
				t.Errorf("%d bytes that a handler decoded have become %.20q", len(k.data), k.data)
			}
		}
	}
}

func TestNobodyIsShownWhatIsSomebodyElses(t *testing.T) {
	const publishers, events = 3, 50
	f, server, check := newFlood(t)
	var listening sync.WaitGroup
	kinds := []string{"websocket", "slow websocket", "deflate", "slow deflate", "msgpack", "TLS", "slow TLS with deflate"}
	for _, kind := range kinds {
		listening.Go(func() { f.listen(kind, math.MaxInt) })
	}
	listening.Go(func() { f.poll("polling") })
	eventually(t, func() bool { return len(server.Of("/").To("listeners").Sockets()) == len(kinds)+1 })
	over, gone := make(chan struct{}), make(chan struct{})
	go func() { // who come and go, with something on its way to them
		defer close(gone)
		for {
			select {
			case <-over:
				return
			default:
				f.listen([]string{"fickle", "fickle TLS", "fickle deflate"}[rand.IntN(3)], 3+rand.IntN(30))
			}
		}
	}()
	for i := range publishers {
		f.publishing.Go(func() { f.publish(fmt.Sprintf("publisher%d", i), events) })
	}
	f.publishing.Wait()
	close(over)
	eventually(t, func() bool {
		server.Of("/").DisconnectSockets(true) // the last of them may only just have come
		select {
		case <-gone:
			return true
		default:
			return false
		}
	})
	listening.Wait()
	check()
	for _, kind := range append(kinds, "polling") {
		count, _ := f.heard.LoadOrStore(kind, new(atomic.Int64))
		if got := count.(*atomic.Int64).Load(); got == 0 {
			t.Errorf("%s has heard nothing", kind)
		} else {
			t.Logf("%s has heard %d of %d", kind, got, publishers*events)
		}
	}
}
