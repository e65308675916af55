package sio_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
)

// poller is a client that sends packets as a test writes them, over long-polling.
type poller struct {
	t    testing.TB
	http *http.Client
	url  string // with the session's id
}

// startPolling opens a connection and joins "/".
func startPolling(t testing.TB, url string) *poller {
	t.Helper()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return joinPolling(t, http.DefaultClient, url)
}

// joinPolling is startPolling by a client of its own.
func joinPolling(t testing.TB, c *http.Client, url string) *poller {
	t.Helper()
	p := &poller{t: t, http: c, url: url + "/socket.io/?EIO=4&transport=polling"}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(p.get()[0][1:]), &open); err != nil {
		t.Fatal(err)
	}
	p.url += "&sid=" + open.SID
	p.post("40")
	p.get()
	return p
}

// get returns the packets of one reply.
func (p *poller) get() []string {
	p.t.Helper()
	resp, err := p.http.Get(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("GET: %d %s, %v", resp.StatusCode, body, err)
	}
	return strings.Split(string(body), "\x1e")
}

// post sends packets in one payload.
func (p *poller) post(packets ...string) {
	p.t.Helper()
	resp, err := p.http.Post(p.url, "text/plain", strings.NewReader(strings.Join(packets, "\x1e")))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		p.t.Fatalf("POST: %d %s", resp.StatusCode, body)
	}
}

func inBase64(data string) string { return "b" + base64.StdEncoding.EncodeToString([]byte(data)) }

// streamEcho acknowledges a stream with what it read.
func streamEcho() *sio.Server {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		var got []string
		for a := e.Attachment(); a != nil; a = e.Attachment() {
			data, err := io.ReadAll(a)
			if err != nil {
				return
			}
			got = append(got, string(data))
		}
		e.Ack(got)
	})
	srv.Of("/").On("whole", func(e *sio.Event) {
		var data []byte
		e.Decode(0, &data)
		e.Ack(string(data))
	})
	return srv
}

func TestAttachmentsMayComeInLaterPosts(t *testing.T) {
	p := startPolling(t, serve(t, streamEcho()))
	p.post(`452-1["up"` + placeholders(2) + `]`)
	p.post(inBase64("first"))
	p.post(inBase64("second"), `451-2["whole"`+placeholders(1)+`]`)
	p.post(inBase64("third"))
	var got []string
	for len(got) < 2 {
		got = append(got, p.get()...)
	}
	if want := "431[[\"first\",\"second\"]] 432[\"third\"]"; strings.Join(got, " ") != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestAttachmentsMayComeOnAnotherTransport(t *testing.T) {
	for _, event := range []string{"up", "whole"} {
		t.Run(event, func(t *testing.T) {
			p := startPolling(t, serve(t, streamEcho()))
			sock := dialUpgrade(t, p, func() { p.post(`451-1["` + event + `"` + placeholders(1) + `]`) })
			sock.sendBinary("late")
			want := map[string]string{"up": `31[["late"]]`, "whole": `31["late"]`}[event]
			sock.expect(want)
		})
	}
}

// dialUpgrade moves a session from polling to WebSocket; last is called when the server has agreed to that.
func dialUpgrade(t *testing.T, p *poller, last func()) *peer {
	t.Helper()
	sock := dialRaw(t, strings.Replace(p.url, "polling", "websocket", 1), dialer("X-Test", "1"))
	wsutil.WriteClientText(sock.conn, []byte("2probe"))
	if got := sock.read(); got != "3probe" {
		t.Fatalf("got %q; want 3probe", got)
	}
	last()
	for noop := false; !noop; {
		for _, packet := range p.get() {
			noop = noop || packet == "6"
		}
	}
	wsutil.WriteClientText(sock.conn, []byte("5"))
	return sock
}

func TestAStreamEndsWhenItsPollingClientCloses(t *testing.T) {
	srv := &sio.Server{}
	errs := make(chan error, 1)
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		_, err := io.ReadAll(e.Attachment())
		errs <- err
	})
	p := startPolling(t, serve(t, srv))
	p.post(`451-1["up"` + placeholders(1) + `]`)
	p.post("1")
	if err := receive(t, errs); err == nil {
		t.Error("the attachment ended as if it were whole")
	}
}
