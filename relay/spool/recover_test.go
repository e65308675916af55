package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// image is the files of a spool in memory.
type image map[string][]byte

func imageOf(t *testing.T, dir string) image {
	t.Helper()
	files := image{}
	for _, name := range names(t, dir) {
		p, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = p
	}
	return files
}

func (f image) write(t *testing.T, dir string) {
	t.Helper()
	for name, p := range f {
		if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// with returns the image with one file replaced.
func (f image) with(name string, p []byte) image {
	g := maps.Clone(f)
	g[name] = p
	return g
}

// sample makes a log of records and headers, and says where each record ends in the sidecar.
func sample(t *testing.T, seal bool) (files image, content []byte, ends map[int]int) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	ends = map[int]int{}
	for i := range 5 {
		p := patterned(int64(len(content)), 10+i)
		content = append(content, p...)
		must(t, l.Append(p, 0))
		must(t, l.Sync())
		ends[int(l.end)] = len(content)
		must(t, l.Put(fmt.Appendf(nil, "header after %d", len(content)), i%2 == 0))
	}
	if seal {
		must(t, l.Seal([]byte("sealed")))
	}
	must(t, s.Close())
	return imageOf(t, dir), content, ends
}

func TestATornSidecarIsCutToTheLastGoodRecord(t *testing.T) {
	files, content, ends := sample(t, false)
	sidecar := files["A.index"]
	for cut := range len(sidecar) + 1 {
		want := 0
		for end, size := range ends {
			if end <= cut {
				want = max(want, size)
			}
		}
		for _, tail := range [][]byte{nil, make([]byte, 100), bytes.Repeat([]byte{0xff}, 77)} {
			dir := t.TempDir()
			torn := append(slices.Clone(sidecar[:cut]), tail...)
			files.with("A.index", torn).write(t, dir)
			s := open(t, dir)
			r, ok := recoverAll(t, s)["A"]
			if !ok {
				if want > 0 || cut > 60 {
					t.Fatalf("cut at %d: log is gone", cut)
				}
				if rest := names(t, dir); len(rest) > 0 {
					t.Fatalf("cut at %d: %v is left", cut, rest)
				}
				continue
			}
			goesOn(t, r.log, content[:want])
			must(t, s.Close())
			again, _ := recoverOne(t, dir)
			check(t, again, append(content[:want:want], "goes on"...))
		}
	}
}

func TestShortContentCutsTheSidecar(t *testing.T) {
	files, content, ends := sample(t, false)
	for cut := range len(content) + 1 {
		want := 0
		for _, size := range ends {
			if size <= cut {
				want = max(want, size)
			}
		}
		dir := t.TempDir()
		files.with("A.open", content[:cut]).write(t, dir)
		s := open(t, dir)
		r := recoverAll(t, s)["A"]
		if string(r.header) != fmt.Sprintf("header after %d", len(content)) {
			t.Errorf("content of %d: header %q", cut, r.header)
		}
		goesOn(t, r.log, content[:want])
		must(t, s.Close())
		again, header := recoverOne(t, dir)
		check(t, again, append(content[:want:want], "goes on"...))
		if !bytes.Equal(header, r.header) {
			t.Errorf("content of %d: header %q the second time", cut, header)
		}
	}
}

func TestLongContentIsCut(t *testing.T) {
	for _, seal := range []bool{false, true} {
		files, content, _ := sample(t, seal)
		name := map[bool]string{false: "A.open", true: "A.data"}[seal]
		dir := t.TempDir()
		files.with(name, append(slices.Clone(content), "never acknowledged"...)).write(t, dir)
		l, _ := recoverOne(t, dir)
		check(t, l, content)
		if got, err := os.ReadFile(l.Path()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("sealed %v: the file has %d bytes, %v; want %d", seal, len(got), err, len(content))
		}
	}
}

func TestASealIsFinishedWhenOnlyTheNameIsMissing(t *testing.T) {
	files, content, _ := sample(t, true)
	files["A.open"] = files["A.data"]
	delete(files, "A.data")
	dir := t.TempDir()
	files.write(t, dir)
	l, header := recoverOne(t, dir)
	check(t, l, content)
	if !l.Sealed() || string(header) != "sealed" || l.Durable() != int64(len(content)) {
		t.Errorf("sealed %v, header %q, durable %d", l.Sealed(), header, l.Durable())
	}
	if _, err := os.Stat(filepath.Join(dir, "A.data")); err != nil {
		t.Error(err)
	}
}

func TestEveryFlippedBitOfContentIsFound(t *testing.T) {
	files, content, ends := sample(t, true)
	dir := t.TempDir()
	files.write(t, dir)
	l, _ := recoverOne(t, dir)
	for bit := range len(content) * 8 {
		flipped := slices.Clone(content)
		flipped[bit/8] ^= 1 << (bit % 8)
		files.with("A.data", flipped).write(t, dir)
		n, err := io.ReadFull(io.NewSectionReader(l, 0, l.Size()), make([]byte, len(content)))
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.ID != "A" {
			t.Fatalf("bit %d: read %d, %v; want a CorruptError", bit, n, err)
		}
		begin := 0
		for _, end := range ends {
			if end <= bit/8 {
				begin = max(begin, end)
			}
		}
		if n != begin || corrupt.Offset != int64(begin) {
			t.Fatalf("bit %d: read %d, corrupt at %d; want %d", bit, n, corrupt.Offset, begin)
		}
		// One byte is enough to see it, if it is of that record.
		if _, err := l.ReadAt(make([]byte, 1), int64(begin)); !errors.As(err, &corrupt) {
			t.Fatalf("bit %d: one byte is read, %v", bit, err)
		}
	}
}

func TestEveryFlippedBitOfTheSidecarIsFound(t *testing.T) {
	files, content, _ := sample(t, true)
	dir := t.TempDir()
	files.write(t, dir)
	for bit := range len(files["A.index"]) * 8 {
		flipped := slices.Clone(files["A.index"])
		flipped[bit/8] ^= 1 << (bit % 8)
		image{"A.index": flipped}.write(t, dir)
		s := open(t, dir)
		l := recoverAll(t, s)["A"].log
		got, err := io.ReadAll(io.NewSectionReader(l, 0, l.Size()))
		if l.Damage() == nil {
			t.Fatalf("bit %d: no damage found", bit)
		}
		if !bytes.HasPrefix(content, got) || err == nil && len(got) < len(content) {
			t.Fatalf("bit %d: read %d bytes, %v", bit, len(got), err)
		}
		must(t, s.Close())
	}
}

func TestASlotThatGoesBadWhileInUseIsFound(t *testing.T) {
	files, content, _ := sample(t, true)
	dir := t.TempDir()
	files.write(t, dir)
	l, _ := recoverOne(t, dir)
	for at := range len(files["A.index"]) {
		flipped := slices.Clone(files["A.index"])
		flipped[at] ^= 1
		files.with("A.index", flipped).write(t, dir)
		got, err := io.ReadAll(io.NewSectionReader(l, 0, l.Size()))
		var corrupt *CorruptError
		if !bytes.Equal(got, content) && !errors.As(err, &corrupt) {
			t.Fatalf("byte %d: read %d bytes, %v", at, len(got), err)
		}
	}
}

func TestShortContentOfASealedLogIsDamage(t *testing.T) {
	files, content, _ := sample(t, true)
	for cut := range len(content) {
		dir := t.TempDir()
		files.with("A.data", content[:cut]).write(t, dir)
		l, _ := recoverOne(t, dir)
		got, err := io.ReadAll(io.NewSectionReader(l, 0, l.Size()))
		var corrupt *CorruptError
		if l.Damage() == nil || !errors.As(err, &corrupt) || !bytes.HasPrefix(content, got) {
			t.Fatalf("content of %d: damage %v, read %d, %v", cut, l.Damage(), len(got), err)
		}
	}
}

func TestWhatWasNeverAcknowledgedIsRemoved(t *testing.T) {
	files, content, _ := sample(t, false)
	for name, left := range map[string]image{
		"half-made sidecar":       {"A.index.tmp": files["A.index"], "A.open": nil},
		"content without sidecar": {"A.open": content},
		"sealed without sidecar":  {"A.data": content},
		"empty sidecar":           {"A.index": nil, "A.open": nil},
		"sidecar of zeros":        {"A.index": make([]byte, 4096), "A.open": content},
		"sidecar alone":           {"A.index": files["A.index"][:60]},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			left.write(t, dir)
			if all := recoverAll(t, open(t, dir)); len(all) > 0 {
				t.Errorf("recovered %v", all)
			}
			if rest := names(t, dir); len(rest) > 0 {
				t.Errorf("%v is left", rest)
			}
		})
	}
}

func TestWhatIsBeyondReadingIsKeptAside(t *testing.T) {
	files, content, _ := sample(t, true)
	headless := make([]byte, 8+slotBytes*2)
	for name, left := range map[string]image{
		"headers are lost":  {"A.index": append(headless, slot{kind: kindChunk, length: 1}.append(nil)...), "A.open": content},
		"sidecar is zeroed": {"A.index": make([]byte, 500), "A.data": content},
		"content is lost":   {"A.index": files["A.index"]},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			left.write(t, dir)
			if all := recoverAll(t, open(t, dir)); len(all) > 0 {
				t.Errorf("recovered %v", all)
			}
			aside := imageOf(t, filepath.Join(dir, "damaged"))
			if !maps.EqualFunc(aside, left, bytes.Equal) {
				t.Errorf("kept aside: %v", slices.Collect(maps.Keys(aside)))
			}
		})
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	foreign := image{"README": nil, "a.index": nil, "A.txt": nil, ".index": nil, "A B.open": nil}
	foreign.write(t, dir)
	if all := recoverAll(t, open(t, dir)); len(all) > 0 {
		t.Errorf("recovered %v", all)
	}
	if got := imageOf(t, dir); len(got) != len(foreign) {
		t.Errorf("left: %v", names(t, dir))
	}
}

func TestAnErrorEndsRecover(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	create(t, s, "A")
	create(t, s, "B")
	must(t, s.Close())
	stop := errors.New("stop")
	calls := 0
	err := open(t, dir).Recover(func(l *Log, _ []byte) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || !strings.Contains(err.Error(), "A") || calls != 1 {
		t.Errorf("Recover = %v after %d calls", err, calls)
	}
}

func TestTenThousandLogsAreRecoveredInFiveSeconds(t *testing.T) {
	dir := t.TempDir()
	files, content, _ := sample(t, true)
	for i := range 10_000 {
		base := filepath.Join(dir, fmt.Sprintf("LOG%05d", i))
		must(t, os.WriteFile(base+".index", files["A.index"], 0o600))
		must(t, os.WriteFile(base+".data", content, 0o600))
	}
	s := open(t, dir)
	before := descriptors(t)
	begin := time.Now()
	all := recoverAll(t, s)
	took := time.Since(begin)
	t.Logf("recovered in %v", took)
	if len(all) != 10_000 || took > 5*time.Second {
		t.Errorf("recovered %d logs in %v", len(all), took)
	}
	if now := descriptors(t); now != before {
		t.Errorf("%d descriptors are open; want %d", now, before)
	}
	if want := int64(10_000 * len(content)); s.Size() != want {
		t.Errorf("Size = %d; want %d", s.Size(), want)
	}
}

// goesOn checks the content of a recovered log and that it takes more.
func goesOn(t *testing.T, l *Log, content []byte) {
	t.Helper()
	check(t, l, content)
	must(t, l.Append([]byte("goes on"), 0))
	must(t, l.Sync())
	check(t, l, append(content[:len(content):len(content)], "goes on"...))
}

func check(t *testing.T, l *Log, content []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(l, 0, l.Size()))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("content %q, %v; want %q", got, err, content)
	}
}
