package load

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/sio"
)

// roomRelay starts a room relay and returns its address. spoil is what becomes of the attachments.
func roomRelay(t *testing.T, spoil func([]byte) []byte) string {
	t.Helper()
	server := &sio.Server{MaxEventBytes: 4 << 20, MaxQueuedBytes: 16 << 20, Deflate: &sio.Deflate{}}
	ns := server.Of("/")
	ns.On("join", func(e *sio.Event) {
		e.Socket.Join("room")
		e.Ack()
	})
	ns.On("chunk", func(e *sio.Event) {
		var meta json.RawMessage
		var data []byte
		if e.Decode(1, &meta) == nil && e.Decode(2, &data) == nil {
			e.Socket.To("room").Emit("chunk", meta, spoil(data))
		}
	})
	ns.On("upload", func(e *sio.Event) { e.Ack() })
	return serve(t, server)
}

// serve returns the address of server, which is shut down when the test ends.
func serve(t *testing.T, server *sio.Server) string {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	t.Cleanup(func() { server.Shutdown(context.Background()) })
	return strings.TrimPrefix(web.URL, "http://")
}

func asItIs(data []byte) []byte { return data }

func TestRoomsFlowOverEveryWire(t *testing.T) {
	addr := roomRelay(t, asItIs)
	for name, options := range map[string]Options{
		"websocket":          {},
		"permessage-deflate": {Deflate: NewInflater()},
		"polling":            {Polling: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, m := range []*Message{Noise(1 << 10), Text(64 << 10), Noise(256 << 10)} {
				const subscribers, messages = 3, 5
				r, err := Join(t.Context(), Relay{}, addr, "room", m, subscribers, options, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Pace(t.Context(), messages, 0); err != nil {
					t.Error(err)
				}
				r.Close()
				if r.Sent() != messages || r.Failed() != 0 {
					t.Errorf("%d sent, %d connects failed; want %d and none", r.Sent(), r.Failed(), messages)
				}
				if compressed := r.BytesIn() < int64(subscribers*messages*m.Size()/2); compressed != (options.Deflate != nil && m.Size() == 64<<10) {
					t.Errorf("%d bytes came of %d x %d x %d", r.BytesIn(), subscribers, messages, m.Size())
				}
			}
		})
	}
}

func TestARoomNoticesASpoiledByte(t *testing.T) {
	addr := roomRelay(t, func(data []byte) []byte {
		data[len(data)/2] ^= 1
		return data
	})
	for _, polling := range []bool{false, true} {
		r, err := Join(t.Context(), Relay{}, addr, "room", Noise(1000), 2, Options{Polling: polling}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Pace(t.Context(), 1, 0); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("Pace = %v; want a checksum that differs", err)
		}
		r.Close()
	}
}

func TestDialInsistsOnDeflate(t *testing.T) {
	_, err := Dial(t.Context(), serve(t, &sio.Server{}), Options{Deflate: NewInflater()})
	if err == nil || !strings.Contains(err.Error(), "permessage-deflate") {
		t.Errorf("Dial = %v; want that it was not negotiated", err)
	}
}

func TestPaceStampsWhenAMessageWasDue(t *testing.T) {
	began := time.Now()
	due := make(chan time.Time, 4)
	r, err := Join(t.Context(), Relay{}, roomRelay(t, asItIs), "room", Noise(1000), 1, Options{}, func(_ int64, at time.Time) { due <- at })
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Pace(t.Context(), 2, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	first, second := <-due, <-due
	if first.Before(began) || second.Sub(first) != time.Millisecond {
		t.Errorf("due at %v and %v; want them a millisecond apart", first, second)
	}
}
