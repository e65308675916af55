package spool

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// crashDir, when it is set in the environment, makes this test binary the process that crashes.
const crashDir = "SPOOL_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeUntilKilled(dir, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func TestWhatSyncAcknowledgedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(5, 6))
	acknowledged := map[string]ack{}
	for round := range 25 {
		for id, a := range crashAfter(t, dir, random.IntN(60)) {
			acknowledged[id] = a
		}
		s := open(t, dir)
		all := recoverAll(t, s)
		for id, want := range acknowledged {
			got, ok := all[id]
			if !ok {
				t.Fatalf("round %d: log %s is lost", round, id)
			}
			survived(t, got, want)
		}
		must(t, s.Close())
	}
	if len(acknowledged) < 10 {
		t.Errorf("only %d logs were acknowledged", len(acknowledged))
	}
}

// ack is what a process said of a log before it was killed.
type ack struct {
	size   int64
	sealed bool
}

func survived(t *testing.T, got recovered, want ack) {
	t.Helper()
	l := got.log
	if l.Size() < want.size || want.sealed && (!l.Sealed() || string(got.header) != "sealed "+l.ID()) || l.Damage() != nil {
		t.Fatalf("log %s: %d bytes, sealed %v, header %q, damage %v; want %+v",
			l.ID(), l.Size(), l.Sealed(), got.header, l.Damage(), want)
	}
	check(t, l, patterned(0, int(l.Size())))
}

// crashAfter runs a process that writes logs, kills it once it has acknowledged that many times, and returns the
// newest acknowledgement of each log: also those it gave before the kill reached it.
func crashAfter(t *testing.T, dir string, acks int) map[string]ack {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	must(t, cmd.Start())
	said := map[string]ack{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var (
			id string
			a  ack
		)
		// The last line may be torn.
		if _, err := fmt.Sscanf(lines.Text()+"\n", "%s %d %t.\n", &id, &a.size, &a.sealed); err == nil {
			said[id] = a
		}
		if n == acks {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended before it was killed: %v", err)
	}
	return said
}

// writeUntilKilled goes on with the logs that are there and begins others, on several goroutines, and says on w what
// is durable.
func writeUntilKilled(dir string, w io.Writer) error {
	s, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	var left []*Log
	if err := s.Recover(func(l *Log, _ []byte) error {
		if !l.Sealed() {
			left = append(left, l)
		}
		return nil
	}); err != nil {
		return err
	}
	var writers sync.WaitGroup
	errs := make(chan error, 4)
	for i := range cap(errs) {
		var own []*Log
		for j := i; j < len(left); j += cap(errs) {
			own = append(own, left[j])
		}
		writers.Go(func() {
			errs <- writeLogs(s, own, w)
		})
	}
	return <-errs
}

func writeLogs(s *Spool, own []*Log, w io.Writer) error {
	for {
		for _, l := range own {
			if err := writeLog(l, w); err != nil {
				return err
			}
		}
		l, err := s.Create(strings.ToUpper(fmt.Sprintf("%016x", rand.Uint64())), []byte("open"))
		if err != nil {
			return err
		}
		own = []*Log{l}
	}
}

func writeLog(l *Log, w io.Writer) error {
	for range rand.IntN(30) {
		if err := l.Append(patterned(l.Size(), rand.IntN(5000)+1), 0); err != nil {
			return err
		}
		if rand.IntN(3) > 0 {
			continue
		}
		size := l.Size()
		if err := l.Sync(); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %d false.\n", l.ID(), size)
	}
	if err := l.Seal([]byte("sealed " + l.ID())); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %d true.\n", l.ID(), l.Size())
	return nil
}
