package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/sio/engine"
)

// query sends a request to srv without a connection, and returns the reply.
func query(srv *engine.Server, method, query string) *http.Response {
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?EIO=4&transport="+query, strings.NewReader("4x")))
	return w.Result()
}

func TestGuessedSessionIdsAreRefused(t *testing.T) {
	srv := mirrors(&engine.Server{})
	defer srv.Shutdown(t.Context())
	var ids []string
	for range 200 {
		var open struct{ SID string }
		body, _ := io.ReadAll(query(srv, "GET", "polling").Body)
		if err := json.Unmarshal(body[1:], &open); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, open.SID)
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	r := rand.New(rand.NewPCG(1, 3))
	guesses := map[string]bool{}
	for len(guesses) < 2000 {
		guess := []byte(ids[r.IntN(len(ids))])
		switch at := r.IntN(len(guess)); len(guesses) % 5 {
		case 0: // another letter
			guess[at] = letters[(strings.IndexByte(letters, guess[at])+1+r.IntN(63))%64]
		case 1: // half of another id
			copy(guess[at:], ids[r.IntN(len(ids))][at:])
		case 2: // too short
			guess = guess[:at]
		case 3: // something behind it
			guess = append(guess, letters[r.IntN(64)])
		default: // anything
			for i := range guess {
				guess[i] = letters[r.IntN(64)]
			}
		}
		if len(guess) > 0 && !strings.Contains(strings.Join(ids, " ")+" ", string(guess)+" ") {
			guesses[string(guess)] = true
		}
	}
	for guess := range guesses {
		for _, how := range []string{"GET polling", "POST polling", "GET websocket"} {
			method, transport, _ := strings.Cut(how, " ")
			if resp := query(srv, method, transport+"&sid="+guess); resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s with the guess %q: %s", how, guess, resp.Status)
			}
		}
	}
	if n := srv.Stats().Polling; n != len(ids) {
		t.Errorf("%d of %d sessions are left", n, len(ids))
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	addr := listen(t, mirrors(&engine.Server{}))
	const host = "Host: server.example\r\n"
	many := strings.Repeat("X-A: 1\r\n", 96) // beside four of the handshake
	for _, tt := range []opens{
		{"100 fields", request(host, host+many), 101},
		{"101 fields", request(host, host+many+"X-A: 1\r\n"), 431},
		{"3,000 fields", request(host, host+strings.Repeat(many, 31)), 431},
		{"15 KiB in a field", request(host, host+"X-A: "+strings.Repeat("a", 15<<10)+"\r\n"), 101},
		{"16 KiB in a field", request(host, host+"X-A: "+strings.Repeat("a", 16<<10)+"\r\n"), 431},
		{"16 KiB in 90 fields", request(host, host+strings.Repeat("X-A: "+strings.Repeat("a", 180)+"\r\n", 90)), 431},
		{"16 KiB of a cookie", request(host, host+"Cookie: "+strings.Repeat("a=b; ", 3500)+"\r\n"), 431},
		{"16 KiB of a query", request(target, target+"&x="+strings.Repeat("a", 16<<10)), 431},
		{"2 MiB", request(host, host+"X-A: "+strings.Repeat("a", 2<<20)+"\r\n"), 431},
	} {
		c := connect(t, addr)
		go c.write([]byte(tt.lines))
		if resp := c.response(); resp.StatusCode != tt.status {
			t.Errorf("%s: %s; want %d", tt.name, resp.Status, tt.status)
		}
		c.conn.Close()
	}
}

func TestHostileHeaderValuesTakeNoTime(t *testing.T) {
	const limit = 50 * time.Millisecond
	addr := listen(t, mirrors(&engine.Server{}))
	version := "Sec-WebSocket-Version: 13\r\n"
	for _, value := range []string{
		strings.Repeat("a;", 4000), strings.Repeat("permessage-deflate,", 500), strings.Repeat(",", 8000), strings.Repeat(" ", 8000) + "x",
		strings.Repeat("; ", 4000), "x" + strings.Repeat("\t", 8000) + "y", `"` + strings.Repeat(`\`, 8000), strings.Repeat(`"`, 8000),
		"permessage-deflate; client_max_window_bits=" + strings.Repeat("9", 4000), strings.Repeat("permessage-deflate; client_max_window_bits, ", 200),
		"permessage-deflate; client_max_window_bits=8; client_max_window_bits=16; server_max_window_bits=-1",
		"permessage-deflate; " + strings.Repeat("x=1; ", 1500), "__proto__", "constructor; prototype=__proto__, toString", "a=" + strings.Repeat("=", 8000),
		strings.Repeat("permessage-deflate; server_no_context_takeover; ", 160), "x\x80\xff; \xc3\x28", strings.Repeat("a", 15000),
	} {
		for _, name := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Upgrade", "Connection", "Origin"} {
			took, status := time.Hour, ""
			for try := 0; try < 20 && took > limit; try++ { // the best of them is without what else the machine does
				c := connect(t, addr)
				begin := time.Now()
				c.write([]byte(request(version, version+name+": "+value+"\r\n")))
				status = c.response().Status
				took = min(took, time.Since(begin))
				c.conn.Close()
			}
			if took > limit || status[0] == '5' {
				t.Errorf("%s: %.30q... (%d bytes): %s in %v", name, value, len(value), status, took)
			}
		}
	}
}

// A length that is only announced costs nothing.
func TestAnnouncedLengthsTakeNoMemory(t *testing.T) {
	const clients, each = 20, 2 << 20
	addr := listen(t, mirrors(&engine.Server{}))
	for name, bytes := range map[string][]byte{
		"a text over the limit":           framed(fin|opText, 127, []byte{0, 0, 0, 1, 0, 0, 0, 0}, "4"),
		"a text of nearly the limit":      framed(fin|opText, 127, []byte{0, 0, 0, 0, 0, 0x0f, 0x42, 0x40}, "4"),
		"a binary message of 2^63-1":      framed(fin|opBinary, 127, []byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, "x"),
		"the top bit":                     framed(fin|opBinary, 127, []byte{0xff, 255, 255, 255, 255, 255, 255, 255}, "x"),
		"a sum that overflows, of texts":  join(frame(opText, "4x"), framed(opCont, 127, []byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, "x")),
		"a sum that overflows, of binary": join(frame(opBinary, "4x"), framed(opCont, 127, []byte{0x7f, 255, 255, 255, 255, 255, 255, 255}, "x")),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range clients {
			c := openSocket(t, addr)
			c.write(bytes)
			c.write(frame(fin|opPing, "")) // as part of the payload, or for nothing
			c.conn.Close()
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / clients; n > each {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// endless yields bytes of one kind, as many as are wanted.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// A message far over the limit is refused as soon as it is seen to be, by any transport.
func TestHugeMessagesAreRefusedInLittleMemory(t *testing.T) {
	const huge, most = 100 << 20, 16 << 20
	srv := &engine.Server{}
	srv.Accept = func(s *engine.Session, _ *http.Request) (engine.Receiver, error) {
		return &deaf{mirror{session: s}}, nil
	}
	addr := listen(t, srv)
	webSocket := func(op byte) string {
		c := openSocket(t, addr)
		defer c.conn.Close()
		go func() {
			piece := strings.Repeat("4", 64<<10)
			c.write(frame(op, piece))
			more := frame(opCont, piece)
			for range huge / len(piece) {
				if _, err := c.conn.Write(more); err != nil {
					return
				}
			}
		}()
		return c.next()
	}
	post := func(kind byte, size int64) string {
		var open struct{ SID string }
		url := "http://" + addr + "/engine.io/?EIO=4&transport=polling"
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		json.Unmarshal(body[1:], &open)
		r, _ := http.NewRequest("POST", url+"&sid="+open.SID, io.MultiReader(strings.NewReader(string(kind)), io.LimitReader(endless('A'), huge-1)))
		r.ContentLength = size
		resp, err = http.DefaultClient.Do(r)
		if err != nil {
			return "the connection is cut off" // while the body was being written
		}
		resp.Body.Close()
		return resp.Status
	}
	defer http.DefaultClient.CloseIdleConnections()
	for name, tt := range map[string]struct {
		send func() string
		want string
	}{
		"text in fragments":           {func() string { return webSocket(opText) }, "close 1009"},
		"text in a POST":              {func() string { return post('4', huge) }, "413"},
		"text in a POST of no length": {func() string { return post('4', -1) }, "413"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if got := tt.send(); !strings.HasPrefix(got, tt.want) && !strings.HasSuffix(got, "cut off") {
			t.Errorf("%s: %s; want %s", name, got, tt.want)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > most {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// crumbs are a binary message in fragments of a size.
func crumbs(n, size int) []byte {
	piece := strings.Repeat("x", size)
	return join(frame(opBinary, piece), bytes.Repeat(frame(opCont, piece), n-2), frame(fin|opCont, piece))
}

func TestFragmentsOfAStreamAreLargeOnAverage(t *testing.T) {
	addr := listen(t, mirrors(&engine.Server{}))
	for _, tt := range []struct {
		n, size int
		want    string
	}{
		{1024, 1, ""}, {1025, 1, "close 1008"}, {5000, 511, "close 1008"}, {5000, 512, ""}, {5000, 0, "close 1008"},
	} {
		c := openSocket(t, addr)
		go c.write(crumbs(tt.n, tt.size))
		want := tt.want
		if want == "" {
			want = "binary " + short(bytes.Repeat([]byte("x"), tt.n*tt.size))
		}
		if got := c.next(); got != want {
			t.Errorf("%d fragments of %d bytes: %q; want %q", tt.n, tt.size, got, want)
		}
		c.conn.Close()
	}
}

// TestPongsThatNobodyReadsAreOne floods a server with pings, whose answers wait.
func TestPongsThatNobodyReadsAreOne(t *testing.T) {
	const pings, slack = 50_000, 16 << 20
	addr := listen(t, mirrors(&engine.Server{}))
	c := openSocket(t, addr)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ping := func(n int) []byte { return frame(fin|opPing, fmt.Sprintf("%0125d", n)) }
	var batch []byte
	for n := 1; n <= pings; n++ {
		if batch = append(batch, ping(n)...); n%1000 == 0 {
			if _, err := c.conn.Write(batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+slack {
		t.Errorf("%d bytes more are in use", after.HeapAlloc-before.HeapAlloc)
	}
	c.write(frame(fin|opText, "4the end"))
	pongs, last := 0, ""
	for got := c.next(); got != "text 4the end"; got = c.next() {
		if !strings.HasPrefix(got, "pong ") || got <= last {
			t.Fatalf("after %q came %q", last, got)
		}
		pongs, last = pongs+1, got
	}
	if want := fmt.Sprintf("pong %0125d", pings); last != want {
		t.Errorf("the last pong is %q; want the newest", last)
	}
	t.Logf("%d pongs came for %d pings", pongs, pings)
}

// deaf takes what comes, and says ok.
type deaf struct{ mirror }

func (d *deaf) Receive(m engine.Message) error {
	if m.Body != nil {
		io.Copy(io.Discard, m.Body)
	}
	return d.mirror.Receive(engine.Message{Text: []byte("ok")})
}

// TestBuffersNeverShowWhatWasInThem fills the memory of a server with a mark, which must then not come back: not behind a short
// close frame, not behind a pong, not to anybody else.
func TestBuffersNeverShowWhatWasInThem(t *testing.T) {
	const mark = 0xa5
	srv := &engine.Server{Accept: func(s *engine.Session, _ *http.Request) (engine.Receiver, error) {
		return &deaf{mirror{session: s}}, nil
	}}
	addr := listen(t, srv)
	canary := strings.Repeat(string([]byte{mark}), 100_000)
	short := []conversation{
		comes("", "pong ", frame(fin|opPing, "")),
		comes("", "pong x", frame(fin|opPing, "x")),
		comes("", "text 4ok", frame(fin|opText, "4x")),
		closes("", "", frame(fin|opClose, "")),
		closes("", "1000", frame(fin|opClose, status(1000, ""))),
		fails("", 1002, frame(fin|opClose, "\x03")),
		fails("", 1007, frame(fin|opText, "4\xff")),
	}
	for i := range 140 {
		filler := openSocket(t, addr)
		filler.write(join(frame(fin|opBinary, canary), frame(opBinary, canary[:5000]), frame(fin|opPong, canary[:125]), frame(fin|opCont, canary[:1000])))
		if got := filler.next(); got != "text 4ok" {
			t.Fatalf("came %q", got)
		}
		for _, c := range []*tcp{filler, openSocket(t, addr)} {
			conv := short[i%len(short)]
			c.write(conv.send)
			c.conn.(interface{ CloseWrite() error }).CloseWrite()
			rest, _ := io.ReadAll(c.r)
			if bytes.IndexByte(rest, mark) >= 0 {
				t.Fatalf("%x came back", rest)
			}
			c.conn.Close()
		}
	}
}
