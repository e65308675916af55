package sio_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
)

// visitor comes and goes, over real connections. What it does may be called by several goroutines.
type visitor struct {
	t    *testing.T
	url  string
	addr string
	http *http.Client

	memories chan string // what clients that have gone know of where they were; others come back in their place
}

func newVisitor(t *testing.T, url string, hands int) *visitor {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = hands
	return &visitor{t, url, strings.TrimPrefix(url, "http://"), &http.Client{Transport: transport}, make(chan string, 20)}
}

// closeWebSocket joins, and closes in order.
func (v *visitor) closeWebSocket() {
	p := v.joined()
	if p == nil {
		return
	}
	defer p.conn.Close()
	p.conn.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))))
	if data, _, err := wsutil.ReadServerData(p.stream); err == nil {
		v.t.Errorf("instead of a close frame came %q", data)
	}
}

// closePolling joins, and closes in order.
func (v *visitor) closePolling() {
	url := v.openPolling()
	v.post(url, "40")
	v.get(url)
	v.post(url, "1")
}

// reset joins, and is gone in the middle of a frame.
func (v *visitor) reset() {
	p := v.joined()
	if p == nil {
		return
	}
	half := ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`42["a",1]`))))
	p.conn.Write(half[:len(half)/2])
	p.conn.(*net.TCPConn).SetLinger(0)
	p.conn.Close()
}

// halfHandshake does not even come.
func (v *visitor) halfHandshake() {
	conn, err := net.Dial("tcp", v.addr)
	if err != nil {
		v.t.Error(err)
		return
	}
	io.WriteString(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConn")
	conn.Close()
}

// thrownOut joins, and is disconnected by the server.
func (v *visitor) thrownOut() {
	p := v.joined()
	if p == nil {
		return
	}
	defer p.conn.Close()
	p.send(`2["throw me out"]`)
	for {
		if _, err := p.tryRead(); err != nil {
			return
		}
	}
}

// upgradeHalfway is gone in the middle of an upgrade, and then closes over polling.
func (v *visitor) upgradeHalfway() {
	url := v.openPolling()
	conn, _, _, err := ws.Dial(v.t.Context(), strings.NewReplacer("http://", "ws://", "polling", "websocket").Replace(url))
	if err != nil {
		v.t.Error(err)
		return
	}
	wsutil.WriteClientText(conn, []byte("2probe"))
	conn.Close()
	v.post(url, "1")
}

// joined opens a connection over WebSocket and joins "/"; nil after an error.
func (v *visitor) joined() *peer {
	conn, early, _, err := ws.Dial(v.t.Context(), strings.Replace(v.url, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		v.t.Error(err)
		return nil
	}
	p := &peer{t: v.t, conn: conn, stream: conn, patience: patience}
	if early != nil {
		p.stream = readWriter{early, conn}
	}
	p.send("0")
	for {
		text, err := p.tryRead()
		if err != nil {
			v.t.Error(err)
			conn.Close()
			return nil
		}
		if strings.HasPrefix(text, "40") {
			return p
		}
	}
}

// openPolling opens a session and returns its URL.
func (v *visitor) openPolling() string {
	url, err := v.tryOpenPolling()
	if err != nil {
		v.t.Error(err)
	}
	return url
}

func (v *visitor) tryOpenPolling() (url string, err error) {
	url = v.url + "/socket.io/?EIO=4&transport=polling"
	resp, err := v.http.Get(url)
	if err != nil {
		return url, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	hello := sid.FindSubmatch(body)
	if err != nil || hello == nil {
		return url, fmt.Errorf("handshake: %s, %v", body, err)
	}
	return url + "&sid=" + string(hello[1]), nil
}

func (v *visitor) get(url string) []byte {
	resp, err := v.http.Get(url)
	if err != nil {
		v.t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		v.t.Errorf("GET: %s, %v", resp.Status, err)
	}
	return body
}

func (v *visitor) post(url, body string) {
	resp, err := v.http.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		v.t.Error(err)
		return
	}
	io.Copy(io.Discard, resp.Body)
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		v.t.Errorf("POST %q: %s", body, resp.Status)
	}
}

// TestNothingIsLeftOfThoseWhoCameAndWent lets 10,200 visitors come and go, in six ways: clients close over WebSocket, or over polling,
// vanish in the middle of a frame, of a handshake, of an upgrade, or are thrown out.
func TestNothingIsLeftOfThoseWhoCameAndWent(t *testing.T) {
	const each, hands = 1700, 16
	server := &sio.Server{Logger: quiet()}
	server.Of("/").OnConnect(func(s *sio.Socket) { s.Join("all", "room of "+s.ID()) })
	server.Of("/").On("throw me out", func(e *sio.Event) { e.Socket.Disconnect(true) })
	url := serve(t, server)
	v := newVisitor(t, url, hands)
	ways := []func(){v.closeWebSocket, v.closePolling, v.reset, v.halfHandshake, v.thrownOut, v.upgradeHalfway}
	for _, way := range ways { // once, so that what is made once is there
		way()
	}
	v.http.CloseIdleConnections()
	eventually(t, func() bool { return server.Stats().Engine.Sessions() == 0 })
	before, begin := footprintOf(server), time.Now()

	work := make(chan func())
	var visitors sync.WaitGroup
	for range hands {
		visitors.Go(func() {
			for way := range work {
				way()
			}
		})
	}
	for range each {
		for _, way := range ways {
			work <- way
		}
	}
	close(work)
	visitors.Wait()
	t.Logf("%d visitors in %v", each*len(ways), time.Since(begin))
	v.http.CloseIdleConnections()
	before.awaitReturn(t, server, 16<<20, 0)

	const sessions, joins = 5 * (each + 1), 4 * (each + 1) // who opens one, and who joins
	st := server.Stats()
	if st.Engine.Opened != sessions || sum(st.Engine.Closed) != sessions || st.Connects != joins || st.Invalid != 0 || st.HalfSent != 0 {
		t.Errorf("Stats = %+v; want %d sessions, all ended, and %d who joined", st, sessions, joins)
	}
	if n := len(server.Of("/").To("all").Sockets()); n != 0 {
		t.Errorf("%d sockets are left in the room", n)
	}
}
