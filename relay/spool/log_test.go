package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWhatIsAppendedIsReadBackAtAnyOffset(t *testing.T) {
	l := create(t, open(t, t.TempDir()), "A")
	want := fill(t, l, 300)
	if err := l.Seal(nil); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		off := random.IntN(len(want))
		p := make([]byte, random.IntN(4000)+1)
		n, err := l.ReadAt(p, int64(off))
		end := min(off+len(p), len(want))
		if n != end-off || !bytes.Equal(p[:n], want[off:end]) {
			t.Fatalf("ReadAt(%d bytes, %d) = %d, %v; want %d", len(p), off, n, err, end-off)
		}
		if (err == io.EOF) != (n < len(p)) || err != nil && err != io.EOF {
			t.Fatalf("ReadAt(%d bytes, %d) = %d, %v", len(p), off, n, err)
		}
	}
	if n, err := l.ReadAt(make([]byte, 1), l.Size()); n != 0 || err != io.EOF {
		t.Errorf("ReadAt at the end = %d, %v; want EOF", n, err)
	}
}

func TestRecordsKeepTheirBoundsAndFlags(t *testing.T) {
	l := create(t, open(t, t.TempDir()), "A")
	want := len(fill(t, l, 1000))
	for _, from := range []int64{0, 1, 777, int64(want) - 1} {
		at, first := int64(0), true
		for r, err := range l.Records(from) {
			if err != nil {
				t.Fatal(err)
			}
			if first && (r.Offset > from || r.Offset+int64(r.Len) <= from) {
				t.Fatalf("Records(%d) begins with %+v", from, r)
			}
			if !first && r.Offset != at {
				t.Fatalf("record at %d follows %d", r.Offset, at)
			}
			if wantFlags := byte(r.Len); r.Flags != wantFlags {
				t.Fatalf("flags of %+v; want %d", r, wantFlags)
			}
			at, first = r.Offset+int64(r.Len), false
		}
		if at != int64(want) {
			t.Errorf("Records(%d) ends at %d; want %d", from, at, want)
		}
	}
}

func TestTheNewestHeaderWinsAfterRecover(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	for i := range 5 {
		if err := l.Put(fmt.Appendf(nil, "header %d", i), i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, l, 3)
	must(t, l.Seal([]byte("sealed")))
	must(t, l.Put([]byte("archived"), true))
	must(t, s.Close())

	l, header := recoverOne(t, dir)
	if string(header) != "archived" || !l.Sealed() || l.Damage() != nil {
		t.Errorf("recovered %q, sealed %v, damage %v", header, l.Sealed(), l.Damage())
	}
}

func TestASealedLogTakesNoMoreAndHasItsFinalName(t *testing.T) {
	l := create(t, open(t, t.TempDir()), "A")
	want := fill(t, l, 10)
	must(t, l.Seal(nil))
	if err := l.Append([]byte("x"), 0); !errors.Is(err, ErrSealed) {
		t.Errorf("Append = %v; want ErrSealed", err)
	}
	got, err := os.ReadFile(l.Path())
	if err != nil || !bytes.Equal(got, want) || filepath.Ext(l.Path()) != ".data" {
		t.Errorf("content file %s: %d bytes, %v; want %d", l.Path(), len(got), err, len(want))
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, want) {
		t.Errorf("File: %d bytes, %v", len(got), err)
	}
	must(t, l.Seal(nil)) // again is no harm
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Create("A", make([]byte, MaxHeaderBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Create = %v; want ErrTooLarge", err)
	}
	l := create(t, s, "A")
	if err := l.Append(make([]byte, MaxRecordBytes+1), 0); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Append = %v; want ErrTooLarge", err)
	}
	must(t, l.Append(make([]byte, MaxRecordBytes), 0))
	if err := l.Put(make([]byte, MaxHeaderBytes+1), false); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Put = %v; want ErrTooLarge", err)
	}
}

func TestOnlyUlidLikeNamesAreTaken(t *testing.T) {
	s := open(t, t.TempDir())
	for _, id := range []string{"", ".", "..", "a", "A/B", "A.", "../A", "A\x00", "Ä", strings.Repeat("A", 65)} {
		if _, err := s.Create(id, nil); !errors.Is(err, ErrName) {
			t.Errorf("Create(%q) = %v; want ErrName", id, err)
		}
	}
	create(t, s, strings.Repeat("9", 64))
	create(t, s, "A")
	if _, err := s.Create("A", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create of an id in use = %v; want ErrExist", err)
	}
}

func TestALogThatWasNotRecoveredIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, create(t, s, "A").Seal(nil))
	must(t, s.Close())
	if _, err := open(t, dir).Create("A", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create = %v; want ErrExist", err)
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 2 {
		l := create(t, s, "A")
		fill(t, l, 10)
		if i == 1 {
			must(t, l.Seal(nil))
		}
		must(t, l.Remove())
		if _, err := l.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadAt = %v; want ErrNotExist", err)
		}
		if err := l.Append([]byte("x"), 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Append = %v; want ErrNotExist", err)
		}
		must(t, l.Close())
	}
	if left := names(t, dir); len(left) > 0 || s.Size() != 0 {
		t.Errorf("left: %v, %d bytes", left, s.Size())
	}
}

func TestOneProcessHasTheDirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := Open(dir, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("second Open = %v; want ErrLocked", err)
	}
	must(t, s.Close())
	open(t, dir)
	if err := s.add(newLog(s, "A")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("add after Close = %v; want ErrClosed", err)
	}
}

func TestAFailedFsyncFailsTheLogForGood(t *testing.T) {
	l := create(t, open(t, t.TempDir()), "A")
	want := fill(t, l, 10)
	must(t, l.Sync())
	must(t, l.Append([]byte("more"), 0))
	// The kernel refuses to sync a descriptor that is not a file of a disk.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sound := l.handle.content
	l.handle.content = w
	if err := l.Sync(); !errors.Is(err, ErrFailed) {
		t.Fatalf("Sync = %v; want ErrFailed", err)
	}
	w.Close()
	l.handle.content = sound
	for what, err := range map[string]error{
		"Sync": l.Sync(), "Append": l.Append([]byte("x"), 0), "Put": l.Put(nil, false), "Seal": l.Seal(nil),
	} {
		if !errors.Is(err, ErrFailed) {
			t.Errorf("%s afterwards = %v; want ErrFailed", what, err)
		}
	}
	if l.Durable() != int64(len(want)) {
		t.Errorf("Durable = %d; want %d", l.Durable(), len(want))
	}
	got := make([]byte, len(want))
	if _, err := l.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("ReadAt of what was synced: %v", err)
	}
	must(t, l.Remove())
}

func TestReadersFollowOneWriterWhileOthersSync(t *testing.T) {
	s := open(t, t.TempDir())
	s.MaxOpenLogs = 1
	other := create(t, s, "OTHER") // takes the one place for open files again and again
	l := create(t, s, "A")
	const total = 4 << 20
	var done sync.WaitGroup
	for i := range 3 {
		done.Go(func() {
			for l.Durable() < total {
				before := l.Size()
				if err := l.Sync(); err != nil {
					t.Error(err)
					return
				}
				if now := l.Durable(); now < before {
					t.Errorf("Durable = %d after a Sync that began at %d", now, before)
				}
			}
		})
		done.Go(func() {
			p := make([]byte, 10_000+i*3333)
			for at := int64(0); at < total; {
				n, err := l.ReadAt(p, at)
				if err != nil && err != io.EOF {
					t.Error(err)
					return
				}
				for j, b := range p[:n] {
					if b != pattern(at+int64(j)) {
						t.Errorf("byte %d is %d", at+int64(j), b)
						return
					}
				}
				at += int64(n)
			}
		})
	}
	done.Go(func() {
		for l.Durable() < total {
			must(t, other.Put([]byte("busy"), true))
		}
	})
	random := rand.New(rand.NewPCG(3, 4))
	for l.Size() < total {
		p := patterned(l.Size(), int(min(int64(random.IntN(20_000)+1), total-l.Size())))
		must(t, l.Append(p, 0))
	}
	must(t, l.Sync())
	done.Wait()
}

func TestOpenFilesAreBounded(t *testing.T) {
	s := open(t, t.TempDir())
	s.MaxOpenLogs = 8
	before := descriptors(t)
	logs := make([]*Log, 100)
	for i := range logs {
		logs[i] = create(t, s, fmt.Sprintf("A%d", i))
		fill(t, logs[i], 3)
		must(t, logs[i].Sync())
	}
	for _, l := range logs {
		must(t, l.Append([]byte("x"), 0))
		must(t, l.Seal(nil))
		if _, err := l.ReadAt(make([]byte, l.Size()), 0); err != nil {
			t.Fatal(err)
		}
	}
	if now := descriptors(t); now > before+2*8 {
		t.Errorf("%d descriptors; want %d at most", now, before+2*8)
	}
	for _, l := range logs {
		must(t, l.Close())
	}
	if now := descriptors(t); now != before {
		t.Errorf("%d descriptors after Close; want %d", now, before)
	}
}

func BenchmarkReadAt256KiB(b *testing.B) {
	s, err := Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := s.Create("A", nil)
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 256<<10)
	for range 64 {
		if err := l.Append(p, 0); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Sync(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := l.ReadAt(p, int64(i%64)<<18); err != nil {
			b.Fatal(err)
		}
	}
}

func open(t testing.TB, dir string) *Spool {
	t.Helper()
	s, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func create(t testing.TB, s *Spool, id string) *Log {
	t.Helper()
	l, err := s.Create(id, []byte("header of "+id))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fill appends n records of 1 to n bytes, whose flags are their length, and returns the content.
func fill(t *testing.T, l *Log, n int) (content []byte) {
	t.Helper()
	for i := range n {
		p := patterned(int64(len(content)), i+1)
		must(t, l.Append(p, byte(len(p))))
		content = append(content, p...)
	}
	return content
}

// pattern is the byte that tests put at an offset.
func pattern(off int64) byte { return byte(off*131 ^ off>>8) }

func patterned(off int64, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = pattern(off + int64(i))
	}
	return p
}

// recoverOne recovers the only log of dir.
func recoverOne(t *testing.T, dir string) (one *Log, header []byte) {
	t.Helper()
	for id, r := range recoverAll(t, open(t, dir)) {
		if one != nil {
			t.Fatalf("recovered %s, too", id)
		}
		one, header = r.log, r.header
	}
	if one == nil {
		t.Fatal("nothing was recovered")
	}
	return one, header
}

type recovered struct {
	log    *Log
	header []byte
}

func recoverAll(t *testing.T, s *Spool) map[string]recovered {
	t.Helper()
	all := make(map[string]recovered)
	err := s.Recover(func(l *Log, header []byte) error {
		all[l.ID()] = recovered{l, header}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func descriptors(t *testing.T) int { return len(names(t, "/proc/self/fd")) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
