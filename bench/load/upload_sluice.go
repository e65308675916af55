package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Upload is Uploader's: a file of a room of its own, in chunks that are acknowledged when they are durable. It is finished
// when it is archived, and proved by its SHA-256.
func (Sluice) Upload(ctx context.Context, addr, name string, m *Message, inFlight int) (Sender, error) {
	p, err := publish(ctx, addr, m.clone(), map[string]any{"room": name, "name": "bench", "kind": "file"})
	if err != nil {
		return nil, err
	}
	p.window = min(p.window, int64(inFlight*m.Size()))
	return &sluiceSender{sluicePublisher: p, room: name}, nil
}

type sluiceSender struct {
	*sluicePublisher
	room string
	sum  string // of the content, in hexadecimal, as the server says
	size int64  // of it
}

func (s *sluiceSender) Send(ctx context.Context, number int64) error {
	return s.sluicePublisher.Send(ctx, number, 1, time.Unix(0, 0))
}

func (s *sluiceSender) Finish(ctx context.Context, count int64) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	if want := count * int64(s.message.Size()); s.durable.Load() != want {
		return fmt.Errorf("%d bytes are durable of %d", s.durable.Load(), want)
	}
	r, err := request(ctx, s.Socket, "finish", map[string]any{"stream": s.stream})
	if err != nil {
		return err
	}
	s.sum, s.size = r.Stream.SHA256, r.Stream.Size
	_, err = archived(ctx, s.Socket, s.room, s.stream)
	return err
}

// settle waits until all that was sent is durable.
func (s *sluiceSender) settle(ctx context.Context) error {
	window := s.window
	defer func() { s.window = window }()
	s.window = 0
	return s.await(ctx, 0)
}

// prove is prover's.
func (s *sluiceSender) prove(count int64) error {
	if want := count * int64(s.message.Size()); s.size != want {
		return fmt.Errorf("the server has %d bytes; want %d", s.size, want)
	}
	if want := s.message.sha256(count); s.sum != want {
		return fmt.Errorf("the server's SHA-256 is %s; want %s", s.sum, want)
	}
	return nil
}

// sha256 returns the SHA-256 of an upload of count messages.
func (m *Message) sha256(count int64) string {
	sum := sha256.New()
	for i := range count {
		putStamp(m.data, i, time.Unix(0, 0))
		sum.Write(m.data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
