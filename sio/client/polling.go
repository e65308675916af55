package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"sync"
	"time"
	"unicode/utf8"
)

// separator lies between the packets of a payload.
const separator = 0x1e

// polling is HTTP long-polling: a GET waits for packets, a POST brings some.
type polling struct {
	endpoint   *endpoint
	url        *url.URL
	idle       time.Duration // how long a GET may go without a byte
	maxPayload int           // bytes a POST may hold, 0 for no limit
	limit      int           // bytes a received packet may have
}

// receive makes one GET and hands over the packets of its answer.
func (p *polling) receive(ctx context.Context, handle func(enginePacket) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	life := time.AfterFunc(p.idle, func() { cancel(errPingTimeout) })
	defer life.Stop()
	resp, err := p.endpoint.do(ctx, p.url, nil, 0)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	for {
		record, err := readRecord(body, p.limit)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return causeOr(ctx, err)
		}
		life.Stop() // time in which packets are handled does not count
		packet, err := parseRecord(record)
		if err == nil {
			err = handle(packet)
		}
		if err != nil {
			return err
		}
		life.Reset(p.idle)
	}
}

// causeOr returns why ctx was cancelled, or err if it was not.
func causeOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// readRecord reads up to the next separator. The result is the caller's. It returns io.EOF when there is
// nothing left.
func readRecord(r *bufio.Reader, limit int) ([]byte, error) {
	encoded := base64.StdEncoding.EncodedLen(limit) + len("b") + len("\x1e")
	var record []byte
	for {
		part, err := r.ReadSlice(separator)
		if len(record)+len(part) > encoded {
			return nil, &TooLargeError{limit}
		}
		record = append(record, part...)
		switch {
		case err == nil:
			return record[:len(record)-1], nil
		case err == io.EOF && len(record) > 0:
			return record, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

// parseRecord decodes one packet of a payload.
func parseRecord(record []byte) (enginePacket, error) {
	if len(record) == 0 {
		return enginePacket{}, &ProtocolError{"engine.io", errors.New("empty packet")}
	}
	if record[0] != binaryRecord {
		if !utf8.Valid(record[1:]) {
			return enginePacket{}, &ProtocolError{"engine.io", errors.New("text is not UTF-8")}
		}
		return enginePacket{kind: record[0], data: record[1:]}, nil
	}
	data := record[1:]
	n, err := base64.StdEncoding.Decode(data, data)
	if err != nil {
		return enginePacket{}, &ProtocolError{"engine.io", err}
	}
	return enginePacket{kind: binaryRecord, data: data[:n]}, nil
}

// binaryRecord is the prefix of a base64 message in a payload.
const binaryRecord = 'b'

// send makes one POST of what the queue holds, as much as a POST may; it reports whether there was anything.
func (p *polling) send(ctx context.Context, q *queue, streams bool) (bool, error) {
	var batch payload
	room := math.MaxInt
	for {
		o := q.take(streams, room)
		if o == nil {
			break
		}
		batch.add(o)
		if o.streams {
			break
		}
		if p.maxPayload > 0 {
			room = int(max(0, int64(p.maxPayload)-batch.size)) * 3 / 4
		}
	}
	if batch.size == 0 {
		return false, nil
	}
	defer batch.release()
	return true, p.post(ctx, &batch)
}

func (p *polling) post(ctx context.Context, batch *payload) error {
	resp, err := p.endpoint.do(ctx, p.url, batch, batch.size)
	if err != nil {
		return causeOr(ctx, err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBytes))
	return err
}

// payload is the body of a POST, encoded while it is read.
type payload struct {
	size    int64
	senders []*outgoing

	mu    sync.Mutex // held while a part is read: net/http may still do so when the request has failed
	parts []io.Reader
}

func (b *payload) add(o *outgoing) {
	b.senders = append(b.senders, o)
	b.addRecord(int64(len(o.text)), bytes.NewReader(o.text))
	for _, a := range o.attachments {
		size := 1 + (a.Size+2)/3*4
		b.addRecord(size, io.MultiReader(bytes.NewReader([]byte{binaryRecord}), newBase64Reader(o.source(a))))
	}
}

func (b *payload) addRecord(size int64, r io.Reader) {
	if b.size > 0 {
		b.size++
		b.parts = append(b.parts, bytes.NewReader([]byte{separator}))
	}
	b.size += size
	b.parts = append(b.parts, r)
}

func (b *payload) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.parts) > 0 {
		n, err := b.parts[0].Read(p)
		if err == io.EOF {
			b.parts, err = b.parts[1:], nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// release ends the reading of the payload.
func (b *payload) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts = nil
	for _, o := range b.senders {
		close(o.done)
	}
}

// base64Reader encodes what it reads.
type base64Reader struct {
	r       io.Reader
	plain   [3 << 10]byte
	encoded [4 << 10]byte
	ready   []byte // of encoded
	err     error
}

func newBase64Reader(r io.Reader) *base64Reader { return &base64Reader{r: r} }

func (b *base64Reader) Read(p []byte) (int, error) {
	if len(b.ready) == 0 && b.err == nil {
		b.fill()
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	if n == 0 && len(p) > 0 {
		return 0, b.err
	}
	return n, nil
}

// fill encodes whole groups only, until the end.
func (b *base64Reader) fill() {
	n, err := io.ReadFull(b.r, b.plain[:])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	if err != nil && err != io.EOF {
		b.err = fmt.Errorf("polling: %w", err)
		return
	}
	b.err = err
	base64.StdEncoding.Encode(b.encoded[:], b.plain[:n])
	b.ready = b.encoded[:base64.StdEncoding.EncodedLen(n)]
}
