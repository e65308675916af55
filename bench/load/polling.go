package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// byeTime is how long a server may take to see that a client goes.
const byeTime = 200 * time.Millisecond

// polling is the wire of HTTP long-polling: a connection that is always asked for more, and one for what is sent.
type polling struct {
	in   payload
	poll *httpConn
	got  atomic.Int64
	bye  sync.Once

	mu   sync.Mutex // held while something is sent
	post *httpConn
	path string
}

func (p *polling) open(ctx context.Context, addr string) (err error) {
	if p.poll, err = dialHTTP(ctx, addr, &p.got); err != nil {
		return err
	}
	if p.post, err = dialHTTP(ctx, addr, &p.got); err != nil {
		p.poll.Close()
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.cut() })
	defer stop()
	if err := p.shakeHands(); err != nil {
		p.cut()
		return errors.Join(err, ctx.Err())
	}
	return nil
}

// shakeHands opens a session, and answers what comes first.
func (p *polling) shakeHands() error {
	const path = "/socket.io/?EIO=4&transport=polling"
	var first []byte
	if err := p.poll.each("GET", path, "", func(part []byte) error {
		first = append(first, part...)
		return nil
	}); err != nil {
		return err
	}
	var opened struct{ SID string }
	if len(first) == 0 || first[0] != '0' {
		return fmt.Errorf("the server opened with %q", first)
	}
	if err := json.Unmarshal(first[1:], &opened); err != nil {
		return fmt.Errorf("the server opened with %q: %w", first, err)
	}
	p.path = path + "&sid=" + opened.SID
	return p.send("40")
}

func (p *polling) read() error {
	for {
		if err := p.poll.each("GET", p.path, "", p.in.feed); err != nil {
			return err
		}
		if err := p.in.finish(); err != nil {
			return err
		}
	}
}

func (p *polling) send(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.post.each("POST", p.path, text, func([]byte) error { return nil })
}

func (p *polling) bytesIn() int64 { return p.got.Load() }

// Close says so to the server, which would wait for the next poll otherwise, and ends both connections.
func (p *polling) Close() error {
	p.post.SetDeadline(time.Now().Add(byeTime))
	p.bye.Do(func() { p.send("1") })
	return p.cut()
}

func (p *polling) cut() error { return errors.Join(p.poll.Close(), p.post.Close()) }
