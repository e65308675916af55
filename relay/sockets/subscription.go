package sockets

import (
	"context"
	"io"
	"sync/atomic"

	"sluice/chunker"
	"sluice/relay"
	"sluice/sio"
)

// maxWholeBytes is how large an item may be to come in one "media" event.
const maxWholeBytes = 1 << 20

// subscription is what one socket is told of one stream, in this order: that it began, its chunks and gaps, its end, that it
// is archived. It is owned by the client's mu, but for ready.
type subscription struct {
	client *client
	stream *relay.Stream
	accept string // the encoding of chunks that the socket takes; "": none
	suited bool   // accept has been dropped if it is not for the stream's type

	member   bool // through a room that was joined
	explicit bool // by "subscribe"
	whole    bool // one "media" event in place of the rest

	reader   *relay.Reader
	mute     bool  // its own, or of a room joined with from: "none": told of, not read
	announce bool  // "stream" is still to be sent
	ended    bool  // "end" was sent
	window   int64 // bytes that may be sent ahead of credited; 0: no bound
	credited int64
	sent     int64 // offset up to which chunks were given to the socket

	fetching bool // a goroutine has the reader
	fetched  *fetched
	closed   bool

	ready atomic.Bool // it may have something to send
}

// fetched is what a reader gave after a wait.
type fetched struct {
	item relay.Item
	err  error
}

// wake says that there may be something to send. It never waits.
func (s *subscription) wake() {
	if !s.ready.Swap(true) {
		s.client.socket.Wake()
	}
}

// read begins to read the stream from offset, relay.FromLive or relay.FromBirth.
func (s *subscription) read(from int64) {
	s.dropReader()
	s.reader = s.stream.NewReader(from, s.wake)
	s.fetched = nil
}

// dropReader ends the reading; what is being fetched is thrown away by who fetches.
func (s *subscription) dropReader() {
	if s.reader != nil && !s.fetching {
		s.reader.Close()
	}
	s.reader, s.fetching, s.fetched = nil, false, nil
}

// next returns what the socket is to be sent next of the stream; nil: nothing now.
func (s *subscription) next() *sio.Prepared {
	switch {
	case s.closed:
		return nil
	case s.whole:
		return s.nextWhole()
	case s.announce:
		return s.begin()
	case s.ended || s.mute:
		return s.nextState()
	case s.window > 0 && s.sent-s.credited >= s.window:
		return nil // "credit" wakes it
	}
	item, err := s.pull()
	switch err {
	case nil:
		return s.item(item)
	case relay.ErrLater:
		return nil
	case io.EOF, io.ErrUnexpectedEOF:
		return s.nextState()
	}
	s.client.door.Hub.Log().Error("read", "stream", s.stream.ID(), "err", err)
	s.client.forget(s) // and no "end", which would say that all has come
	return sio.Prepare(evProblem, problemEvent{Code: relay.Unavailable, Event: evSubscribe,
		Message: "stream " + s.stream.ID() + " cannot be read now; subscribe again later"})
}

// begin tells that the stream has begun, once its type is known or will never be.
func (s *subscription) begin() *sio.Prepared {
	if info := s.stream.Info(); !s.stream.Announced() && !info.Over() {
		return nil
	} else if s.explicit {
		s.announce = false
		return sio.Prepare(evStream, info) // as it is by now
	}
	s.announce = false
	return infoEvent(s.stream, evStream)
}

// pull takes the next item from the reader. What would have to be waited for is fetched by a goroutine, so that a slow store
// delays nothing else on this socket.
func (s *subscription) pull() (relay.Item, error) {
	if f := s.fetched; f != nil {
		s.fetched = nil
		return f.item, f.err
	}
	if s.fetching {
		return relay.Item{}, relay.ErrLater
	}
	item, err := s.reader.Next(s.client.socket.Context(), false)
	if err != relay.ErrWait {
		return item, err
	}
	s.fetching = true
	r := s.reader // s.reader is another one when the cursor is moved meanwhile
	s.client.spawn(func() { s.fetch(r) })
	return relay.Item{}, relay.ErrLater
}

// fetch waits for the next item of r.
func (s *subscription) fetch(r *relay.Reader) {
	item, err := r.Next(s.client.socket.Context(), true)
	s.client.lock()
	defer s.wake()
	defer s.client.unlock()
	if s.reader != r {
		r.Close()
		return
	}
	s.fetching, s.fetched = false, &fetched{item, err}
}

func (s *subscription) item(item relay.Item) *sio.Prepared {
	if g := item.Gap; g != nil {
		s.credited += g.To - s.sent // what is not sent cannot be received
		s.sent = g.To
		return sio.Prepare(evGap, gapEvent{Stream: s.stream.ID(), From: g.From, To: g.To, Reason: g.Reason})
	}
	if !item.Chunk.Init {
		s.sent = item.Chunk.End()
	}
	s.client.gave = item.Chunk
	return chunkPacket(s.stream, item.Chunk, s.encoding())
}

// encoding is what the socket's chunks are encoded in. The type is known by now, and does not change.
func (s *subscription) encoding() string {
	if !s.suited {
		s.suited = true
		if s.accept != "" && !chunker.Lookup(s.stream.Info().Type).Compressible {
			s.accept = ""
		}
	}
	return s.accept
}

// nextState tells of the end, and then of the archiving.
func (s *subscription) nextState() *sio.Prepared {
	info := s.stream.Info()
	if !info.Over() {
		return nil
	}
	if !s.ended {
		s.ended = true
		s.ready.Store(true) // it may be archived already
		return infoEvent(s.stream, evEnd)
	}
	return s.archived(info)
}

// archived tells that the stream is archived, and closes the subscription when nothing more can come.
func (s *subscription) archived(info relay.Info) *sio.Prepared {
	if !s.stream.Final() {
		return nil
	}
	s.client.forget(s)
	if info.State != relay.Archived {
		return nil
	}
	return infoEvent(s.stream, evArchived)
}

// nextWhole gives a finished item in one event.
func (s *subscription) nextWhole() *sio.Prepared {
	info := s.stream.Info()
	switch {
	case !info.Over():
		return nil
	case s.ended || !info.Whole():
		s.ended = true
		return s.archived(info)
	}
	if s.mute {
		s.ended = true
		return s.archived(info)
	}
	if *info.Size > maxWholeBytes {
		return s.media(sio.Prepare(evMedia, endInfo(info)))
	}
	if s.fetched == nil {
		if !s.fetching {
			s.fetching = true
			r := s.reader
			s.client.spawn(func() { s.fetchWhole(r, *info.Size) })
		}
		return nil
	}
	f := s.fetched
	if f.err != nil {
		s.client.door.Hub.Log().Error("read", "stream", info.ID, "err", f.err)
		return s.media(sio.Prepare(evMedia, endInfo(info)))
	}
	return s.media(s.stream.Memo(evMedia, func() any { return sio.Prepare(evMedia, endInfo(info), f.item.Chunk.Data).Plain() }).(*sio.Prepared))
}

func (s *subscription) media(p *sio.Prepared) *sio.Prepared {
	s.ended = true
	s.ready.Store(true)
	return p
}

// fetchWhole reads all of a finished stream.
func (s *subscription) fetchWhole(r *relay.Reader, size int64) {
	data, err := readAll(s.client.socket.Context(), r, size)
	s.client.lock()
	defer s.wake()
	defer s.client.unlock()
	if s.reader != r {
		r.Close()
		return
	}
	s.fetching, s.fetched = false, &fetched{relay.Item{Chunk: &relay.Chunk{Data: data}}, err}
}

func readAll(ctx context.Context, r *relay.Reader, size int64) ([]byte, error) {
	data := make([]byte, 0, size)
	for {
		item, err := r.Next(ctx, true)
		switch {
		case err == io.EOF && int64(len(data)) < size:
			return nil, io.ErrUnexpectedEOF // of a live stream some may not be kept
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		case item.Chunk != nil && !item.Chunk.Init:
			data = append(data, item.Chunk.Data...)
		}
	}
}

// saying names an event about a stream in a state among what is remembered of it.
type saying struct {
	event string
	state relay.State
}

// infoEvent is an event with the stream's Info, encoded once for all.
func infoEvent(st *relay.Stream, event string) *sio.Prepared {
	info := st.Info()
	return st.Memo(saying{event, info.State}, func() any {
		if event == evEnd {
			info = endInfo(info)
		}
		return sio.Prepare(event, info)
	}).(*sio.Prepared)
}

// endInfo is how a stream was when it ended, whatever has become of it.
func endInfo(info relay.Info) relay.Info {
	if info.State == relay.Archived {
		info.State = relay.Ended
	}
	return info
}

// variant names an encoding of a chunk among what is remembered of it: in a byte, of which a key is made without an allocation.
type variant byte

func variantOf(encoding string) variant {
	switch encoding {
	case zstd:
		return 1
	case deflateRaw:
		return 2
	}
	return 0
}

// chunkPacket is a chunk as an event, encoded once for all who take the same encoding.
func chunkPacket(st *relay.Stream, c *relay.Chunk, encoding string) *sio.Prepared {
	return c.Memo(variantOf(encoding), func() any {
		head := chunkEvent{Stream: st.ID(), Offset: c.Offset, Key: c.Key, Init: c.Init}
		data := c.Data
		if packed := compress(encoding, data); packed != nil {
			head.Encoding, head.Size, data = encoding, len(data), packed
		}
		return sio.Prepare(evChunk, head, data).Plain() // it is compressed by content, if at all
	}).(*sio.Prepared)
}

// The encodings of chunks that a client may accept, the better first.
const (
	zstd       = "zstd"
	deflateRaw = "deflate-raw"
)

// chooseEncoding returns the best that both sides know; "" if there is none.
func chooseEncoding(accept []string) string {
	best := ""
	for _, a := range accept {
		if a == zstd || a == deflateRaw && best == "" {
			best = a
		}
	}
	return best
}

// compress returns p in the encoding, nil where it does not pay.
func compress(encoding string, p []byte) []byte {
	switch encoding {
	case zstd:
		return chunker.Zstd(nil, p)
	case deflateRaw:
		return chunker.Deflate(nil, p)
	}
	return nil
}
