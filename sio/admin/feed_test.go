package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/sio"
	"sluice/sio/client"
)

// inABubble runs a test of a site.
func inABubble(t *testing.T, o Options, f func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, start(t, o)) })
}

func TestAPageIsToldOfWhatThereIs(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		s.io.Of("/").OnConnect(func(s *sio.Socket) {
			s.SetData(map[string]any{"name": "Ada"})
			s.Join("lobby")
		})
		ada := s.client(client.Options{Header: http.Header{"User-Agent": {"test"}}, Query: map[string][]string{"q": {"1"}}})
		synctest.Wait()
		v, err := s.visit(map[string]any{"sessionId": nil})
		if err != nil {
			t.Fatal(err)
		}
		v.expect("", `config {"supportedFeatures":["EMIT","JOIN","LEAVE","DISCONNECT","MJOIN","MLEAVE","MDISCONNECT","AGGREGATED_EVENTS","ALL_EVENTS"]}`)
		all := v.next()
		sockets := all.sockets(t, "/")
		if len(sockets) != 1 || len(all.sockets(t, "/admin")) != 1 {
			t.Fatalf("sockets: %s", all)
		}
		got := sockets[0]
		if got.ID != ada.ID() || len(got.ClientID) != 12 || got.Transport != "websocket" ||
			string(got.Data) != `{"name":"Ada"}` || !slices.Equal(got.Rooms, []string{ada.ID(), "lobby"}) {
			t.Errorf("socket: %s", all)
		}
		var h struct {
			Address, Time, URL string
			Headers            map[string]string
			Query              map[string]string
			Issued             int64
			Secure, XDomain    bool
		}
		if err := json.Unmarshal(got.Handshake, &h); err != nil {
			t.Fatal(err)
		}
		if h.Address == "" || h.Headers["user-agent"] != "test" || h.Query["q"] != "1" || h.Query["EIO"] != "4" ||
			time.Since(time.UnixMilli(h.Issued)) > time.Second || !strings.HasPrefix(h.URL, "/socket.io/?") || !strings.Contains(h.Time, "2000") {
			t.Errorf("handshake: %s", got.Handshake)
		}
	})
}

func TestAPageIsToldOfWhatHappens(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		ns := s.io.Of("/")
		ns.On("enter", func(e *sio.Event) {
			e.Socket.Join("lobby")
			e.Socket.SetData(map[string]string{"name": "Ada"})
			e.Socket.Emit("welcome", "to", map[string]any{"picture": []byte("bytes")})
		})
		ns.On("go", func(e *sio.Event) { e.Socket.Leave("lobby") })
		v := s.watch()
		ada := s.client(client.Options{})
		id := ada.ID()
		v.expect(id, `room_joined "/" "ID" "ID" T`)
		if got := v.next(); got.name != "socket_connected" || !strings.Contains(got.String(), `"rooms":["`+id+`"]} T`) {
			t.Errorf("told %s", got)
		}
		ada.Emit("enter", 1, []byte("x"))
		v.expect(id,
			`event_received "/" "ID" ["enter",1,"binary"] T`,
			`room_joined "/" "lobby" "ID" T`,
			`socket_updated {"data":{"name":"Ada"},"id":"ID","nsp":"/"}`,
			`event_sent "/" "ID" ["welcome","to",{"picture":"binary, 5 B"}] T`,
		)
		ada.Emit("go")
		v.expect(id, `event_received "/" "ID" ["go"] T`, `room_left "/" "lobby" "ID" T`)
		ada.Close()
		v.expect(id, `room_left "/" "ID" "ID" T`)
		if got := v.next().String(); !strings.HasPrefix(got, `socket_disconnected "/" "`+id+`" "`) || !strings.HasSuffix(got, `" T`) {
			t.Errorf("told %s", got)
		}
		v.quiet()
	})
}

func TestAPageIsToldOfUpgrades(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.watch()
		p := s.poll()
		p.post("40")
		p.get()
		var joined shownSocket
		if v.until("socket_connected").decode(t, 0, &joined); joined.Transport != "polling" {
			t.Errorf("it came on %s", joined.Transport)
		}
		p.upgrade()
		v.expect(joined.ID, `socket_updated {"id":"ID","nsp":"/","transport":"websocket"}`)
	})
}

func TestNamespacesThatComeLaterAreWatchedToo(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		s.io.OfFunc(func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, "/room-") })
		v := s.watch()
		v.numbers()
		c := s.client(client.Options{Namespace: "/room-1"})
		if got := v.until("socket_connected").String(); !strings.Contains(got, `"nsp":"/room-1"`) {
			t.Errorf("told %s", got)
		}
		if got := v.numbers().Namespaces; !slices.Contains(got, shownNamespace{"/room-1", 1}) {
			t.Errorf("namespaces: %v", got)
		}
		s.obeyed(v, "_disconnect", "/room-1", true, c.ID())
		if got := v.until("socket_disconnected").String(); !strings.Contains(got, `"/room-1"`) {
			t.Errorf("told %s", got)
		}
		if got := v.numbers().Namespaces; slices.ContainsFunc(got, func(ns shownNamespace) bool { return ns.Name == "/room-1" }) {
			t.Errorf("a namespace that has ended was held: %v", got)
		}
	})
}

func TestReasonsOfDisconnectsAreNodes(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.watch()
		s.client(client.Options{NoReconnect: true})
		v.until("socket_connected")
		s.io.Of("/").DisconnectSockets(true)
		if got := v.until("socket_disconnected").String(); !strings.Contains(got, `"server namespace disconnect"`) {
			t.Errorf("told %s", got)
		}
	})
}

func TestPagesAreNotToldOfEachOthersEvents(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		other := &site{t: t, io: s.io, srv: s.srv, ui: Instrument(s.io, Options{Open: true, Verbose: true, Namespace: "/other"})}
		defer other.ui.Close()
		pages := []*viewer{s.watch(), s.watch(), other.watch()}
		for _, v := range pages {
			v.emit("anything", 1)
			v.emit("join", "/", "room", "nobody")
		}
		time.Sleep(time.Minute) // of the bubble
		synctest.Wait()
		for _, v := range pages {
			for len(v.news) > 0 {
				if got := <-v.news; strings.HasPrefix(got.name, "event_") {
					t.Errorf("told %s", got)
				}
			}
		}
	})
}

func TestNumbersComeEveryTwoSeconds(t *testing.T) {
	inABubble(t, Options{Open: true, ServerID: "one"}, func(t *testing.T, s *site) {
		v := s.open()
		first := v.numbers()
		if first.ServerID != "one" || first.PID == 0 || first.Clients != 1 || len(first.Events) != 0 || first.Hostname == "" {
			t.Errorf("first: %+v", first)
		}
		c := s.client(client.Options{})
		p := s.client(client.Options{Transports: []string{client.Polling}})
		c.Emit("unheeded")
		c.Close()
		began := time.Now()
		for sum := map[string]uint64{}; ; {
			st := v.numbers()
			for _, e := range st.Events {
				sum[e.Type+" "+e.SubType] += e.Count
				if e.Timestamp%1000 != 0 || time.Since(time.UnixMilli(e.Timestamp)) > 2*time.Second {
					t.Errorf("timestamp: %v", e)
				}
			}
			if sum["rawDisconnection transport close"] == 0 {
				continue
			}
			if sum["rawConnection "] != 2 || sum["packetsIn "] < 3 || sum["packetsOut "] < 2 || sum["bytesIn "] < 20 || sum["bytesOut "] < 20 {
				t.Errorf("counted: %v", sum)
			}
			if st.Clients != 2 || st.Polling != 1 || st.Uptime <= 0 {
				t.Errorf("numbers: %+v", st)
			}
			if want := []shownNamespace{{"/", 1}, {"/admin", 1}}; !slices.Equal(st.Namespaces, want) {
				t.Errorf("namespaces: %v; want %v", st.Namespaces, want)
			}
			break
		}
		v.numbers()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		p.Close()
		v.quiet() // nothing of single sockets
	})
}

func TestNobodyIsWatchedWhileNoPageIsOpen(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		running := func() bool {
			synctest.Wait()
			s.ui.mu.Lock()
			defer s.ui.mu.Unlock()
			return s.ui.feed != nil
		}
		if running() {
			t.Error("before the first page")
		}
		v, w := s.watch(), s.watch()
		feed := s.ui.feed
		v.c.Close()
		if !running() {
			t.Error("it stopped while there was a page")
		}
		w.c.Close()
		if running() {
			t.Error("after the last page")
		}
		feed.notes.take() // the end of the last page
		s.client(client.Options{})
		synctest.Wait()
		if noted := feed.notes.take(); len(noted) > 0 {
			t.Errorf("%d things were noted that nobody reads", len(noted))
		}
		if got := s.watch(); got == nil {
			t.Error("it did not begin anew")
		}
	})
}

func TestCloseEndsPagesAndLetsInNoMore(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.watch()
		s.ui.Close()
		s.ui.Close()
		select {
		case <-v.c.Context().Done():
		case <-time.After(time.Minute):
			t.Error("the page is still there")
		}
		if _, err := s.visit(nil); err == nil {
			t.Error("a page was let in")
		}
		if c := s.client(client.Options{}); c.ID() == "" {
			t.Error("others are not let in any more")
		}
	})
}

func TestWhatIsLongOrSecretIsNotShown(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		s.io.Of("/").On("join", func(e *sio.Event) {
			e.Socket.Join(strings.Repeat("r", maxNameBytes+1), "short")
			e.Socket.SetData(strings.Repeat("d", maxShownBytes))
			e.Socket.SetData(make(chan int))
			e.Socket.SetData(explosive{})
			e.Socket.SetData(7)
		})
		v := s.watch()
		ada := s.client(client.Options{
			Header: http.Header{"Authorization": {"Bearer secret"}, "Cookie": {"sid=secret"}, "Proxy-Authorization": {"secret"}, "X-Forwarded-For": {"192.0.2.1"}},
			Auth:   map[string]string{"token": "secret"},
		})
		v.next()
		if got := v.next().String(); strings.Contains(got, "secret") || !strings.Contains(got, `"address":"192.0.2.1"`) {
			t.Errorf("told %s", got)
		}
		ada.Emit("join", strings.Repeat("x", maxShownBytes))
		v.expect(ada.ID(), `event_received "/" "ID" ["join","4098 bytes, too long to be shown"] T`, `room_joined "/" "short" "ID" T`)
		for v.next().String() != fmt.Sprintf(`socket_updated {"data":{"value":7},"id":%q,"nsp":"/"}`, ada.ID()) {
		}
		s.client(client.Options{Header: http.Header{"X-Long": {strings.Repeat("h", maxShownBytes)}, "Origin": {"http://siotest"}}})
		if got := v.until("socket_connected").String(); len(got) > maxShownBytes || !strings.Contains(got, `"too-long"`) || !strings.Contains(got, `"xdomain":true`) {
			t.Errorf("told %s", got)
		}
	})
}

// explosive panics when it is encoded.
type explosive struct{}

func (explosive) MarshalJSON() ([]byte, error) { panic("boom") }

func TestWhatDataCannotBeEncodedIsSaid(t *testing.T) {
	for _, data := range []any{explosive{}, make(chan int)} {
		if got := string(shownData(data)); got != `{"error":"it cannot be encoded"}` {
			t.Errorf("%T: %s", data, got)
		}
	}
	if got := string(shownData(strings.Repeat("d", maxShownBytes))); got != `{"error":"4098 bytes, too long to be shown"}` {
		t.Errorf("long data: %s", got)
	}
	if got := string(shownData(nil)); got != "{}" {
		t.Errorf("no data: %s", got)
	}
}

func TestOfTooManyEventsSomeAreLeftOut(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.watch()
		ada := s.client(client.Options{})
		v.until("socket_connected")
		room := s.io.Of("/").To(ada.ID())
		for range 10 * maxEvents {
			room.Emit("tick")
		}
		s.io.Of("/").SocketsJoin("after")
		seen := 0
		for got := v.next(); got.name != "room_joined"; got = v.next() {
			seen++
		}
		if seen < 1 || seen > 2*maxEvents {
			t.Errorf("%d events were told; want at most %d", seen, 2*maxEvents)
		}
	})
}

func TestWhenTooMuchHappensThePageGetsTheSocketsAnew(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.watch()
		ada := s.client(client.Options{})
		v.until("socket_connected")
		mine := s.io.Of("/").To(ada.ID())
		for i := range maxNotes {
			mine.SocketsJoin(fmt.Sprint("room", i))
			mine.SocketsLeave(fmt.Sprint("room", i))
		}
		mine.SocketsJoin("last")
		for {
			sockets := v.until("all_sockets").sockets(t, "/")
			if len(sockets) == 1 && slices.Equal(sockets[0].Rooms, []string{ada.ID(), "last"}) {
				break
			}
		}
		mine.SocketsJoin("next")
		v.expect(ada.ID(), `room_joined "/" "next" "ID" T`)
	})
}

func TestAPageThatReadsTooSlowlyHoldsUpNobodyAndGetsTheSocketsAnew(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		s.io.MaxQueuedBytes = 10_000
		s.io.Of("/").On("echo", func(e *sio.Event) { e.Ack() })
		c, err := client.New(s.srv.URL, client.Options{
			Namespace: "/admin", Transports: []string{client.WebSocket}, DialContext: s.srv.DialContext, MaxQueuedBytes: 100,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		v := &viewer{t: t, c: c, news: make(chan told)} // it takes down nothing that nobody reads
		c.On("server_stats", func(*client.Event) {})
		c.OnUnknown(func(e *client.Event) {
			args, _ := e.Split()
			select {
			case v.news <- told{e.Name, args}:
			case <-c.Context().Done():
			}
		})
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.until("all_sockets")
		ada := s.client(client.Options{})
		for i := range 200 {
			s.io.Of("/").SocketsJoin(fmt.Sprint(strings.Repeat("r", 200), i)) // more than lies between server and page
			if i%10 == 0 {
				if _, err := ada.EmitWithAck(t.Context(), "echo"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(feedInterval) // of the bubble
			}
		}
		rooms, anew := map[string]bool{}, 0 // as the page knows them
		for len(rooms) < 201 {
			switch got := v.next(); got.name {
			case "room_joined":
				var room string
				got.decode(t, 1, &room)
				rooms[room] = true
			case "all_sockets":
				clear(rooms)
				for _, room := range got.sockets(t, "/")[0].Rooms {
					rooms[room] = true
				}
				anew++
			}
		}
		if anew == 0 {
			t.Error("the page was never behind")
		}
	})
}

func TestWhatIsKnownOfSocketsIsBounded(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		long := strings.Repeat("r", maxNameBytes-10)
		s.io.Of("/").OnConnect(func(s *sio.Socket) {
			for i := range maxShownRooms + 100 {
				s.Join(fmt.Sprint(long, i))
			}
		})
		for range maxRosterBytes/(len(long)*maxShownRooms) + 3 {
			s.client(client.Options{})
		}
		synctest.Wait()
		v := s.open()
		all := v.next()
		sockets := all.sockets(t, "/")
		if size := len(all.args[0]); size > maxRosterBytes*5/4 || size < maxRosterBytes*3/4 {
			t.Errorf("%d bytes for %d sockets; the limit is %d", size, len(sockets), maxRosterBytes)
		}
		if n := len(sockets[0].Rooms); n != maxShownRooms {
			t.Errorf("a socket in %d rooms; the limit is %d", n, maxShownRooms)
		}
		r := newRoster(s.io)
		for socket := range r.sockets {
			r.remove(socket)
		}
		if r.bytes != 0 || len(r.sockets) != 0 {
			t.Errorf("%d bytes are left of %d sockets", r.bytes, len(r.sockets))
		}
	})
}

func TestARosterIsRightHoweverNotesAndSocketsOverlap(t *testing.T) {
	inABubble(t, Options{Open: true}, func(t *testing.T, s *site) {
		ns := s.io.Of("/")
		notes := newNotes()
		s.io.Watch(notes.watcher())
		stays, goes := s.client(client.Options{}), s.client(client.Options{})
		goes.Close()
		ns.SocketsJoin("in", "out")
		ns.SocketsLeave("out")
		synctest.Wait()
		r := newRoster(s.io) // knows all of it already
		for _, n := range notes.take() {
			r.apply(n)
		}
		all := r.all()
		if len(all) != 1 || all[0].ID != stays.ID() || !slices.Equal(all[0].Rooms, []string{stays.ID(), "in"}) {
			t.Errorf("known: %+v", all)
		}
	})
}
