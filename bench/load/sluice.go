package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Sluice is the dialect of `sluice serve`.
type Sluice struct {
	Kind    string // of the streams: "file", where everybody gets every byte, or "live"
	Flow    string // the name of what is published, by which a Mix tells its flows apart; "" means "bench"
	Archive bool   // keep what is published
	Wait    bool   // subscribers join, and get nothing before Room.Read
}

// Stream is what is published, as sluice tells of it.
type Stream struct {
	ID     string
	URL    string
	State  string
	SHA256 string
	Size   int64
}

// Subscribe is Dialect's. Deflate has it accept chunks that sluice compressed itself: permessage-deflate is of no use for media.
func (d Sluice) Subscribe(ctx context.Context, addr, room string, s *Subscriber, options Options) (Conn, error) {
	r := &sluiceReader{subscriber: s, inflater: options.Deflate}
	options.Event, options.Binary, options.End = r.event, r.part, r.end
	conn, err := Dial(ctx, addr, options)
	if err != nil {
		return nil, err
	}
	join := map[string]any{"room": room, "from": "start"} // a live stream is announced when more than its newest chunk has come
	if d.Wait {
		join["from"] = "none"
	}
	if options.Deflate != nil {
		join["accept"] = []string{"deflate-raw"}
	}
	if _, err := request(ctx, conn, "join", join); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// sluiceReader takes the events of a subscriber.
type sluiceReader struct {
	subscriber *Subscriber
	inflater   *Inflater
	encoded    bool              // the attachment that comes is compressed
	packed     []byte            // what has come of it
	flows      map[string]string // of a Mix, by stream
}

func (r *sluiceReader) event(text []byte) error {
	if isEvent(text, "gap") || isEvent(text, "problem") {
		return fmt.Errorf("the server said %s", text)
	}
	if r.subscriber.flows != nil {
		if err := r.turn(text); err != nil {
			return err
		}
	}
	r.encoded = r.inflater != nil && isEvent(text, "chunk") && bytes.Contains(text, []byte(`"encoding":"deflate-raw"`))
	return nil
}

// turn notes which flow a chunk is of: a stream has the name of its flow.
func (r *sluiceReader) turn(text []byte) error {
	switch {
	case isEvent(text, "stream"):
		if r.flows == nil {
			r.flows = make(map[string]string)
		}
		r.flows[string(quoted(text, "id"))] = string(quoted(text, "name"))
	case isEvent(text, "chunk"):
		return r.subscriber.turn(r.flows[string(quoted(text, "stream"))])
	}
	return nil
}

func (r *sluiceReader) part(part []byte) error {
	if r.encoded {
		r.packed = append(r.packed, part...)
		return nil
	}
	return r.subscriber.feed(part)
}

func (r *sluiceReader) end() error {
	if !r.encoded {
		return nil
	}
	data, err := r.inflater.Inflate(r.packed)
	if err != nil {
		return err
	}
	r.packed = r.packed[:0]
	return r.subscriber.feed(data)
}

// Publish is Dialect's.
func (d Sluice) Publish(ctx context.Context, addr, room string, m *Message) (Publisher, error) {
	p, err := publish(ctx, addr, m, map[string]any{
		"room": room, "name": cmp.Or(d.Flow, "bench"), "kind": d.Kind, "archive": d.Archive,
	})
	if err != nil {
		return nil, err
	}
	p.room, p.archive = room, d.Archive
	return p, nil
}

func publish(ctx context.Context, addr string, m *Message, what map[string]any) (*sluicePublisher, error) {
	conn, err := Dial(ctx, addr, Options{})
	if err != nil {
		return nil, err
	}
	reply, err := request(ctx, conn, "publish", what)
	if err != nil {
		conn.Close()
		return nil, err
	}
	p := &sluicePublisher{Socket: conn, message: m, stream: reply.Stream.ID, window: reply.Window, chunk: reply.Chunk, acked: make(chan struct{}, 1)}
	p.head = `["chunk",{"stream":"` + p.stream + `","offset":`
	if m.Size() <= p.chunk {
		p.framed = m.Frame(p.head)
	}
	return p, nil
}

// reply is what sluice acknowledges with.
type reply struct {
	OK      bool
	Error   *struct{ Code, Message string }
	Stream  Stream
	Streams []Stream
	Offset  int64
	Window  int64
	Chunk   int
}

// request asks sluice for something.
func request(ctx context.Context, s *Socket, event string, args any) (reply, error) {
	var r reply
	raw, err := s.Call(ctx, event, args)
	if err != nil {
		return r, err
	}
	return r, understand(raw, event, &r)
}

func understand(raw []byte, event string, r *reply) error {
	if err := json.Unmarshal(raw, r); err != nil {
		return err
	}
	if !r.OK {
		return fmt.Errorf("%s: %s", event, raw)
	}
	return nil
}

// sluicePublisher keeps to the window that the server gives, as every client must.
type sluicePublisher struct {
	*Socket
	room    string
	archive bool
	message *Message
	stream  string
	framed  *Framed // of a whole message; nil if it is larger than a chunk may be
	head    string
	chunk   int
	window  int64
	buf     []byte

	offset  int64 // sent so far
	durable atomic.Int64
	fault   atomic.Pointer[error]
	acked   chan struct{} // holds a word when an ack has come
}

func (p *sluicePublisher) Send(ctx context.Context, first, count int64, due time.Time) error {
	p.buf = p.buf[:0]
	for i := range count {
		if p.framed != nil {
			if err := p.await(ctx, p.message.Size()); err != nil {
				return err
			}
			p.buf = p.framed.AppendWith(p.buf, p.Expect(p.acknowledged), p.text(), first+i, due)
			p.offset += int64(p.message.Size())
			continue
		}
		if err := p.sendLarge(ctx, first+i, due); err != nil {
			return err
		}
	}
	_, err := p.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

// sendLarge sends a message in several chunks.
func (p *sluicePublisher) sendLarge(ctx context.Context, number int64, due time.Time) error {
	putStamp(p.message.data, number, due)
	for rest := p.message.data; len(rest) > 0; {
		part := rest[:min(len(rest), p.chunk)]
		rest = rest[len(part):]
		if err := p.sendPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// sendPart sends what fits into a chunk.
func (p *sluicePublisher) sendPart(ctx context.Context, part []byte) error {
	if err := p.await(ctx, len(part)); err != nil {
		return err
	}
	p.buf = appendFrame(p.buf[:0], opText, mask, []byte("451-"+strconv.Itoa(p.Expect(p.acknowledged))+p.text()+placeholder))
	p.buf = appendFrame(p.buf, opBinary, mask, part)
	_, err := p.Write(p.buf)
	p.buf = p.buf[:0]
	p.offset += int64(len(part))
	return err
}

func (p *sluicePublisher) text() string { return p.head + strconv.FormatInt(p.offset, 10) + "}" }

// await waits until the window has room for n more bytes.
func (p *sluicePublisher) await(ctx context.Context, n int) error {
	for p.offset+int64(n)-p.durable.Load() > p.window {
		if len(p.buf) > 0 { // they wait for what was not sent yet
			if _, err := p.Write(p.buf); err != nil {
				return err
			}
			p.buf = p.buf[:0]
		}
		select {
		case <-p.acked:
		case <-p.Ended():
			return p.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
		if fault := p.fault.Load(); fault != nil {
			return *fault
		}
	}
	return nil
}

func (p *sluicePublisher) acknowledged(raw []byte) {
	var r reply
	if err := understand(bytes.Trim(raw, "[]"), "chunk", &r); err != nil {
		p.fault.Store(&err)
	}
	p.durable.Store(max(p.durable.Load(), r.Offset))
	select {
	case p.acked <- struct{}{}:
	default:
	}
}
