package admin

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"

	"sluice/sio"
	"sluice/sio/client"
	"sluice/sio/siotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a server with the UI on a network in memory; tests run in a bubble.
type site struct {
	t   *testing.T
	io  *sio.Server
	srv *siotest.Server
	ui  *UI
}

func start(t *testing.T, o Options) *site {
	t.Helper()
	s := &site{t: t, io: &sio.Server{Logger: slog.New(slog.DiscardHandler)}}
	s.io.Of("/")
	s.ui = Instrument(s.io, o)
	s.srv = siotest.NewServer(s.io)
	t.Cleanup(func() {
		s.ui.Close()
		s.srv.Close()
	})
	return s
}

// client connects an ordinary client.
func (s *site) client(o client.Options) *client.Client {
	s.t.Helper()
	if o.Transports == nil {
		o.Transports = []string{client.WebSocket}
	}
	c, err := s.srv.Dial(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// poller is a client that does by hand what a test is about.
type poller struct {
	t    *testing.T
	s    *site
	http *http.Client
	url  string // with the session's id
}

// poll opens a connection on polling.
func (s *site) poll() *poller {
	s.t.Helper()
	p := &poller{t: s.t, s: s, http: s.srv.Client(), url: s.srv.URL + "/socket.io/?EIO=4&transport=polling"}
	s.t.Cleanup(p.http.CloseIdleConnections)
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(p.get()[1:]), &open); err != nil {
		s.t.Fatal(err)
	}
	p.url += "&sid=" + open.SID
	return p
}

func (p *poller) get() string { return p.body(p.http.Get(p.url)) }

func (p *poller) post(packet string) {
	p.body(p.http.Post(p.url, "text/plain", strings.NewReader(packet)))
}

func (p *poller) body(resp *http.Response, err error) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

// upgrade moves to WebSocket.
func (p *poller) upgrade() {
	p.t.Helper()
	d := ws.Dialer{NetDial: p.s.srv.DialContext}
	conn, _, _, err := d.Dial(p.t.Context(), strings.Replace(strings.Replace(p.url, "polling", "websocket", 1), "http", "ws", 1))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	wsutil.WriteClientText(conn, []byte("2probe")) // a connection that is closed is seen by reading
	if got, err := wsutil.ReadServerText(conn); err != nil || string(got) != "3probe" {
		p.t.Fatalf("heard %q, %v", got, err)
	}
	wsutil.WriteClientText(conn, []byte("5"))
}

// viewer is a client that says what the page says, and takes down what it is told.
type viewer struct {
	t     *testing.T
	c     *client.Client
	news  chan told // all but server_stats
	stats chan told
}

type told struct {
	name string
	args []json.RawMessage
}

// visit opens a page; the error says why it is not let in.
func (s *site) visit(auth any) (*viewer, error) {
	s.t.Helper()
	c, err := client.New(s.srv.URL, client.Options{
		Namespace: s.ui.options.Namespace, Auth: auth, Transports: []string{client.WebSocket}, DialContext: s.srv.DialContext,
		NoReconnect: true, MaxEventBytes: 64 << 20,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	v := &viewer{t: s.t, c: c, news: make(chan told, 100_000), stats: make(chan told, 100_000)}
	c.OnUnknown(func(e *client.Event) {
		args, _ := e.Split()
		if e.Name == "server_stats" {
			v.stats <- told{e.Name, args}
		} else {
			v.news <- told{e.Name, args}
		}
	})
	s.t.Cleanup(func() { c.Close() })
	return v, c.Connect(s.t.Context())
}

// open opens a page that is let in, and passes over its config.
func (s *site) open() *viewer {
	s.t.Helper()
	v, err := s.visit(map[string]any{"username": "admin", "password": "right"})
	if err != nil {
		s.t.Fatal(err)
	}
	for v.next().name != "config" {
	}
	return v
}

// watch opens a page that knows all sockets.
func (s *site) watch() *viewer {
	s.t.Helper()
	v := s.open()
	if got := v.next(); got.name != "all_sockets" {
		s.t.Fatalf("told %v; want all_sockets", got)
	}
	return v
}

// next returns what the page is told next, numbers apart.
func (v *viewer) next() told {
	v.t.Helper()
	return receive(v.t, v.news)
}

// until passes over what comes before an event.
func (v *viewer) until(name string) told {
	v.t.Helper()
	for {
		if got := v.next(); got.name == name {
			return got
		}
	}
}

// numbers returns the next server_stats.
func (v *viewer) numbers() (st shownStats) {
	v.t.Helper()
	receive(v.t, v.stats).decode(v.t, 0, &st)
	return st
}

// quiet fails if the page is told anything in a while.
func (v *viewer) quiet() {
	v.t.Helper()
	select {
	case got := <-v.news:
		v.t.Errorf("told %v", got)
	case <-time.After(time.Minute):
	}
}

func (v *viewer) emit(event string, args ...any) {
	v.t.Helper()
	if err := v.c.Emit(event, args...); err != nil {
		v.t.Fatal(err)
	}
}

func (h told) decode(t *testing.T, i int, v any) {
	t.Helper()
	if err := json.Unmarshal(h.args[i], v); err != nil {
		t.Fatalf("%s: %v", h, err)
	}
}

// String returns the event as one line, times apart.
func (h told) String() string {
	words := []string{h.name}
	for _, arg := range h.args {
		words = append(words, string(arg))
	}
	return times.ReplaceAllString(strings.Join(words, " "), "T")
}

var times = regexp.MustCompile(`"2000-01-01T00:0\d:\d\d\.\d\d\dZ"`)

// sockets returns the sockets of an all_sockets that are in a namespace.
func (h told) sockets(t *testing.T, namespace string) (in []shownSocket) {
	t.Helper()
	var all []shownSocket
	h.decode(t, 0, &all)
	for _, s := range all {
		if s.Namespace == namespace {
			in = append(in, s)
		}
	}
	return in
}

// receive takes a value, in time: that of the bubble.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// right is an Authenticate.
func right(username, password string) bool { return username == "admin" && password == "right" }

// expect compares what a page is told next, with an id in it replaced.
func (v *viewer) expect(id string, want ...string) {
	v.t.Helper()
	var got []string
	for range want {
		got = append(got, strings.ReplaceAll(v.next().String(), `"`+id+`"`, `"ID"`))
	}
	if !slices.Equal(got, want) {
		v.t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
