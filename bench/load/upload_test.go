package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/relay"
	"sluice/relay/archive"
	"sluice/relay/sockets"
	"sluice/sio"
	"sluice/storage/dir"
)

// uploadAll has two senders upload for a moment, and returns what is wrong.
func uploadAll(t *testing.T, u Uploader, addr string, m *Message) error {
	t.Helper()
	all, err := Upload(t.Context(), u, addr, "room", m, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if err := all.Flow(t.Context(), 20*time.Millisecond); err != nil {
		return err
	}
	if all.Sent() < 2 {
		t.Errorf("%d messages were sent; want one of each sender at least", all.Sent())
	}
	return all.Verify()
}

func TestUploadsToARelay(t *testing.T) {
	if err := uploadAll(t, Relay{}, roomRelay(t, asItIs), Noise(64<<10)); err != nil {
		t.Error(err)
	}
}

func TestUploadsToSluiceAreProved(t *testing.T) {
	addr := media(t)
	for _, m := range []*Message{Noise(1 << 10), Noise(64 << 10), Noise(1 << 20)} { // the last in several chunks
		all, err := Upload(t.Context(), Sluice{}, addr, "room "+strconv.Itoa(m.Size()), m, 2, 4)
		if err != nil {
			t.Fatal(err)
		}
		if err := all.Flow(t.Context(), 20*time.Millisecond); err != nil {
			t.Error(err)
		}
		if err := all.Verify(); err != nil {
			t.Error(err)
		}
		all.counts[1]++ // as if one had been lost
		if err := all.Verify(); err == nil || !strings.Contains(err.Error(), "sender 1") {
			t.Errorf("Verify = %v; want that sender 1 lacks something", err)
		}
		all.Close()
	}
}

// media starts the doors of sluice that uploads go through, and returns their address.
func media(t *testing.T) string {
	t.Helper()
	store, err := dir.Open(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	kept := &archive.Archive{Store: store}
	t.Cleanup(func() { kept.Close(context.Background()) })
	hub := &relay.Hub{Dir: filepath.Join(t.TempDir(), "spool"), Archive: kept}
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close() })
	server := &sio.Server{}
	(&sockets.Door{Hub: hub}).Mount(server.Of("/"))
	return serve(t, server)
}

func TestUploadsToTheLimit(t *testing.T) {
	if err := uploadAll(t, Raw{}, sink(t, 0), Noise(64<<10)); err != nil {
		t.Error(err)
	}
	if err := uploadAll(t, Raw{}, sink(t, 1), Noise(64<<10)); err == nil {
		t.Error("acks of nothing were taken")
	}
}

// sink starts a server that acknowledges messages as the limit does, each with so many bytes too many.
func sink(t *testing.T, more int) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { listener.Close() })
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { sinkOne(conn, more) })
		}
	})
	return listener.Addr().String()
}

func sinkOne(conn net.Conn, more int) {
	defer conn.Close()
	io.ReadFull(conn, make([]byte, len("sink 65536\n")))
	for {
		if _, err := io.ReadFull(conn, make([]byte, 64<<10)); err != nil {
			return
		}
		conn.Write(make([]byte, 1+more))
	}
}

// tus is a server of one upload after the other.
type tus struct {
	fault string // what is wrong with it

	mu    sync.Mutex
	files map[string][]byte // guarded by mu
}

const (
	spoils  = "what it keeps is not what came"
	forgets = "it does not keep the last byte of a PATCH"
)

func (s *tus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case "POST":
		name := "/files/" + strconv.Itoa(len(s.files))
		s.files[name] = nil
		w.Header().Set("Location", "http://"+r.Host+name)
		w.WriteHeader(http.StatusCreated)
	case "PATCH":
		body, _ := io.ReadAll(r.Body)
		if s.fault == forgets && len(body) > 0 {
			body = body[:len(body)-1]
		}
		if s.fault == spoils && len(body) > 0 {
			body[0] ^= 1
		}
		if r.Header.Get("Upload-Offset") != strconv.Itoa(len(s.files[r.URL.Path])) {
			w.WriteHeader(http.StatusConflict)
			return
		}
		s.files[r.URL.Path] = append(s.files[r.URL.Path], body...)
		w.Header().Set("Upload-Offset", strconv.Itoa(len(s.files[r.URL.Path])))
		w.WriteHeader(http.StatusNoContent)
	case "GET":
		w.Write(s.files[r.URL.Path])
	}
}

func TestUploadsToTusAreProved(t *testing.T) {
	for _, test := range []struct{ name, fault, want string }{
		{"an honest one", "", ""},
		{"one that forgets", forgets, "offset"},
		{"one that spoils", spoils, "SHA-256"},
	} {
		t.Run(test.name, func(t *testing.T) {
			web := httptest.NewServer(&tus{files: map[string][]byte{}, fault: test.fault})
			defer web.Close()
			err := uploadAll(t, Tus{}, strings.TrimPrefix(web.URL, "http://"), Noise(64<<10))
			if (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("upload: %v; want %q", err, test.want)
			}
		})
	}
}

func TestFlightHoldsASenderBackUntilAnAckComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlight(2)
		sent := 0
		go func() {
			for range 3 {
				f.take(t.Context(), nil)
				sent++
			}
		}()
		synctest.Wait()
		if sent != 2 {
			t.Errorf("%d are under way; want 2", sent)
		}
		f.land()
		synctest.Wait()
		if sent != 3 {
			t.Errorf("%d were sent after an ack; want 3", sent)
		}
	})
}

func TestFlightCountsAcks(t *testing.T) {
	f := newFlight(2)
	f.take(t.Context(), nil)
	f.land()
	if err := f.empty(t.Context(), nil, 2); err == nil {
		t.Error("one ack was taken for two")
	}
	ended := make(chan struct{})
	close(ended)
	f = newFlight(1)
	f.take(t.Context(), nil)
	if err := f.empty(t.Context(), ended, 1); err == nil {
		t.Error("an ack that cannot come any more was not missed")
	}
}
