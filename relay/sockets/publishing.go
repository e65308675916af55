package sockets

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"sluice/relay"
	"sluice/sio"
)

// progressInterval is how often the sender of a "send" is told how much of it is durable.
const progressInterval = 250 * time.Millisecond

func (d *Door) send(c *client, e *sio.Event, body *sio.Attachment) error {
	if err := c.pace().turn(evSend); err != nil {
		return err
	}
	var q sendRequest
	if err := decode(e, &q); err != nil {
		return err
	}
	if err := checkSum(q.SHA256); err != nil {
		return err
	}
	if err := checkMeta(q.Meta); err != nil {
		return err
	}
	if size := body.Size(); q.Size == nil && size >= 0 {
		q.Size = &size
	}
	w, err := d.Hub.Publish(contextOf(e), relay.Spec{
		Room: q.Room, Name: q.Name, Size: q.Size, Relay: q.Archive != nil && !*q.Archive, Meta: q.Meta, Who: c.who,
	})
	if err != nil {
		return err
	}
	if err := c.receive(w, body); err != nil {
		w.Fail(err)
		return err
	}
	c.later(func() { c.finish(e, w, q.SHA256) })
	return nil
}

// receive takes a whole attachment in, and tells how much of it is durable while it comes.
func (c *client) receive(w *relay.Writer, body *sio.Attachment) error {
	done := make(chan struct{})
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		c.report(w, done)
	}()
	_, err := w.ReadSized(c.pace().body(body, evSend), max(body.Size(), 0))
	close(done)
	<-reported
	return err
}

// report sends "progress" until done.
func (c *client) report(w *relay.Writer, done <-chan struct{}) {
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for last := int64(0); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		offset, err := w.Sync()
		if err != nil {
			return // the reading meets it too
		}
		if offset > last {
			c.socket.Emit(evProgress, offsetEvent{Stream: w.Stream().ID(), Offset: offset})
			last = offset
		}
	}
}

// finish ends the stream and acknowledges e with it, once it is durable.
func (c *client) finish(e *sio.Event, w *relay.Writer, sha256 string) {
	info, err := w.Finish(c.socket.Context(), sha256)
	if err != nil {
		fail(e, err)
		return
	}
	e.Ack(streamReply{reply: reply{OK: true}, Stream: info, Gaps: w.Stream().Gaps()})
}

// later runs f, which waits for the disk, beside the socket's events.
func (c *client) later(f func()) {
	c.lock()
	defer c.unlock()
	c.spawn(f)
}

func (d *Door) publish(c *client, e *sio.Event) (any, error) {
	if err := c.pace().turn(evPublish); err != nil {
		return nil, err
	}
	var q publishRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	if err := checkMeta(q.Meta); err != nil {
		return nil, err
	}
	if c.busy() {
		return nil, &relay.Error{Code: relay.TooMany, Message: "no more streams can be published by this socket at once", Limit: int64(d.maxPublishing())}
	}
	w, err := d.Hub.Publish(contextOf(e), relay.Spec{
		Room: q.Room, Name: q.Name, Kind: q.Kind, Size: q.Size, Key: q.Key, Relay: q.Archive != nil && !*q.Archive, Meta: q.Meta, Who: c.who,
		Keyframe: c.askForKey, Unkept: c.sayUnkept,
	})
	if err != nil {
		return nil, err
	}
	if !c.hold(w) {
		w.Abandon()
		return nil, relay.Errorf(relay.Gone, "the socket is closed")
	}
	info := w.Stream().Info()
	return publishReply{reply: reply{OK: true}, Stream: info, Offset: w.Offset(), Window: d.window(), Chunk: chunkBytes}, nil
}

// askForKey tells the socket, which publishes st, that a reader waits for a key chunk.
func (c *client) askForKey(st *relay.Stream) {
	c.socket.Emit(evKeyframe, keyframeEvent{Stream: st.ID()})
}

// sayUnkept tells the socket, which publishes st, that from offset on it is not kept.
func (c *client) sayUnkept(st *relay.Stream, offset int64) {
	c.socket.Emit(evProblem, problemEvent{Code: relay.Unavailable, Event: evChunk, Stream: st.ID(),
		Message: fmt.Sprintf("the server has no room left: from byte %d on the stream is only relayed; what came before is kept", offset)})
}

// busy reports whether the socket publishes as much as it may. Streams that it has lost, or that are over, are remembered only
// so long, for their errors.
func (c *client) busy() bool {
	c.lock()
	defer c.unlock()
	if len(c.writers) >= c.door.maxPublishing() {
		maps.DeleteFunc(c.writers, func(_ string, w *writer) bool { return !w.Holds() })
	}
	return len(c.writers) >= c.door.maxPublishing()
}

// hold keeps w as a stream that the socket publishes. What it has read of it as a member of the room it is sent no more.
func (c *client) hold(w *relay.Writer) bool {
	c.lock()
	defer c.unlock()
	if c.closed {
		return false
	}
	id := w.Stream().ID()
	put(&c.writers, id, &writer{Writer: w})
	if s := c.subs[id]; s != nil && !s.explicit {
		s.mute = true
	}
	return true
}

// touch has nothing that the socket publishes count as idle: it is made to wait.
func (c *client) touch() {
	c.lock()
	defer c.unlock()
	for _, w := range c.writers {
		w.Touch()
	}
}

// writer returns the socket's hold on a stream that it publishes.
func (c *client) writer(stream string) (*writer, error) {
	c.lock()
	w := c.writers[stream]
	c.unlock()
	if w == nil {
		return nil, c.door.notWriter(stream)
	}
	return w, nil
}

// notWriter says why a socket cannot write a stream.
func (d *Door) notWriter(stream string) error {
	if d.Hub.Has(stream) {
		return relay.Errorf(relay.Forbidden, "another socket publishes that stream")
	}
	return relay.Errorf(relay.NotFound, "no such stream is being published")
}

func (d *Door) chunk(c *client, e *sio.Event, body *sio.Attachment) error {
	var q chunkRequest
	if err := decode(e, &q); err != nil {
		return err
	}
	w, err := c.writer(q.Stream)
	if err != nil {
		return err
	}
	if err := c.pace().turn(evChunk); err != nil {
		return err
	}
	if err := w.Chunk(q.Offset, c.pace().body(body, evChunk), max(body.Size(), 0)); err != nil {
		return err
	}
	if e.WantsAck() {
		c.sync(e, w)
	}
	return nil
}

func (d *Door) finish(c *client, e *sio.Event) (any, error) {
	var q finishRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	if err := checkSum(q.SHA256); err != nil {
		return nil, err
	}
	w, err := c.writer(q.Stream)
	if err != nil {
		return nil, err
	}
	c.later(func() {
		c.finish(e, w.Writer, q.SHA256)
		c.release(q.Stream)
	})
	return nil, nil
}

func (d *Door) cancel(c *client, e *sio.Event) (any, error) {
	var q streamRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	w, err := c.writer(q.Stream)
	if err != nil {
		return nil, err
	}
	if err := w.Cancel(); err != nil {
		return nil, err
	}
	c.release(q.Stream)
	return reply{OK: true}, nil
}

// release forgets a stream that the socket published.
func (c *client) release(stream string) {
	c.lock()
	defer c.unlock()
	delete(c.writers, stream)
}

// checkSum refuses what is no SHA-256 in hex; "" is none.
func checkSum(sum string) error {
	if b, err := hex.DecodeString(sum); err != nil || len(b) != 0 && len(b) != 32 {
		return relay.Errorf(relay.BadRequest, "sha256 is 64 hexadecimal digits")
	}
	return nil
}

// checkMeta refuses what would not arrive as it is: stock clients take such an object for an attachment of the event that it
// comes in, and end the connection when there is none.
func checkMeta(meta json.RawMessage) error {
	if len(meta) > relay.MaxMetaBytes {
		return nil // the hub says so
	}
	var v any
	if err := json.Unmarshal(meta, &v); len(meta) > 0 && err != nil {
		return relay.Errorf(relay.BadRequest, "meta: %v", err)
	}
	if holdsPlaceholder(v) {
		return relay.Errorf(relay.BadRequest, "meta has a member _placeholder, and no attachments")
	}
	return nil
}

func holdsPlaceholder(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, holdsPlaceholder)
	case map[string]any:
		if _, ok := v["_placeholder"]; ok {
			return true
		}
		for _, member := range v {
			if holdsPlaceholder(member) {
				return true
			}
		}
	}
	return false
}

// skip reads over what is left of an attachment, and reports whether it came to its end within skipBytes.
func skip(a *sio.Attachment) bool {
	n, err := io.CopyN(io.Discard, a, skipBytes+1)
	return err != nil || n <= skipBytes
}
