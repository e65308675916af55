package spool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// limited, when it is set in the environment, tells the test binary that it may limit the size of its files.
const limited = "SPOOL_LIMITED"

func TestAFullDiskRefusesWhatItCannotHoldAndNothingElse(t *testing.T) {
	if os.Getenv(limited) == "" {
		// The limit is the whole process's, and this one has other files to write.
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), limited+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if dir, relieve, ok := smallDisk(t, 256<<10); ok {
		t.Run("full disk", func(t *testing.T) { fillAndRelieve(t, dir, relieve) })
	}
	t.Run("no files to open", withoutFiles)
	t.Run("limit on file sizes", func(t *testing.T) { fillAndRelieve(t, t.TempDir(), limitFiles(t, 100_000)) })
}

// withoutFiles lets a log go idle so that its files are closed, and appends to it when the process may open none.
func withoutFiles(t *testing.T) {
	s := open(t, t.TempDir())
	s.MaxOpenLogs = 1
	a, b := create(t, s, "A"), create(t, s, "B")
	for _, l := range []*Log{a, b} {
		appendTo(t, l, 5000, 1000)
	}
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: before.Max}))
	err := a.Append(patterned(5000, 1000), 0)
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before))
	if !errors.Is(err, ErrFull) {
		t.Errorf("Append = %v; want ErrFull", err)
	}
	appendTo(t, a, 10_000, 1000)
	check(t, a, patterned(0, 10_000))
}

// fillAndRelieve fills what dir can hold, makes room, and checks that nothing is lost.
func fillAndRelieve(t *testing.T, dir string, relieve func()) {
	s := open(t, dir)
	l := create(t, s, "A")
	if err := fillUp(l); !errors.Is(err, ErrFull) {
		t.Fatalf("Append to a full disk = %v; want ErrFull", err)
	}
	check(t, l, patterned(0, int(l.Size())))

	relieve()
	must(t, l.Sync())
	must(t, l.Append(patterned(l.Size(), 5000), 0))
	content := patterned(0, int(l.Size()))
	must(t, l.Seal([]byte("sealed")))
	check(t, l, content)
	must(t, s.Close())
	again, header := recoverOne(t, dir)
	if check(t, again, content); string(header) != "sealed" || again.Damage() != nil {
		t.Errorf("recovered %q, damage %v", header, again.Damage())
	}
}

// fillUp appends, and syncs now and then, until that fails.
func fillUp(l *Log) error {
	for i := range 1000 {
		if err := l.Append(patterned(l.Size(), 3000), 0); err != nil {
			return err
		}
		if i%10 == 9 {
			if err := l.Sync(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%d bytes found room", l.Size())
}

// limitFiles limits the size of every file this process writes until relieve is called.
func limitFiles(t *testing.T, size uint64) (relieve func()) {
	t.Helper()
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	signal.Ignore(syscall.SIGXFSZ) // what a write over the limit raises beside its error
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}))
	return func() { must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) }
}

// smallDisk mounts a file system of that size, half of it taken by a file that relieve removes. It reports false
// where mounting is not allowed.
func smallDisk(t *testing.T, size int) (dir string, relieve func(), ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		return "", nil, false
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	ballast := filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, size/2), 0o600))
	return dir, func() { must(t, os.Remove(ballast)) }, true
}
