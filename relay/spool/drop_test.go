package spool

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

// taken is how many bytes of the disk a file takes.
func taken(t *testing.T, name string) int64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}

// appendTo appends records of size bytes until the log ends at to.
func appendTo(t *testing.T, l *Log, to int64, size int) {
	t.Helper()
	for l.Size() < to {
		must(t, l.Append(patterned(l.Size(), size), 0))
	}
	must(t, l.Sync())
}

// holds checks that of the content there is what follows start.
func holds(t *testing.T, l *Log, start int64) {
	t.Helper()
	size := l.Size()
	if l.Start() != start {
		t.Errorf("it begins at %d; want %d", l.Start(), start)
	}
	if start > 0 {
		if n, err := l.ReadAt(make([]byte, 10), start-1); !errors.Is(err, ErrDropped) || n > 0 {
			t.Errorf("reading what was dropped = %d, %v; want ErrDropped", n, err)
		}
	}
	got := make([]byte, size-start)
	if n, err := l.ReadAt(got, start); err != nil && err != io.EOF || string(got[:n]) != string(patterned(start, int(size-start))) {
		t.Errorf("what is left reads as %d bytes, %v; want %d", n, err, size-start)
	}
	for r, err := range l.Records(0) {
		if err != nil || r.Offset+int64(r.Len) <= start {
			t.Errorf("Records begin with %+v, %v; want the one at %d", r, err, start)
		}
		break
	}
	must(t, l.Verify(t.Context()))
	if l.spool.Size() != size-start {
		t.Errorf("the spool counts %d bytes; want %d", l.spool.Size(), size-start)
	}
}

func TestWhatIsDroppedTakesNoRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	const record, step = 1000, 1 << 20
	for end := int64(step); end <= 20*step; end += step {
		appendTo(t, l, end, record)
		must(t, l.Drop(end-step/2, []byte("kept")))
		holds(t, l, end-step/2)
	}
	if n := taken(t, s.file("A", openExt)); n > step {
		t.Errorf("the content takes %d bytes of the disk; want at most %d", n, step)
	}
	if n := taken(t, s.file("A", indexExt)); n > 100_000 {
		t.Errorf("the sidecar takes %d bytes of the disk for %d that it speaks of", n, step/2/record*slotBytes)
	}
	if n := len(l.index.pages); n > 2*step/record/pageRecords {
		t.Errorf("%d pages are in memory for what is left", n)
	}
	must(t, l.Append(patterned(l.Size(), record), 0))
	start := l.Start()
	must(t, s.Close())
	again, header := recoverOne(t, dir)
	if again.Damage() != nil || string(header) != "kept" {
		t.Errorf("recovered header %q, damage %v", header, again.Damage())
	}
	holds(t, again, start)
	must(t, again.Drop(start+10, []byte("again"))) // in the middle of a record
	holds(t, again, start+10)
	must(t, again.Seal([]byte("sealed")))
	holds(t, again, start+10)
	if err := again.Drop(start+20, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("Drop of a sealed log = %v; want ErrSealed", err)
	}
	must(t, again.Remove())
	if n := again.spool.Size(); n != 0 {
		t.Errorf("%d bytes are counted that are not there", n)
	}
}

func TestALogGoesOnBeyondWhatWasLeftOut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 50_000, 1000)
	must(t, l.Drop(123_456, []byte("left out")))
	holds(t, l, 123_456)
	if n := taken(t, s.file("A", openExt)); n > 0 {
		t.Errorf("nothing takes %d bytes of the disk", n)
	}
	appendTo(t, l, 150_000, 1000)
	holds(t, l, 123_456)
	must(t, s.Close())
	again, _ := recoverOne(t, dir)
	if again.Damage() != nil {
		t.Errorf("damage: %v", again.Damage())
	}
	holds(t, again, 123_456)
}

// A crash may come between any two writes of Drop: before the slot is there, and before the holes are made.
func TestADropThatACrashCutOff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 300_000, 1000)
	before := imageOf(t, dir)
	must(t, l.drop(200_000, []byte("dropped"), false))
	must(t, l.Sync())
	noted := imageOf(t, dir)
	must(t, l.drop(400_000, []byte("left out"), false))
	must(t, l.Sync())
	beyond := imageOf(t, dir)
	for name, c := range map[string]struct {
		files image
		start int64
		size  int64
	}{
		"before": {before, 0, 300_000}, "without the hole": {noted, 200_000, 300_000}, "without the longer file": {beyond, 400_000, 400_000},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.files.write(t, dir)
			l, _ := recoverOne(t, dir)
			if l.Damage() != nil || l.Size() != c.size {
				t.Errorf("%d bytes, damage %v; want %d", l.Size(), l.Damage(), c.size)
			}
			holds(t, l, c.start)
			must(t, l.Append(patterned(l.Size(), 100), 0))
			holds(t, l, c.start)
		})
	}
}

func TestDamageIsToldOfOnlyWhereItIsStillWanted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 10_000, 1000)
	must(t, l.drop(5_000, []byte("h"), false))
	must(t, l.Sync())
	must(t, s.Close())
	first := int64(len(appendHeader([]byte(magic), []byte("header of A"), 0))) // where the first chunk's slot is
	for _, c := range []struct {
		slot   int64
		damage int64 // -1: none
	}{{0, -1}, {4, -1}, {5, 5_000}, {9, 9_000}} {
		files := imageOf(t, dir)
		dir := t.TempDir()
		files["A"+indexExt][first+c.slot*slotBytes] ^= 1
		files.write(t, dir)
		l, _ := recoverOne(t, dir)
		var damage *CorruptError
		if errors.As(l.Damage(), &damage); c.damage < 0 && damage != nil || c.damage >= 0 && (damage == nil || damage.Offset != c.damage) {
			t.Errorf("slot %d is bad: damage %v; want it at %d", c.slot, l.Damage(), c.damage)
		}
	}
}

func TestReadersAndADropAtTheSameTime(t *testing.T) {
	s := open(t, t.TempDir())
	l := create(t, s, "A")
	appendTo(t, l, 1<<20, 10_000)
	read := make(chan error)
	go func() {
		p := make([]byte, 30_000)
		for at := int64(0); at < l.Size(); {
			n, err := l.ReadAt(p, at)
			switch {
			case errors.Is(err, ErrDropped):
				at = max(l.Start(), at+1)
				continue
			case err != nil && err != io.EOF:
				read <- err
				return
			case string(p[:n]) != string(patterned(at, n)):
				read <- errors.New("something else was read")
				return
			}
			at += int64(n)
		}
		read <- nil
	}()
	for to := int64(0); to < 1<<20; to += 33_333 {
		must(t, l.Drop(to, []byte("h")))
	}
	must(t, <-read)
}

// recoversFrom checks what a crash that leaves the files of dir as they are leaves of the log.
func recoversFrom(t *testing.T, dir string, start, size int64) {
	t.Helper()
	files := imageOf(t, dir)
	for name := range files {
		if name != "A"+indexExt && name != "A"+openExt {
			delete(files, name)
		}
	}
	after := t.TempDir()
	files.write(t, after)
	l, _ := recoverOne(t, after)
	if l.Damage() != nil || l.Size() != size {
		t.Errorf("recovered %d bytes, damage %v; want %d", l.Size(), l.Damage(), size)
	}
	holds(t, l, start)
}

func TestHolesAreMadeOnlyOfWhatIsNotedOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 300_000, 1000)
	must(t, l.drop(100_000, []byte("first"), false))
	must(t, l.Sync())
	must(t, l.drop(300_000, []byte("second"), false)) // and a crash comes before it is on the disk
	must(t, l.empty())
	must(t, l.free())
	holds(t, l, 100_000)
	recoversFrom(t, dir, 100_000, 300_000)
	must(t, l.Sync())
	must(t, l.free())
	recoversFrom(t, dir, 300_000, 300_000)
}

func TestWhereADropFindsNoRoomNothingIsGivenUp(t *testing.T) {
	dir, relieve, ok := smallDisk(t, 256<<10)
	if !ok {
		t.Skip("mounting is not allowed")
	}
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 60_000, 3000)
	ballast, err := os.Create(dir + "/more")
	for err == nil {
		_, err = ballast.Write(make([]byte, 512))
	}
	must(t, ballast.Close())
	header := make([]byte, 5000) // which needs a block more
	if err := l.Drop(60_000, header); !errors.Is(err, ErrFull) {
		t.Fatalf("Drop = %v; want ErrFull", err)
	}
	holds(t, l, 0)
	recoversFrom(t, dir, 0, 60_000)
	if err := l.Forsake(60_000, header); !errors.Is(err, ErrFull) {
		t.Fatalf("Forsake = %v; want ErrFull", err)
	}
	relieve()
	must(t, l.Drop(60_000, header))
	holds(t, l, 60_000)
	recoversFrom(t, dir, 60_000, 60_000)
}

func TestContentForsakenOnAFullDiskMakesRoom(t *testing.T) {
	dir, _, ok := smallDisk(t, 256<<10)
	if !ok {
		t.Skip("mounting is not allowed")
	}
	s := open(t, dir)
	l := create(t, s, "A")
	if err := fillUp(l); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	for err := error(ErrFull); err != nil; err = l.Append(patterned(l.Size(), 3000), 0) {
		if err := l.Forsake(l.Size(), make([]byte, 5000)); err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
	}
}

func TestSealingCutsOffWhatAFailedWriteLeft(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	l := create(t, s, "A")
	appendTo(t, l, 10_000, 1000)
	h, err := l.acquire()
	must(t, err)
	_, err = h.content.WriteAt(make([]byte, 500), l.Size())
	must(t, err)
	l.release()
	must(t, l.Seal([]byte("sealed")))
	if info, err := os.Stat(l.Path()); err != nil || info.Size() != 10_000 {
		t.Errorf("the file has %d bytes, %v; want 10000", info.Size(), err)
	}
	check(t, l, patterned(0, 10_000))
}
