package storagetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"testing"

	"sluice/storage"
)

const mib = 1 << 20

// Run tests a kind of store. Every call of open returns an empty one, which the test's cleanup closes.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"what is committed is read back", (*suite).roundTrip},
		{"any cut of the writes is the same object", (*suite).unevenWrites},
		{"a range reads a part", (*suite).ranges},
		{"nothing is visible before commit", (*suite).invisibleBeforeCommit},
		{"abort leaves nothing", (*suite).abort},
		{"a cancelled object never becomes visible", (*suite).cancel},
		{"another size than promised is refused", (*suite).sizes},
		{"what is not there does not exist", (*suite).missing},
		{"commit replaces", (*suite).replace},
		{"a reader keeps the object it opened", (*suite).replaceWhileReading},
		{"of concurrent commits one wins whole", (*suite).concurrentCommits},
		{"delete can be repeated", (*suite).deletes},
		{"metadata of any script comes back", (*suite).metadata},
		{"list is in the order of keys", (*suite).list},
		{"list stops when told to", (*suite).listStops},
		{"hostile keys are refused everywhere", (*suite).hostileKeys},
		{"what grows is read back", (*suite).grows},
		{"what was left goes on", (*suite).goesOn},
		{"what was given up leaves nothing", (*suite).givesUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&suite{T: t, store: open(t)})
		})
	}
}

// suite is one test of one store.
type suite struct {
	*testing.T
	store storage.Store
}

// content returns bytes that no two seeds share and nothing compresses.
func content(seed uint64, size int) []byte {
	body := make([]byte, size)
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = src.Read(body) // never fails
	return body
}

// put commits body and returns its Info.
func (s *suite) put(key string, body []byte, o storage.Options) storage.Info {
	s.Helper()
	info, err := s.tryPut(s.Context(), key, body, o)
	if err != nil {
		s.Fatalf("put %s: %v", key, err)
	}
	return info
}

func (s *suite) tryPut(ctx context.Context, key string, body []byte, o storage.Options) (storage.Info, error) {
	w, err := s.store.Create(ctx, key, o)
	if err != nil {
		return storage.Info{}, err
	}
	defer func() {
		if err := w.Abort(); err != nil {
			s.Errorf("Abort(%s) after all = %v; want nil", key, err)
		}
	}()
	if _, err := w.Write(body); err != nil {
		return storage.Info{}, err
	}
	return w.Commit(ctx)
}

// want checks that key holds body, however it is asked.
func (s *suite) want(key string, body []byte) {
	s.Helper()
	info, err := s.store.Stat(s.Context(), key)
	if err != nil {
		s.Fatalf("Stat(%s) = %v; want an object", key, err)
	}
	if info.Key != key || info.Size != int64(len(body)) || info.ETag == "" || info.ModTime.IsZero() {
		s.Errorf("Stat(%s) = %+v; want %d bytes, an ETag and a time", key, info, len(body))
	}
	got, opened := s.read(key, 0, -1)
	if !bytes.Equal(got, body) {
		s.Errorf("%s holds %d bytes that differ from the %d committed", key, len(got), len(body))
	}
	s.same(opened, info)
}

// read returns what a range of key holds.
func (s *suite) read(key string, offset, length int64) ([]byte, storage.Info) {
	s.Helper()
	r, info, err := s.store.Open(s.Context(), key, offset, length)
	if err != nil {
		s.Fatalf("Open(%s, %d, %d) = %v; want a reader", key, offset, length, err)
	}
	defer s.close(r)
	body, err := io.ReadAll(r)
	if err != nil {
		s.Fatalf("read %s: %v", key, err)
	}
	return body, info
}

func (s *suite) close(c io.Closer) {
	s.Helper()
	if err := c.Close(); err != nil {
		s.Errorf("Close() = %v; want nil", err)
	}
}

// same checks that two Infos describe the same object. Some stores keep time to the second.
func (s *suite) same(got, want storage.Info) {
	s.Helper()
	if got.Key != want.Key || got.Size != want.Size || got.Type != want.Type || got.ETag != want.ETag ||
		!maps.Equal(got.Meta, want.Meta) || got.ModTime.Unix() != want.ModTime.Unix() {
		s.Errorf("info = %+v; want %+v", got, want)
	}
}

// wantMissing checks that key holds nothing, however it is asked.
func (s *suite) wantMissing(key string) {
	s.Helper()
	if info, err := s.store.Stat(s.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("Stat(%s) = %+v, %v; want fs.ErrNotExist", key, info, err)
	}
	for _, length := range []int64{-1, 0, 1} {
		r, _, err := s.store.Open(s.Context(), key, 0, length)
		if !errors.Is(err, fs.ErrNotExist) {
			s.Errorf("Open(%s, 0, %d) = %v; want fs.ErrNotExist", key, length, err)
		}
		if err == nil {
			s.close(r)
		}
	}
	for _, info := range s.keys(key, "") {
		if info == key {
			s.Errorf("List shows %s; want it missing", key)
		}
	}
}

// keys lists.
func (s *suite) keys(prefix, after string) []string {
	s.Helper()
	var keys []string
	err := s.store.List(s.Context(), prefix, after, func(info storage.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil {
		s.Fatalf("List(%q, %q) = %v; want nil", prefix, after, err)
	}
	return keys
}
