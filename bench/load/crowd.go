package load

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// handsBusy is how many connections are opened at a time.
	handsBusy = 64
	// quietBytes is how much one that hardly reads, reads at once.
	quietBytes = 512
	// leaveTime is how long a server may take to close when it is asked to.
	leaveTime = 10 * time.Second
)

// Greeter is a dialect in which somebody can come and say nothing.
type Greeter interface {
	// Greet connects, and joins what has to be joined to be there.
	Greet(ctx context.Context, addr string) (Conn, error)
	// Visit connects, joins a room, and leaves as clients do. It returns when the server has closed.
	Visit(ctx context.Context, addr, room string) error
}

// Greet is Greeter's.
func (Relay) Greet(ctx context.Context, addr string) (Conn, error) { return greet(ctx, addr) }

// Greet is Greeter's.
func (Sluice) Greet(ctx context.Context, addr string) (Conn, error) { return greet(ctx, addr) }

func greet(ctx context.Context, addr string) (Conn, error) {
	conn, err := Dial(ctx, addr, Options{ReadBytes: quietBytes})
	if err != nil {
		return nil, err // and no Conn of a nil Socket
	}
	return conn, nil
}

// Greet is Greeter's: it is connected, and no more.
func (Raw) Greet(ctx context.Context, addr string) (Conn, error) {
	conn, err := dialRaw(ctx, addr, "sink 1")
	if err != nil {
		return nil, err
	}
	return readRaw(conn, quietBytes, func([]byte) error { return nil }), nil
}

// Visit is Greeter's.
func (Relay) Visit(ctx context.Context, addr, room string) error {
	conn, err := Dial(ctx, addr, Options{ReadBytes: quietBytes})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Call(ctx, "join", room); err != nil {
		return err
	}
	return conn.leave(ctx)
}

// Visit is Greeter's.
func (Sluice) Visit(ctx context.Context, addr, room string) error {
	conn, err := Dial(ctx, addr, Options{ReadBytes: quietBytes})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := request(ctx, conn, "join", map[string]any{"room": room}); err != nil {
		return err
	}
	return conn.leave(ctx)
}

// Visit is Greeter's: a byte goes there and one comes back.
func (Raw) Visit(ctx context.Context, addr, _ string) error {
	conn, err := dialRaw(ctx, addr, "sink 1")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(leaveTime)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{0}); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		return errors.Join(err, unexpected(n))
	}
	return nil
}

func unexpected(n int) error {
	if n == 0 {
		return nil
	}
	return errors.New("the server said more than it should")
}

// Visit is a Greeter's, tried again if it fails. It returns how many tries failed.
func Visit(ctx context.Context, d Greeter, addr, room string) (failed int, err error) {
	return connect(ctx, func(ctx context.Context) error { return d.Visit(ctx, addr, room) })
}

// leave does what a client's `disconnect` does: it leaves the namespace, closes the WebSocket, and waits for the server to.
func (s *Socket) leave(ctx context.Context) error {
	if err := s.Send("41"); err != nil {
		return err
	}
	if _, err := s.Write(appendFrame(nil, opClose, mask, []byte{1000 >> 8, 1000 & 0xff})); err != nil {
		return nil // it has closed already, as it may
	}
	patience := time.NewTimer(leaveTime)
	defer patience.Stop()
	select {
	case <-s.Ended():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-patience.C:
		return errors.New("the server does not close")
	}
}

// Crowd is many connections that are only there.
type Crowd struct {
	mu     sync.Mutex
	conns  []Conn // guarded by mu
	failed int    // guarded by mu: connects
}

// Gather opens so many connections, many at a time.
func Gather(ctx context.Context, count int, open func(ctx context.Context) (Conn, error)) (*Crowd, error) {
	c := &Crowd{}
	var begun atomic.Int64
	err := Together(ctx, handsBusy, func(ctx context.Context) (more bool, err error) {
		if begun.Add(1) > int64(count) {
			return false, nil
		}
		var conn Conn
		failed, err := connect(ctx, func(ctx context.Context) (err error) {
			conn, err = open(ctx)
			return err
		})
		if err == nil {
			c.add(conn, failed)
		}
		return err == nil, err
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Crowd) add(conn Conn, failed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	c.failed += failed
}

// Failed returns how many connects failed and were tried again.
func (c *Crowd) Failed() int { return c.failed }

// Check returns an error if a connection has ended.
func (c *Crowd) Check() error {
	for _, conn := range c.conns {
		select {
		case <-conn.Ended():
			return errors.Join(errors.New("a connection of the crowd has ended"), conn.Err())
		default:
		}
	}
	return nil
}

// Close ends the connections.
func (c *Crowd) Close() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

// Together has so many workers do something again and again, as long as there is more to do. The first error ends all.
func Together(ctx context.Context, workers int, do func(ctx context.Context) (more bool, err error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				more, err := do(ctx)
				if err != nil {
					cancel(err)
				}
				if !more {
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// Stall connects a subscriber of a room that does not read anything.
func Stall(ctx context.Context, d Dialect, addr, room string) (Conn, error) {
	s := &Subscriber{checker: NewChecker(Noise(MinMessageBytes))}
	conn, err := d.Subscribe(ctx, addr, room, s, Options{ReadBytes: quietBytes})
	if err != nil {
		return nil, err
	}
	if socket, ok := conn.(*Socket); ok {
		if w, ok := socket.wire.(*webSocket); ok {
			w.stall()
			return conn, nil
		}
	}
	conn.Close()
	return nil, errors.New("it cannot stall")
}
