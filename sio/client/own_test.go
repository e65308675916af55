package client_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"testing"

	"sluice/sio"
	"sluice/sio/client"
	"sluice/sio/siotest"
)

// pattern yields the same bytes again and again, without end.
type pattern struct{ n int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.n % 251)
		p.n++
	}
	return len(b), nil
}

// digest is what a server answers about what it was sent.
type digest struct {
	Announced, Size int64
	SHA256          string
}

func hashAttachments(e *sio.Event) {
	a := e.Attachment()
	d := digest{Announced: a.Size()}
	sum := sha256.New()
	d.Size, _ = io.Copy(sum, a)
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	e.Ack(d)
}

func start(t *testing.T) *siotest.Server {
	srv := &sio.Server{}
	srv.Of("/").OnStream("hash", hashAttachments)
	srv.Of("/").On("echo", func(e *sio.Event) {
		var v any
		e.Decode(0, &v)
		e.Ack(v)
	})
	s := siotest.NewServer(srv)
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *siotest.Server, transports ...string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), s.URL, client.Options{DialContext: s.DialContext, Transports: transports})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestALargeStreamIsOneMessageInConstantMemory(t *testing.T) {
	const size, memory = 200 << 20, 20 << 20
	c := dial(t, start(t), client.WebSocket)
	sum := sha256.New()
	io.CopyN(sum, &pattern{}, size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	reply, err := c.EmitWithAck(t.Context(), "hash", client.Stream{R: &pattern{}, Size: size})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	var got digest
	if err := reply.Decode(0, &got); err != nil {
		t.Fatal(err)
	}
	// The size is in the header of a frame: the server knows it before the bytes only if all of them are in one.
	if want := (digest{size, size, hex.EncodeToString(sum.Sum(nil))}); got != want {
		t.Errorf("the server got %+v; want %+v", got, want)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > memory {
		t.Errorf("client and server allocated %d bytes for it; want less than %d", used, memory)
	}
}

func TestEveryTransportWorksWithOurServer(t *testing.T) {
	for _, transports := range [][]string{{client.Polling}, {client.WebSocket}, {client.Polling, client.WebSocket}} {
		t.Run(fmt.Sprint(transports), func(t *testing.T) {
			c := dial(t, start(t), transports...)
			reply, err := c.EmitWithAck(t.Context(), "echo", map[string]any{"bin": []byte{0, 30, 255}})
			var got struct{ Bin []byte }
			if err == nil {
				err = reply.Decode(0, &got)
			}
			if err != nil || string(got.Bin) != "\x00\x1e\xff" {
				t.Errorf("echo = %q, %v", got.Bin, err)
			}
			if _, err := c.EmitWithAck(t.Context(), "hash", client.Stream{R: &pattern{}, Size: 1_000_000}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTypedCallsTakeAClient(t *testing.T) {
	type request struct{ A, B int }
	const add sio.Call[request, int] = "add"
	srv := &sio.Server{}
	add.Handle(srv.Of("/"), func(_ context.Context, _ *sio.Socket, q request) (int, error) {
		if q.B == 0 {
			return 0, &sio.Error{Message: "nothing to add"}
		}
		return q.A + q.B, nil
	})
	s := siotest.NewServer(srv)
	defer s.Close()
	c := dial(t, s)
	defer c.Close()
	if sum, err := add.Do(t.Context(), c, request{1, 2}); err != nil || sum != 3 {
		t.Errorf("add = %d, %v; want 3", sum, err)
	}
	if _, err := add.Do(t.Context(), c, request{1, 0}); err == nil || err.Error() != "nothing to add" {
		t.Errorf("add = %v; want the handler's refusal", err)
	}
}
