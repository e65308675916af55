package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"sluice/storage"
)

func (s *suite) roundTrip() {
	for i, size := range []int{0, 1, 5*mib - 1, 5 * mib, 5*mib + 1, 18*mib + 7} {
		body := content(uint64(i), size)
		for _, promised := range []int64{-1, int64(size)} {
			key := fmt.Sprintf("sizes/%d/promised-%d.bin", size, promised)
			s.put(key, body, storage.Options{Type: "video/webm", Size: promised})
			s.want(key, body)
		}
	}
}

func (s *suite) unevenWrites() {
	body := content(1, 11*mib+3)
	w, err := s.store.Create(s.Context(), "uneven", storage.Options{Size: -1})
	if err != nil {
		s.Fatal(err)
	}
	for i, rest := 0, body; len(rest) > 0; i++ {
		n := min(len(rest), []int{1, 4096, 0, 3*mib + 1, 65537}[i%5])
		// The writer may keep nothing of what it was lent.
		lent := slices.Clone(rest[:n])
		if got, err := w.Write(lent); got != n || err != nil {
			s.Fatalf("Write(%d bytes) = %d, %v; want all", n, got, err)
		}
		clear(lent)
		rest = rest[n:]
	}
	if _, err := w.Commit(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.want("uneven", body)
}

func (s *suite) invisibleBeforeCommit() {
	for _, size := range []int{10, 11 * mib} {
		key, body := fmt.Sprintf("pending/%d", size), content(2, size)
		w, err := s.store.Create(s.Context(), key, storage.Options{Size: -1})
		if err != nil {
			s.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			s.Fatal(err)
		}
		s.wantMissing(key)
		info, err := w.Commit(s.Context())
		if err != nil {
			s.Fatalf("Commit() = %v; want nil", err)
		}
		s.want(key, body)
		stat, _ := s.store.Stat(s.Context(), key)
		s.same(info, stat)
		if _, err := w.Write([]byte("more")); err == nil {
			s.Error("Write after Commit = nil; want an error")
		}
		if _, err := w.Commit(s.Context()); err == nil {
			s.Error("a second Commit = nil; want an error")
		}
		if err := w.Abort(); err != nil {
			s.Errorf("Abort after Commit = %v; want nil", err)
		}
		s.want(key, body)
	}
}

func (s *suite) abort() {
	for _, size := range []int{0, 10, 11 * mib} {
		key := fmt.Sprintf("aborted/%d", size)
		w, err := s.store.Create(s.Context(), key, storage.Options{Size: -1})
		if err != nil {
			s.Fatal(err)
		}
		if _, err := w.Write(content(3, size)); err != nil {
			s.Fatal(err)
		}
		for range 2 {
			if err := w.Abort(); err != nil {
				s.Errorf("Abort() = %v; want nil", err)
			}
		}
		if _, err := w.Commit(s.Context()); err == nil {
			s.Error("Commit after Abort = nil; want an error")
		}
		s.wantMissing(key)
	}
}

func (s *suite) cancel() {
	for _, size := range []int{10, 11 * mib} {
		key := fmt.Sprintf("cancelled/%d", size)
		ctx, cancel := context.WithCancel(s.Context())
		w, err := s.store.Create(ctx, key, storage.Options{Size: -1})
		if err != nil {
			s.Fatal(err)
		}
		if _, err := w.Write(content(4, size)); err != nil {
			s.Fatal(err)
		}
		cancel()
		if _, err := w.Commit(s.Context()); !errors.Is(err, context.Canceled) {
			s.Errorf("Commit of a cancelled object = %v; want context.Canceled", err)
		}
		if err := w.Abort(); err != nil {
			s.Errorf("Abort() = %v; want nil", err)
		}
		s.wantMissing(key)
	}
	s.cancelledCommit()
}

func (s *suite) cancelledCommit() {
	w, err := s.store.Create(s.Context(), "late", storage.Options{Size: -1})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
		s.Errorf("Commit with a cancelled ctx = %v; want context.Canceled", err)
	}
	s.wantMissing("late")
}

func (s *suite) sizes() {
	for _, c := range []struct{ promised, written int }{
		{0, 1}, {2, 1}, {1, 2}, {6 * mib, 11 * mib}, {11 * mib, 6 * mib},
	} {
		key := fmt.Sprintf("sizes/%d-of-%d", c.written, c.promised)
		_, err := s.tryPut(s.Context(), key, content(5, c.written), storage.Options{Size: int64(c.promised)})
		var wrong *storage.SizeError
		if !errors.As(err, &wrong) {
			s.Errorf("%d bytes of %d promised: %v; want a SizeError", c.written, c.promised, err)
		}
		s.wantMissing(key)
	}
}

func (s *suite) replace() {
	old := s.put("replaced", content(6, 6*mib), storage.Options{Type: "video/webm", Size: -1})
	body := content(7, 100)
	info := s.put("replaced", body, storage.Options{Type: "image/png", Meta: map[string]string{"n": "2"}, Size: 100})
	s.want("replaced", body)
	if info.ETag == old.ETag {
		s.Errorf("the ETag stayed %q; want another", info.ETag)
	}
	if got, _ := s.store.Stat(s.Context(), "replaced"); got.Type != "image/png" || got.Meta["n"] != "2" {
		s.Errorf("Stat() = %+v; want the newer type and metadata", got)
	}
}

func (s *suite) replaceWhileReading() {
	first, second := content(8, 6*mib), content(9, 6*mib)
	s.put("read", first, storage.Options{Size: -1})
	r, _, err := s.store.Open(s.Context(), "read", 0, -1)
	if err != nil {
		s.Fatal(err)
	}
	defer s.close(r)
	head := make([]byte, 10)
	if _, err := io.ReadFull(r, head); err != nil {
		s.Fatal(err)
	}
	s.put("read", second, storage.Options{Size: -1})
	rest, err := io.ReadAll(r)
	if got := append(head, rest...); err == nil && !bytes.Equal(got, first) {
		s.Errorf("the reader returned a mixture of two objects; want the first or an error")
	}
	s.want("read", second)
}

func (s *suite) concurrentCommits() {
	const writers = 8
	bodies := make([][]byte, writers)
	var all sync.WaitGroup
	for i := range writers {
		bodies[i] = content(uint64(100+i), 1000*i+6*mib*(i%2))
		all.Go(func() {
			o := storage.Options{Size: -1, Meta: map[string]string{"n": fmt.Sprint(i)}}
			if _, err := s.tryPut(s.Context(), "contended", bodies[i], o); err != nil {
				s.Errorf("commit %d: %v", i, err)
			}
		})
	}
	all.Wait()
	info, err := s.store.Stat(s.Context(), "contended")
	if err != nil {
		s.Fatal(err)
	}
	for i, body := range bodies {
		if info.Meta["n"] == fmt.Sprint(i) {
			s.want("contended", body)
			return
		}
	}
	s.Errorf("the object says it is of commit %q", info.Meta["n"])
}
