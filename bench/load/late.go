package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Between two looks at whether a stream is archived: more and more, so that the server does little beside.
const (
	firstPause = 5 * time.Millisecond
	longPause  = 500 * time.Millisecond
)

// Finish ends the stream that a room of Sluice's is a flow of. With Archive, it returns when the stream is archived.
func (r *Room) Finish(ctx context.Context) (Stream, error) {
	p, ok := r.publisher.(*sluicePublisher)
	if !ok {
		return Stream{}, errors.ErrUnsupported
	}
	finished, err := request(ctx, p.Socket, "finish", map[string]any{"stream": p.stream})
	if err != nil || !p.archive {
		return finished.Stream, err
	}
	return archived(ctx, p.Socket, p.room, p.stream)
}

// archived waits until the archive has a stream: before that the server is not done with it.
func archived(ctx context.Context, socket *Socket, room, stream string) (Stream, error) {
	for pause := firstPause; ; pause = min(pause*3/2, longPause) {
		listed, err := request(ctx, socket, "list", map[string]any{"room": room})
		if err != nil {
			return Stream{}, err
		}
		for _, s := range listed.Streams {
			switch {
			case s.ID != stream:
			case s.State == "archived":
				return s, nil
			case s.State != "ended":
				return s, errors.New("the stream is " + s.State)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Stream{}, fmt.Errorf("not archived: %w", ctx.Err())
		}
	}
}

// Read has all subscribers read a finished stream of so many messages at once, from its beginning. It returns when all have it.
func (r *Room) Read(ctx context.Context, s Stream, messages int64) error {
	var begun atomic.Int64
	err := Together(ctx, len(r.Subscribers), func(ctx context.Context) (more bool, err error) {
		socket, ok := r.Subscribers[begun.Add(1)-1].Conn.(*Socket)
		if !ok {
			return false, errors.ErrUnsupported
		}
		_, err = request(ctx, socket, "subscribe", map[string]any{"stream": s.ID, "from": 0})
		return false, err
	})
	if err != nil {
		return err
	}
	return r.Await(ctx, messages)
}

// Prepared is a stream that the limit has in memory.
type Prepared struct {
	conn     net.Conn
	last     []byte
	messages int64
}

// Prepare gives the limit so many messages, save for the last byte.
func Prepare(ctx context.Context, addr string, m *Message, messages int64) (*Prepared, error) {
	var buf []byte
	for i := range messages {
		buf = appendPlain(buf, "", m, i, time.Time{})
	}
	conn, err := dialRaw(ctx, addr, fmt.Sprintf("repeat %d 0", len(buf)))
	if err != nil {
		return nil, err
	}
	all := len(buf) - 1
	if _, err := conn.Write(buf[:all]); err != nil {
		conn.Close()
		return nil, err
	}
	return &Prepared{conn: conn, last: buf[all:], messages: messages}, nil
}

// Go has it written to all of r, and returns when all have it.
func (p *Prepared) Go(ctx context.Context, r *Room) error {
	if _, err := p.conn.Write(p.last); err != nil {
		return err
	}
	return r.Await(ctx, p.messages)
}

// Close forgets it.
func (p *Prepared) Close() { p.conn.Close() }

// Verify downloads a stream over HTTP, and checks that it is what r has sent, and has the hash that s says.
func (r *Room) Verify(ctx context.Context, addr string, s Stream) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+s.URL, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", s.URL, response.Status)
	}
	return verify(response.Body, NewChecker(r.Message), r.sent, s.SHA256)
}

func verify(body io.Reader, c *Checker, messages int64, want string) error {
	hash := sha256.New()
	buf := make([]byte, 256<<10)
	for {
		n, err := body.Read(buf)
		hash.Write(buf[:n])
		if fault := c.Feed(buf[:n]); fault != nil {
			return fault
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	got := hex.EncodeToString(hash.Sum(nil))
	switch {
	case c.Messages() != messages || c.at != 0:
		return fmt.Errorf("%d messages and %d bytes are kept; want %d messages", c.Messages(), c.at, messages)
	case !strings.EqualFold(got, want):
		return fmt.Errorf("SHA-256 %s; the server says %q", got, want)
	}
	return nil
}
