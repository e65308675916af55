package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"sluice/relay"
	"sluice/sio/client"
)

const (
	maxWindow     = 16 << 20        // bytes that are kept until they are acknowledged, whatever the server would allow
	maxPiece      = 256 << 10       // bytes of a chunk, likewise
	cancelTimeout = 2 * time.Second // for telling the server that an upload is given up
)

// What a connection that came back may bring to light.
var (
	errLostUpload  = errors.New("the server has lost what it had of this stream")
	errEndedUpload = errors.New("the server has ended the stream while it could not be reached")
)

// upload publishes one stream. What is not yet acknowledged, that is durable, is kept and sent again after the connection was
// lost, so that whatever is being sent can be resumed, a pipe too.
type upload struct {
	client *client.Client
	source func(piece int64) *source // begins to read once the server has said how to cut
	meter  *meter
	stop   <-chan struct{}  // closed when the stream is to end with what was read so far; nil: never
	wait   time.Duration    // how long to try again while the server has no room
	say    func(string)     // tells the user
	begun  func(relay.Info) // called when the server has taken the stream on; may be nil

	request publishRequest
	stream  relay.Info
	piece   int64 // bytes of a chunk
	window  int64 // bytes that may be unacknowledged

	pieces *source
	sum    hash.Hash // of what was read
	read   int64     // bytes that were
	acked  int64     // of these, bytes that are durable
	flight []flying  // the rest, in order
	ended  bool      // there is no more to read
}

// flying is a piece that may have to be sent again.
type flying struct {
	offset int64
	data   []byte
	ack    *client.Pending
}

func (f flying) end() int64 { return f.offset + int64(len(f.data)) }

// run publishes, and returns the stream as it ended. Should it fail, the server is told not to wait for the rest.
func (u *upload) run(ctx context.Context) (relay.Info, error) {
	u.request.Key = rand.Text()
	u.sum = sha256.New()
	defer func() {
		if u.pieces != nil {
			u.pieces.close()
		}
	}()
	var waited waited
	for {
		at := u.acked
		err := u.attempt(ctx)
		if err == nil {
			return u.stream, nil
		}
		if u.acked > at {
			waited = 0
		}
		switch {
		case lost(err):
			err = u.client.WaitConnected(ctx)
		case unavailable(err) && time.Duration(waited) < u.wait:
			u.say("the server: " + printable(err.Error()) + "; trying again")
			err = waited.pause(ctx, u.wait)
		}
		if err != nil {
			u.cancel(ctx)
			return u.stream, err
		}
	}
}

// lost reports whether err came of the connection, which may come back.
func lost(err error) bool {
	var d *client.DisconnectError
	return errors.Is(err, client.ErrNotConnected) || errors.As(err, &d)
}

// unavailable reports whether the server cannot do now what it may do later.
func unavailable(err error) bool {
	var refused *relay.Error
	return errors.As(err, &refused) && refused.Code == relay.Unavailable
}

// waited is how long one has waited for a server that has no room.
type waited time.Duration

const longestPause = 10 * time.Second

// pause waits as long as one has waited before, a second at least, but no longer in all than most.
func (w *waited) pause(ctx context.Context, most time.Duration) error {
	pause := min(max(time.Duration(*w), time.Second), longestPause, most-time.Duration(*w))
	*w += waited(pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt publishes over one connection, from where the one before came to.
func (u *upload) attempt(ctx context.Context) error {
	if err := u.publish(ctx); err != nil || u.stream.Whole() {
		return err
	}
	for i := range u.flight {
		if err := u.send(ctx, &u.flight[i]); err != nil {
			return err
		}
	}
	for !u.ended || len(u.flight) > 0 {
		if err := u.step(ctx); err != nil {
			return err
		}
	}
	return u.finish(ctx)
}

// publish begins the stream, or takes it up again.
func (u *upload) publish(ctx context.Context) error {
	p, err := callPublish.do(ctx, u.client, u.request)
	if err != nil {
		return err
	}
	again, other := u.stream.ID != "", u.stream.ID != p.Stream.ID
	u.stream = p.Stream
	switch {
	case again && other, p.Offset < u.acked:
		return errLostUpload
	case p.Stream.Over() && !(u.ended && p.Offset == u.read):
		return errEndedUpload
	case again:
		return nil
	}
	u.piece = min(max(p.Chunk, 1), maxPiece)
	u.window = min(max(p.Window, u.piece), maxWindow)
	u.pieces = u.source(u.piece)
	if u.begun != nil {
		u.begun(p.Stream)
	}
	return nil
}

// step does the next thing that can be done.
func (u *upload) step(ctx context.Context) error {
	var (
		pieces chan []byte
		acked  <-chan struct{}
	)
	if !u.ended && u.read-u.acked < u.window {
		pieces = u.pieces.pieces
	}
	if len(u.flight) > 0 {
		acked = u.flight[0].ack.Done()
	}
	select {
	case data, more := <-pieces:
		if !more {
			u.ended = true
			return u.pieces.err
		}
		return u.take(ctx, data)
	case <-acked:
		return u.settle(ctx)
	case <-u.stop:
		u.ended, u.stop = true, nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take sends what was read.
func (u *upload) take(ctx context.Context, data []byte) error {
	u.sum.Write(data)
	f := flying{offset: u.read, data: data}
	u.read = f.end()
	err := u.send(ctx, &f)
	u.flight = append(u.flight, f)
	return err
}

func (u *upload) send(ctx context.Context, f *flying) (err error) {
	f.ack, err = callChunk.start(ctx, u.client, chunkRequest{Stream: u.stream.ID, Offset: f.offset}, f.data)
	return err
}

// settle takes in the acknowledgement of the oldest piece, which may be one of later pieces, too.
func (u *upload) settle(ctx context.Context) error {
	p, err := callChunk.wait(ctx, u.flight[0].ack)
	if err != nil {
		return err
	}
	if p.Offset < u.flight[0].end() || p.Offset > u.read {
		return fmt.Errorf("the server has acknowledged up to %d what ends at %d", p.Offset, u.flight[0].end())
	}
	u.flight = u.flight[1:]
	u.acked = max(u.acked, p.Offset)
	u.meter.at(u.acked)
	return nil
}

func (u *upload) finish(ctx context.Context) error {
	f, err := callFinish.do(ctx, u.client, finishRequest{Stream: u.stream.ID, SHA256: hex.EncodeToString(u.sum.Sum(nil))})
	if err != nil {
		return err
	}
	u.stream = f.Stream
	return nil
}

// cancel tells the server that nothing more will come.
func (u *upload) cancel(ctx context.Context) {
	if u.stream.ID == "" || u.stream.Over() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	// The error that made us give up is the one to report; a server that does not hear of it gives up by itself.
	_, _ = callCancel.do(ctx, u.client, streamRequest{Stream: u.stream.ID})
}
