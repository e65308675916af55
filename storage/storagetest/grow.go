package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"sluice/storage"
)

// grower is the store if it is one; the test is over if not.
func (s *suite) grower() storage.Grower {
	s.Helper()
	g, ok := s.store.(storage.Grower)
	if !ok {
		s.SkipNow() // it takes objects in one piece only
	}
	return g
}

func (s *suite) grow(key string, body []byte, o storage.Options) storage.Growth {
	s.Helper()
	g, err := s.grower().Grow(s.Context(), key, bytes.NewReader(body), nil, o)
	if err != nil {
		s.Fatalf("Grow(%s) = %v", key, err)
	}
	return g
}

func (s *suite) grows() {
	first := int(s.grower().GrowFrom())
	for i, size := range []int{0, 1, first - 1, first, first + 1, 2 * first, 2*first + 7} {
		body := content(uint64(i), size)
		for name, o := range map[string]storage.Options{
			"known": {Size: int64(size)}, "unknown": {Size: -1}, "bounded": {Size: -1, Most: 1 << 30},
		} {
			key := fmt.Sprintf("growing/%d/%s", size, name)
			g := s.grow(key, body, o)
			next := int64(first)
			if o.Size >= 0 && o.Size <= next {
				next = math.MaxInt64 // one part is sent at the end
			}
			if got := g.Next(); got != next {
				s.Errorf("%s: the first part is sent at %d bytes; want %d", key, got, next)
			}
			for at := 0; at <= size; at += first/3 + 1 {
				if err := g.Send(s.Context(), int64(at)); err != nil {
					s.Fatalf("Send(%d) of %s = %v", at, key, err)
				}
			}
			s.wantMissing(key)
			info, err := g.Commit(s.Context(), int64(size))
			if err != nil {
				s.Fatalf("Commit(%s) = %v", key, err)
			}
			s.want(key, body)
			stat, _ := s.store.Stat(s.Context(), key)
			s.same(info, stat)
			g.Leave()
			if err := g.Abort(); err != nil {
				s.Errorf("Abort after Commit = %v; want nil", err)
			}
			s.want(key, body)
		}
	}
	if _, err := s.grow("growing/wrong", content(9, 10), storage.Options{Size: 11}).Commit(s.Context(), 10); err == nil {
		s.Error("Commit of another size than promised = nil")
	}
	s.wantMissing("growing/wrong")
	more := s.grow("growing/more", content(9, 2*first), storage.Options{Size: -1})
	if err := more.Send(s.Context(), int64(first)); err != nil {
		s.Fatal(err)
	}
	if _, err := more.Commit(s.Context(), int64(first)-1); err == nil {
		s.Error("Commit of less than was sent = nil")
	}
	s.wantMissing("growing/more")
}

// bounded is a source of which only the first size bytes can be read.
type bounded struct {
	body []byte
	size int
}

func (b bounded) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(b.body[:b.size]).ReadAt(p, off)
}

func (s *suite) goesOn() {
	first := int(s.grower().GrowFrom())
	body := content(1, 3*first+5)
	o := storage.Options{Size: -1, Type: "video/webm"}
	for name, leave := range map[string]func(g storage.Growth){
		"left": func(g storage.Growth) { g.Leave() },
		"cancelled": func(g storage.Growth) {
			wantError(s, g.Send(cancelled(s.Context()), int64(len(body))), context.Canceled)
		},
		"unread": func(g storage.Growth) { wantError(s, g.Send(s.Context(), int64(len(body))), io.EOF) },
	} {
		g, err := s.grower().Grow(s.Context(), name, bounded{body, first + 1}, nil, o)
		if err != nil {
			s.Fatal(err)
		}
		if err := g.Send(s.Context(), int64(first)); err != nil {
			s.Fatal(err)
		}
		sent, mark := g.Mark()
		leave(g)
		again := s.grow(name, body, o)
		if _, err := again.Commit(s.Context(), int64(len(body))); err != nil {
			s.Fatalf("%s: Commit = %v", name, err)
		}
		s.want(name, body)
		if sent > int64(first) || (sent > 0) != (mark != nil) {
			s.Errorf("%s: %d bytes of %d were sent, with a mark of %d bytes", name, sent, first, len(mark))
		}
		// The mark is of an upload that is over: it is no help, and no harm.
		late, err := s.grower().Grow(s.Context(), name, bytes.NewReader(body), mark, o)
		if err != nil {
			s.Fatal(err)
		}
		if _, err := late.Commit(s.Context(), int64(len(body))); err != nil {
			s.Fatalf("%s: Commit with a late mark = %v", name, err)
		}
		s.want(name, body)
	}
	other := content(2, len(body)) // not what was begun with
	g := s.grow("other", body, o)
	if err := g.Send(s.Context(), int64(len(body))); err != nil {
		s.Fatal(err)
	}
	g.Leave()
	if _, err := s.grow("other", other, o).Commit(s.Context(), int64(len(other))); err != nil {
		s.Fatal(err)
	}
	s.want("other", other)
}

func (s *suite) givesUp() {
	body := content(1, 2*int(s.grower().GrowFrom())+5)
	g := s.grow("given up", body, storage.Options{Size: -1})
	if err := g.Send(s.Context(), int64(len(body))); err != nil {
		s.Fatal(err)
	}
	for range 2 {
		if err := g.Abort(); err != nil {
			s.Errorf("Abort() = %v; want nil", err)
		}
	}
	if _, err := g.Commit(s.Context(), int64(len(body))); err == nil {
		s.Error("Commit after Abort = nil; want an error")
	}
	s.wantMissing("given up")
}

func cancelled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func wantError(s *suite, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("error = %v; want %v", err, want)
	}
}
