package dir

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"sluice/storage"
)

func TestAdoptLinksTheFile(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "store"))
	write(t, folder, map[string]string{"spooled": "spooled content"})
	o := storage.Options{Type: "text/plain", Meta: map[string]string{"room": "lobby"}, Size: 15}
	info, err := s.Adopt(t.Context(), "media/a.txt", filepath.Join(folder, "spooled"), o)
	if err != nil || info.Size != 15 || info.Meta["room"] != "lobby" {
		t.Fatalf("Adopt() = %+v, %v; want 15 bytes with their metadata", info, err)
	}
	wantContent(t, s, "media/a.txt", "spooled content", "text/plain")
	if !sameFile(t, filepath.Join(folder, "spooled"), filepath.Join(folder, "store/media/a.txt")) {
		t.Error("the content was copied; want a link")
	}
	if err := os.Remove(filepath.Join(folder, "spooled")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "media/a.txt", "spooled content", "text/plain")
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	return os.SameFile(infoA, infoB)
}

func TestAdoptCopiesFromAnotherFileSystem(t *testing.T) {
	elsewhere, err := os.MkdirTemp("/dev/shm", "adopt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(elsewhere) })
	write(t, elsewhere, map[string]string{"spooled": "spooled content"})
	s := open(t, t.TempDir())
	if _, err := s.Adopt(t.Context(), "a", filepath.Join(elsewhere, "spooled"), storage.Options{Size: -1}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, s, "a", "spooled content", "application/octet-stream")
}

func TestAdoptRefusesWhatIsNoPlainFile(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "store"))
	write(t, folder, map[string]string{"file": "x", "folder/x": "x"})
	if err := os.Symlink("file", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "folder", "pipe", "nothing"} {
		if _, err := s.Adopt(t.Context(), "a", filepath.Join(folder, name), storage.Options{Size: -1}); err == nil {
			t.Errorf("Adopt of a %s = nil; want an error", name)
		}
	}
	var wrong *storage.SizeError
	_, err := s.Adopt(t.Context(), "a", filepath.Join(folder, "file"), storage.Options{Size: 2})
	if !errors.As(err, &wrong) {
		t.Errorf("Adopt of another size = %v; want a SizeError", err)
	}
	wantContent(t, s, "a", "", "")
}
