package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sluice/storage"
)

func (s *suite) ranges() {
	body := content(10, 6*mib+5)
	size := int64(len(body))
	whole := s.put("ranged", body, storage.Options{Type: "audio/ogg", Size: -1})
	for _, c := range []struct{ offset, length, want int64 }{
		{0, 0, 0}, {0, 1, 1}, {1, 10, 10}, {size - 1, 1, 1}, {size - 1, -1, 1}, {size - 1, 100, 1}, {size, -1, 0},
		{size, 0, 0}, {size, 5, 0}, {5*mib - 2, 4, 4}, {0, size, size}, {0, size + 1, size}, {3, -1, size - 3},
	} {
		got, info := s.read("ranged", c.offset, c.length)
		if !bytes.Equal(got, body[c.offset:c.offset+c.want]) {
			s.Errorf("Open(%d, %d) read %d bytes; want %d from there", c.offset, c.length, len(got), c.want)
		}
		s.same(info, whole)
	}
	for _, offset := range []int64{-1, size + 1, 1 << 50} {
		var beyond *storage.RangeError
		if _, _, err := s.store.Open(s.Context(), "ranged", offset, -1); !errors.As(err, &beyond) {
			s.Errorf("Open at %d of %d = %v; want a RangeError", offset, size, err)
		}
	}
	s.emptyRange()
	s.cancelledRead()
}

func (s *suite) emptyRange() {
	s.put("empty", nil, storage.Options{Size: -1})
	for _, length := range []int64{-1, 0, 1} {
		if got, info := s.read("empty", 0, length); len(got) != 0 || info.Size != 0 {
			s.Errorf("Open(empty, 0, %d) read %d bytes, info %+v; want none", length, len(got), info)
		}
	}
}

func (s *suite) cancelledRead() {
	ctx, cancel := context.WithCancel(s.Context())
	r, _, err := s.store.Open(ctx, "ranged", 0, -1)
	if err != nil {
		s.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // cancelled
	cancel()
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); !errors.Is(err, context.Canceled) {
		s.Errorf("reading after cancel = %v; want context.Canceled", err)
	}
}

func (s *suite) missing() {
	s.wantMissing("never")
	s.wantMissing("never/below/folders.bin")
	s.put("here/now", []byte("x"), storage.Options{Size: 1})
	s.wantMissing("here")
	s.wantMissing("here/no")
	s.wantMissing("here/now/under")
	s.wantMissing("here/now2")
}

func (s *suite) deletes() {
	s.put("deleted/a/b/c", []byte("body"), storage.Options{Size: -1})
	s.put("deleted/a/kept", []byte("kept"), storage.Options{Size: -1})
	if err := s.store.Delete(s.Context(), "deleted/a"); err != nil {
		s.Errorf("Delete of what is only a prefix = %v; want nil", err)
	}
	s.want("deleted/a/b/c", []byte("body"))
	for range 2 {
		if err := s.store.Delete(s.Context(), "deleted/a/b/c"); err != nil {
			s.Errorf("Delete() = %v; want nil", err)
		}
		s.wantMissing("deleted/a/b/c")
	}
	if err := s.store.Delete(s.Context(), "deleted/a/kept/under"); err != nil {
		s.Errorf("Delete of what cannot be = %v; want nil", err)
	}
	s.want("deleted/a/kept", []byte("kept"))
	s.put("deleted/a/b/c", []byte("again"), storage.Options{Size: -1})
	s.want("deleted/a/b/c", []byte("again"))
}

func (s *suite) metadata() {
	want := map[string]string{
		"name":   "  Ünïcödé 日本語 🎬 100%.webm ",
		"room":   "a/b?c=d&e#f\r\nX-Injected: yes\x00\t",
		"sha256": strings.Repeat("0f", 32),
		"empty":  "",
		"long-1": strings.Repeat("m", 1000),
	}
	for _, size := range []int{3, 6 * mib} {
		key := fmt.Sprintf("metadata/ünïcödé 日本語/+a b%%20c=%d&?#", size)
		info := s.put(key, content(11, size), storage.Options{Type: "video/mp4; codecs=avc1", Meta: want, Size: -1})
		if !maps.Equal(info.Meta, want) || info.Type != "video/mp4; codecs=avc1" {
			s.Errorf("Commit() = %+v; want metadata %q", info, want)
		}
		got, _ := s.store.Stat(s.Context(), key)
		if !maps.Equal(got.Meta, want) || got.Type != "video/mp4; codecs=avc1" {
			s.Errorf("Stat() = %+v; want metadata %q", got, want)
		}
		if keys := s.keys("metadata/ünïcödé 日本語/", ""); !slices.Contains(keys, key) {
			s.Errorf("List() = %q; want %q in it", keys, key)
		}
	}
	info := s.put("plain", nil, storage.Options{Size: 0})
	if info.Type != "application/octet-stream" || len(info.Meta) != 0 {
		s.Errorf("Commit() without options = %+v; want the default type", info)
	}
	tooMuch := map[string]string{"name": strings.Repeat("x", storage.MaxMetaBytes)}
	var refused *storage.OptionsError
	if _, err := s.store.Create(s.Context(), "much", storage.Options{Meta: tooMuch}); !errors.As(err, &refused) {
		s.Errorf("Create with too much metadata = %v; want an OptionsError", err)
	}
}

func (s *suite) list() {
	// In the order of their bytes: "-" and "." sort before "/", "0" after it.
	all := []string{"a-b", "a.b", "a/b/c", "a/b/d", "a/b.c", "a/c", "a0", "b/1", "b/10", "b/2", "é", "日"}
	for _, i := range []int{7, 2, 11, 0, 5, 3, 9, 1, 10, 4, 8, 6} {
		s.put(all[i], []byte(all[i]), storage.Options{Size: -1})
	}
	sorted := slices.Sorted(slices.Values(all))
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/b/", "a/b/c", "b/1", "c", "é", "a/b/c/", "z/"} {
		for _, after := range []string{"", "a", "a-b", "a/", "a/b", "a/b.c", "a/b/c", "a/b/zzz", "a0", "b/1", "b/9", "日", "zzz"} {
			var want []string
			for _, key := range sorted {
				if strings.HasPrefix(key, prefix) && key > after {
					want = append(want, key)
				}
			}
			if got := s.keys(prefix, after); !slices.Equal(got, want) {
				s.Errorf("List(%q, %q) = %q; want %q", prefix, after, got, want)
			}
		}
	}
}

func (s *suite) listStops() {
	for _, key := range []string{"stop/1", "stop/2", "stop/3"} {
		s.put(key, nil, storage.Options{Size: 0})
	}
	enough, seen := errors.New("enough"), 0
	err := s.store.List(s.Context(), "stop/", "", func(storage.Info) error {
		if seen++; seen == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || seen != 2 {
		s.Errorf("List() = %v after %d keys; want the error of fn after 2", err, seen)
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	err = s.store.List(ctx, "stop/", "", func(storage.Info) error { return nil })
	if !errors.Is(err, context.Canceled) {
		s.Errorf("List with a cancelled ctx = %v; want context.Canceled", err)
	}
}

func (s *suite) hostileKeys() {
	for _, key := range []string{
		"", "/", "/abs", "a//b", "a/", ".", "..", "../up", "a/../../up", "a/./b", ".hidden", "a/.hidden", "a\x00b",
		"a\nb", `a\b`, "a\xffb", strings.Repeat("s", 300), strings.Repeat("s/", 600) + "s",
	} {
		s.refused("Create", key, func() error {
			_, err := s.store.Create(s.Context(), key, storage.Options{Size: -1})
			return err
		})
		s.refused("Open", key, func() error {
			_, _, err := s.store.Open(s.Context(), key, 0, -1)
			return err
		})
		s.refused("Stat", key, func() error {
			_, err := s.store.Stat(s.Context(), key)
			return err
		})
		s.refused("Delete", key, func() error { return s.store.Delete(s.Context(), key) })
	}
	s.refused("List", "../", func() error {
		return s.store.List(s.Context(), "../", "", func(storage.Info) error { return fs.ErrInvalid })
	})
}

func (s *suite) refused(what, key string, call func() error) {
	s.Helper()
	var refused *storage.KeyError
	if err := call(); !errors.As(err, &refused) {
		s.Errorf("%s(%.50q) = %v; want a KeyError", what, key, err)
	}
}
