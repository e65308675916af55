package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
)

// busy does everything that handlers may do, at random.
func busy(panics *atomic.Int64) *sio.Server {
	srv := &sio.Server{
		Logger: quiet(), MaxEventBytes: 50_000, MaxQueuedBytes: 100_000,
		Recovery: &sio.Recovery{MaxDisconnection: time.Second, MaxSockets: 30, MaxEvents: 200},
	}
	ns := srv.Of("/")
	ns.OnConnect(func(s *sio.Socket) {
		s.Join("all", fmt.Sprint(rand.IntN(10)))
		s.OnDisconnect(func(string) { s.Broadcast().Volatile().Emit("gone", s.ID()) })
		s.Emit("welcome", s.Recovered())
	})
	ns.On("echo", func(e *sio.Event) { e.Ack(e.Raw(0)) })
	ns.On("tell", func(e *sio.Event) {
		room := fmt.Sprint(rand.IntN(10))
		e.Socket.Join(room)
		ns.To(room).Except("nobody").Emit("told", e.Raw(0))
		e.Socket.Leave(fmt.Sprint(rand.IntN(10)))
	})
	ns.On("ask", func(e *sio.Event) {
		ctx, cancel := context.WithTimeout(e.Socket.Context(), 20*time.Millisecond)
		defer cancel()
		e.Socket.EmitWithAck(ctx, "question", []byte("binary"))
	})
	ns.On("out", func(e *sio.Event) { e.Socket.Disconnect(rand.IntN(2) == 0) })
	ns.On("others out", func(e *sio.Event) { e.Socket.To(fmt.Sprint(rand.IntN(10))).DisconnectSockets(rand.IntN(2) == 0) })
	ns.On("panic", func(e *sio.Event) {
		panics.Add(1)
		panic("as it was told")
	})
	ns.OnStream("up", func(e *sio.Event) {
		for a := e.Attachment(); a != nil; a = e.Attachment() {
			switch rand.IntN(3) {
			case 0:
				io.Copy(io.Discard, a)
			case 1:
				a.Read(make([]byte, 10))
			}
		}
		e.Ack()
	})
	srv.OfFunc(matching(`^/room`))
	return srv
}

// whim is a message that a client may take into its head to send, and what follows it at once.
func whim() string {
	room := rand.IntN(1000)
	placeholder := placeholders(1)
	return []string{
		"421[\"echo\",{\"a\":1}]",
		"451-1[\"echo\"" + placeholder + "]\nb:" + strings.Repeat("x", rand.IntN(1000)),
		"42[\"tell\",\"" + strings.Repeat("x", rand.IntN(3000)) + "\"]",
		"42[\"ask\"]\n430[]",
		"42[\"ask\"]",
		"42[\"out\"]",
		"42[\"others out\"]",
		"42[\"panic\"]",
		"451-2[\"up\"" + placeholder + "]\nb:" + strings.Repeat("x", rand.IntN(20_000)),
		"452-2[\"up\"" + placeholders(2) + "]\nb:" + strings.Repeat("x", rand.IntN(20_000)),
		fmt.Sprintf("40/room%d,", room),
		fmt.Sprintf("40/other%d,", room),
		"6",
	}[rand.IntN(13)]
}

// remember notes in auth what a packet tells of where its client is.
func remember(auth map[string]string, packet string) {
	if pid := regexp.MustCompile(`^40.*"pid":"([^"]+)"`).FindStringSubmatch(packet); pid != nil {
		auth["pid"] = pid[1]
	}
	if offset := regexp.MustCompile(`^4[25].*"([\w-]+)"\]$`).FindStringSubmatch(packet); offset != nil {
		auth["offset"] = offset[1]
	}
}

// live is a client's life by WebSocket: it joins, perhaps after an upgrade, follows its whims, reads or not, and ends somehow.
func (v *visitor) live() {
	url, upgrades := v.url+"/socket.io/?EIO=4&transport=websocket", rand.IntN(3) == 0
	if upgrades {
		polling, err := v.tryOpenPolling()
		if err != nil {
			return // the server has been shut down
		}
		url = strings.Replace(polling, "polling", "websocket", 1)
	}
	conn, early, _, err := ws.Dial(v.t.Context(), strings.Replace(url, "http", "ws", 1))
	if err != nil {
		return
	}
	defer conn.Close()
	p := &peer{t: v.t, conn: conn, stream: conn, patience: patience}
	if early != nil {
		p.stream = readWriter{early, conn}
	}
	var reader sync.WaitGroup
	defer reader.Wait()
	joined := make(chan struct{})
	reader.Go(func() {
		join := sync.OnceFunc(func() { close(joined) })
		defer join()
		auth := make(map[string]string)
		for {
			got, err := p.tryRead()
			if err != nil {
				text, _ := json.Marshal(auth)
				select {
				case v.memories <- string(text):
				default:
				}
				return
			}
			remember(auth, got)
			if strings.HasPrefix(got, "40{") {
				join()
			}
			if got == "2" && rand.IntN(10) > 0 {
				wsutil.WriteClientText(conn, []byte("3"))
			}
		}
	})
	if upgrades {
		wsutil.WriteClientText(conn, []byte("2probe"))
		if rand.IntN(5) == 0 {
			return
		}
		wsutil.WriteClientText(conn, []byte("5"))
	}
	select {
	case auth := <-v.memories:
		conn.Write(frames("40" + auth))
	default:
		conn.Write(frames("40"))
	}
	<-joined
	for range rand.IntN(20) {
		conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := conn.Write(frames(whim())); err != nil {
			break
		}
		if rand.IntN(3) == 0 {
			<-time.After(time.Duration(rand.IntN(3)) * time.Millisecond)
		}
	}
	switch rand.IntN(4) {
	case 0:
		conn.(*net.TCPConn).SetLinger(0)
	case 1:
		wsutil.WriteClientMessage(conn, ws.OpClose, nil)
	case 2:
		conn.Write(frames("1"))
	}
	conn.Close()
}

// livePolling is the same by polling.
func (v *visitor) livePolling() {
	url, err := v.tryOpenPolling()
	if err != nil {
		return
	}
	do := func(method, body string) bool {
		r, _ := http.NewRequestWithContext(v.t.Context(), method, url, strings.NewReader(body))
		resp, err := v.http.Do(r)
		if err != nil {
			return false
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	do("POST", "40")
	do("GET", "")
	var poll sync.WaitGroup
	poll.Go(func() {
		for do("GET", "") && rand.IntN(30) > 0 {
		}
	})
	for range rand.IntN(10) {
		if !do("POST", strings.Join(payload(joinByText, whim()), "\x1e")) {
			break
		}
	}
	do("POST", "1")
	poll.Wait()
}

// crowd runs clients, one after another in each hand, until so many have lived; it returns when all have.
func (v *visitor) crowd(lives, hands int) {
	var left atomic.Int64
	left.Store(int64(lives))
	var clients sync.WaitGroup
	for i := range hands {
		clients.Go(func() {
			for left.Add(-1) >= 0 {
				if i%3 == 0 {
					v.livePolling()
				} else {
					v.live()
				}
			}
		})
	}
	clients.Wait()
	v.http.CloseIdleConnections()
}

// TestEverythingAtOnceLeavesNothing lets clients and handlers do what they may, at random, and then once more while the server
// shuts down.
func TestEverythingAtOnceLeavesNothing(t *testing.T) {
	const lives, hands = 600, 12
	var panics atomic.Int64
	server := busy(&panics)
	server.PingInterval, server.PingTimeout = 50*time.Millisecond, time.Second
	url := serve(t, server)
	v := newVisitor(t, url, hands)
	v.crowd(2, 1)
	eventually(t, func() bool { return server.Stats().Engine.Sessions() == 0 })
	before := footprintOf(server)
	v.crowd(lives, hands)
	before.awaitReturn(t, server, 8<<20, 0)
	st := server.Stats()
	if st.Engine.Opened != sum(st.Engine.Closed) || st.Connects != sum(st.Disconnects) || st.HalfSent != 0 || st.Panics != uint64(panics.Load()) || st.Recovered == 0 {
		t.Errorf("Stats = %+v after %d panics", st, panics.Load())
	}
	t.Logf("Stats = %+v", st)

	var crowd sync.WaitGroup
	crowd.Go(func() { v.crowd(hands, hands) })
	eventually(t, func() bool { return server.Stats().Engine.Sessions() >= hands/2 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	crowd.Wait()
	if st := server.Stats(); st.Engine.Opened != sum(st.Engine.Closed) || st.Sockets != 0 || st.HalfSent != 0 {
		t.Errorf("after Shutdown Stats = %+v", st)
	}
}

func sum(counts map[string]uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}
