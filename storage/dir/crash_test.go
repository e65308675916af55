package dir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/storage"
)

// write puts files below folder; a name ending in a slash is a folder.
func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func commitText(t *testing.T, key, content, kind string) string {
	t.Helper()
	text, err := appendRecord(storage.Info{
		Key: key, Size: int64(len(content)), Type: kind, ETag: kind, ModTime: time.Unix(1, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOpenBringsEveryCrashPointInOrder(t *testing.T) {
	const key = "a/b/x.webm"
	first, second := commitText(t, key, "first", "text/first"), commitText(t, key, "second!", "text/second")
	for _, c := range []struct {
		name   string
		before map[string]string
		want   string // content, "" for none
		kind   string
	}{
		{"content half written", map[string]string{".work/ID.data": "sec"}, "", ""},
		{"content without a record", map[string]string{".work/ID.data": "second!"}, "", ""},
		{"record half written", map[string]string{".work/ID.data": "second!", ".work/ID.commit": second[:20]}, "", ""},
		{"record empty", map[string]string{".work/ID.data": "second!", ".work/ID.commit": ""}, "", ""},
		{"record without its end", map[string]string{".work/ID.data": "second!", ".work/ID.commit": second[:len(second)-2]}, "", ""},
		{"record complete", map[string]string{".work/ID.data": "second!", ".work/ID.commit": second}, "second!", "text/second"},
		{"content renamed", map[string]string{key: "second!", ".work/ID.commit": second}, "second!", "text/second"},
		{"content without info", map[string]string{key: "second!"}, "", ""},
		{"replacing, content half written", map[string]string{
			key: "first", infoName(key): first, ".work/ID.data": "sec",
		}, "first", "text/first"},
		{"replacing, record half written", map[string]string{
			key: "first", infoName(key): first, ".work/ID.data": "second!", ".work/ID.commit": second[:30],
		}, "first", "text/first"},
		{"replacing, record complete", map[string]string{
			key: "first", infoName(key): first, ".work/ID.data": "second!", ".work/ID.commit": second,
		}, "second!", "text/second"},
		{"replacing, content renamed", map[string]string{
			key: "second!", infoName(key): first, ".work/ID.commit": second,
		}, "second!", "text/second"},
		{"deleting, content gone", map[string]string{infoName(key): first}, "", ""},
		{"a record for a key that became a folder", map[string]string{
			".work/ID.data": "second!", ".work/ID.commit": second, key + "/under": "x",
		}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, c.before)
			s := open(t, folder)
			wantContent(t, s, key, c.want, c.kind)
			left, err := os.ReadDir(filepath.Join(folder, workFolder))
			if err != nil || len(left) != 0 {
				t.Errorf("left in %s: %v, %v; want nothing", workFolder, left, err)
			}
		})
	}
}

func wantContent(t *testing.T, s *Store, key, content, kind string) {
	t.Helper()
	r, info, err := s.Open(t.Context(), key, 0, -1)
	if content == "" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%s) = %+v, %v; want fs.ErrNotExist", key, info, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("Open(%s) = %v; want %q", key, err, content)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if string(got) != content || info.Type != kind || err != nil {
		t.Errorf("Open(%s) = %q of %s, %v; want %q of %s", key, got, info.Type, err, content, kind)
	}
}

func TestOpenRefusesARecordThatPointsElsewhere(t *testing.T) {
	for _, key := range []string{"../escape", "/etc/escape", ".work/x", "a//b"} {
		folder := filepath.Join(t.TempDir(), "store")
		write(t, folder, map[string]string{".work/ID.data": "x", ".work/ID.commit": commitText(t, key, "x", "t")})
		open(t, folder)
		err := filepath.WalkDir(filepath.Dir(folder), func(path string, d fs.DirEntry, err error) error {
			if strings.Contains(d.Name(), "escape") || strings.HasSuffix(path, "ID.data") {
				t.Errorf("key %q: there is %s", key, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// killEnv tells this test binary to be the process that is killed: it commits until then.
const killEnv = "STORAGE_DIR_COMMITS_TO"

func TestMain(m *testing.M) {
	if folder := os.Getenv(killEnv); folder != "" {
		commitForever(folder)
	}
	os.Exit(m.Run())
}

// version is the content of the n-th commit of a key: its type says which it is.
func version(n int) ([]byte, string) {
	return bytes.Repeat([]byte{byte('a' + n%26)}, 1+n*977%50_000), fmt.Sprintf("text/v%d", n)
}

func commitForever(folder string) {
	s, err := Open(folder)
	for n := 0; err == nil; n++ {
		body, kind := version(n)
		err = put(s, fmt.Sprintf("media/%d/object.bin", n%3), body, kind)
		fmt.Println(n) // acknowledged
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	folder := t.TempDir()
	for round := range 8 {
		acked := commitUntilKilled(t, folder, 3+round*5)
		s, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		for n := max(0, acked-2); n <= acked; n++ {
			wantVersion(t, s, fmt.Sprintf("media/%d/object.bin", n%3), n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// commitUntilKilled kills the process after it has acknowledged the n-th commit, and returns the last acknowledged.
func commitUntilKilled(t *testing.T, folder string, n int) (acked int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe)
	child.Env = append(os.Environ(), killEnv+"="+folder)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acked = -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &acked); err != nil {
			t.Fatal(err)
		}
		if acked == n {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait() // killed
	if acked < n {
		t.Fatalf("the process ended after commit %d; want it killed after %d", acked, n)
	}
	return acked
}

// wantVersion checks that key holds the n-th commit or a later one, whole and with its own info.
func wantVersion(t *testing.T, s *Store, key string, n int) {
	t.Helper()
	r, info, err := s.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Errorf("Open(%s) = %v; want commit %d", key, err, n)
		return
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	var found int
	if _, err := fmt.Sscanf(info.Type, "text/v%d", &found); err != nil || found < n {
		t.Errorf("%s is of type %s; want commit %d or later", key, info.Type, n)
	}
	if want, _ := version(found); !bytes.Equal(got, want) {
		t.Errorf("%s has the info of commit %d and %d bytes of %q; want its own", key, found, len(got), got[:1])
	}
}
