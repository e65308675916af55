package dir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sluice/storage"
)

func put(s *Store, key string, body []byte, kind string) error {
	w, err := s.Create(context.Background(), key, storage.Options{Type: kind, Size: int64(len(body))})
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return errors.Join(err, w.Abort())
	}
	_, err = w.Commit(context.Background())
	return err
}

func mustPut(t *testing.T, s *Store, key, body string) {
	t.Helper()
	if err := put(s, key, []byte(body), "text/plain"); err != nil {
		t.Fatal(err)
	}
}

func TestAFolderIsOpenedOnce(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if _, err := Open(folder); !errors.Is(err, ErrInUse) {
		t.Errorf("Open of an open folder = %v; want ErrInUse", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	open(t, folder)
}

func TestObjectsOutliveTheStore(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	mustPut(t, s, "a/b.txt", "body")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wantContent(t, open(t, folder), "a/b.txt", "body", "text/plain")
	if got, err := os.ReadFile(filepath.Join(folder, "a/b.txt")); string(got) != "body" || err != nil {
		t.Errorf("the file holds %q, %v; want the plain content", got, err)
	}
}

func TestAKeyUnderAnotherIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	mustPut(t, s, "a/b", "body")
	for _, key := range []string{"a/b/c", "a/b/c/d", "a"} {
		var refused *storage.KeyError
		if err := put(s, key, []byte("x"), ""); !errors.As(err, &refused) {
			t.Errorf("commit of %s beside a/b = %v; want a KeyError", key, err)
		}
	}
	wantContent(t, s, "a/b", "body", "text/plain")
	if left, err := fs.ReadDir(s.root.FS(), workFolder); err != nil || len(left) != 0 {
		t.Errorf("left in %s: %v, %v; want nothing", workFolder, left, err)
	}
}

func TestSymbolicLinksLeadNowhereOutside(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	write(t, outside, map[string]string{"secret": "secret", ".secret.info": commitText(t, "out/secret", "secret", "t")})
	s := open(t, folder)
	if err := os.Symlink(outside, filepath.Join(folder, "out")); err != nil {
		t.Fatal(err)
	}
	if r, _, err := s.Open(t.Context(), "out/secret", 0, -1); err == nil {
		r.Close()
		t.Error("Open through a link out of the store = nil; want an error")
	}
	if err := put(s, "out/planted", []byte("x"), ""); err == nil {
		t.Error("Commit through a link out of the store = nil; want an error")
	}
	if err := s.Delete(t.Context(), "out/secret"); err == nil {
		t.Error("Delete through a link out of the store = nil; want an error")
	}
	left, err := os.ReadDir(outside)
	if err != nil || len(left) != 2 {
		t.Errorf("outside there are %v, %v; want what was there", left, err)
	}
}

func TestDeleteTakesEmptyFoldersAlong(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	mustPut(t, s, "a/b/c/1", "1")
	mustPut(t, s, "a/b/2", "2")
	for _, key := range []string{"a/b/c/1", "a/b/2"} {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(folder, filepath.Dir(key))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder of %s: %v; want it gone", key, err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder a: %v; want it gone", err)
	}
	mustPut(t, s, "a", "a file now")
}

func TestDamageIsReportedAndHidesNothingElse(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	for _, key := range []string{"a/1", "a/2", "a/3", "a/4"} {
		mustPut(t, s, key, "content")
	}
	if err := os.Truncate(filepath.Join(folder, "a/2"), 3); err != nil {
		t.Fatal(err)
	}
	write(t, folder, map[string]string{"a/.3.info": "{"})
	for _, key := range []string{"a/2", "a/3"} {
		if _, _, err := s.Open(t.Context(), key, 0, -1); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("Open(%s) = %v; want ErrCorrupt", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("Stat(%s) = %v; want ErrCorrupt", key, err)
		}
	}
	if got, want := list(t, s, pageNames, ""), []string{"a/1", "a/2", "a/3", "a/4"}; !slices.Equal(got, want) {
		t.Errorf("List() = %q; want %q", got, want)
	}
}

func list(t *testing.T, s *Store, page int, after string) (keys []string) {
	t.Helper()
	l := &lister{store: s, ctx: t.Context(), after: after, page: page, fn: func(info storage.Info) error {
		keys = append(keys, info.Key)
		return nil
	}}
	if err := l.folder(""); err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestFoldersLargerThanAPageAreListedInOrder(t *testing.T) {
	s := open(t, t.TempDir())
	var want []string
	for i := range 40 {
		key := fmt.Sprintf("%02d/%02d", i/15, i*7%40)
		mustPut(t, s, key, key)
		want = append(want, key)
	}
	slices.Sort(want)
	for _, page := range []int{1, 2, 3, 14, 15, 16, 1000} {
		if got := list(t, s, page, ""); !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %q; want %q", page, got, want)
		}
		if got := list(t, s, page, want[20]); !slices.Equal(got, want[21:]) {
			t.Errorf("in pages of %d after %s: %q; want %q", page, want[20], got, want[21:])
		}
	}
}

// receiver takes what io.Copy would give to a connection.
type receiver struct {
	bytes.Buffer
	src io.Reader
}

func (r *receiver) ReadFrom(src io.Reader) (int64, error) {
	r.src = src
	return r.Buffer.ReadFrom(src)
}

func TestAReaderLetsTheKernelSendTheFile(t *testing.T) {
	s := open(t, t.TempDir())
	mustPut(t, s, "a", "0123456789")
	r, _, err := s.Open(t.Context(), "a", 2, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	file := r.(storage.Filer).File()
	if at, err := file.Seek(0, io.SeekCurrent); at != 2 || err != nil {
		t.Errorf("the file stands at %d, %v; want 2", at, err)
	}
	var conn receiver
	if n, err := io.Copy(&conn, r); n != 5 || err != nil || conn.String() != "23456" {
		t.Errorf("copied %d bytes %q, %v; want 23456", n, conn.String(), err)
	}
	limited, ok := conn.src.(*io.LimitedReader)
	if !ok || limited.R != file {
		t.Errorf("the connection was given a %T; want a limited *os.File", conn.src)
	}
}
