package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/internal/tools"
)

const (
	sluiceReady   = 30 * time.Second // how long the server may take to listen
	sluiceGoodbye = 15 * time.Second // and to end after SIGTERM
)

// Server is `sluice serve`, a process.
type Server struct {
	URL  string // http://HOST:PORT
	Addr string // HOST:PORT
	Data string // the folder it keeps its data in

	t       testing.TB
	binary  string
	flags   []string
	process *process
	log     *serverLog // its standard error since it was started last
}

// Sluice builds the command, with the race detector if the test has it, and starts `sluice serve` with these flags.
// Unless they say otherwise it listens on a free port of the loopback interface and keeps its data in a folder of t.
// It inherits the environment. The server is told to end when t ends, and has to do so with status 0; if t has
// failed, what it wrote to standard error is logged.
func Sluice(t testing.TB, flags ...string) *Server {
	t.Helper()
	return serve(t, Binary(t), flags)
}

// SluiceAsUsed is Sluice as people run it, never with the race detector: for measuring its memory.
func SluiceAsUsed(t testing.TB, flags ...string) *Server {
	t.Helper()
	path, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, path, flags)
}

func serve(t testing.TB, binary string, flags []string) *Server {
	t.Helper()
	s := &Server{t: t, binary: binary, flags: flags}
	s.Addr = flagValue(flags, "--addr", func() string { return "127.0.0.1:0" })
	s.Data = flagValue(flags, "--data", t.TempDir)
	s.Start()
	t.Cleanup(func() {
		s.Stop()
		s.report()
	})
	return s
}

// Start starts the server again after Stop or Kill, with the same address and data.
func (s *Server) Start() {
	s.t.Helper()
	args := append([]string{"serve"}, s.flags...)
	cmd := exec.Command(s.binary, append(args, "--addr="+s.Addr, "--data="+s.Data)...)
	s.log = &serverLog{ready: make(chan string, 1)}
	cmd.Stderr = s.log
	s.process = launch(s.t, cmd)

	patience := time.NewTimer(sluiceReady)
	defer patience.Stop()
	select {
	case s.URL = <-s.log.ready:
		_, s.Addr, _ = strings.Cut(s.URL, "://")
	case <-s.process.ended:
		s.t.Fatalf("sluice serve ended before it listened: %v\n%s", s.process.err, s.log)
	case <-patience.C:
		s.process.kill(s.t)
		s.t.Fatalf("sluice serve does not listen after %v\n%s", sluiceReady, s.log)
	}
}

// Stop ends the server by SIGTERM and waits for its end. Anything but status 0 fails the test: with the race detector
// that is a data race, too.
func (s *Server) Stop() {
	s.t.Helper()
	if !s.running() {
		return
	}
	s.Signal(syscall.SIGTERM)
	patience := time.NewTimer(sluiceGoodbye)
	defer patience.Stop()
	select {
	case <-s.process.ended:
		if s.process.err != nil {
			s.t.Errorf("sluice serve: %v", s.process.err)
		}
	case <-patience.C:
		s.Signal(syscall.SIGQUIT) // let it say where it hangs
		<-s.process.ended
		s.t.Errorf("sluice serve did not end %v after SIGTERM", sluiceGoodbye)
	}
}

// Kill ends the server by SIGKILL, as a crash would, and waits for its end.
func (s *Server) Kill() {
	s.t.Helper()
	s.process.kill(s.t)
}

// Signal sends the server a signal.
func (s *Server) Signal(signal os.Signal) {
	s.t.Helper()
	s.process.signal(s.t, signal)
}

// PID is the process's id.
func (s *Server) PID() int { return s.process.cmd.Process.Pid }

// Log is what the server has written to standard error since it was started last.
func (s *Server) Log() string { return s.log.String() }

// RSS returns how many bytes of memory the server has resident, now and at most so far.
func (s *Server) RSS() (now, peak int64) {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := map[string]int64{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, found := strings.CutSuffix(strings.TrimSpace(value), " kB")
		if n, err := strconv.ParseInt(kib, 10, 64); found && err == nil {
			fields[name] = n << 10
		}
	}
	return fields["VmRSS"], fields["VmHWM"]
}

func (s *Server) running() bool {
	select {
	case <-s.process.ended:
		return false
	default:
		return true
	}
}

// report logs what the server said if the test has failed.
func (s *Server) report() {
	if s.t.Failed() {
		s.t.Logf("standard error of sluice serve:\n%s", s.log)
	}
}

// Binary returns the path of the sluice command, built once for this test binary, with the race detector if that
// has it.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The command is built when it is first asked for.
var (
	binary      = sync.OnceValues(func() (string, error) { return build(raceDetector) })
	plainBinary = sync.OnceValues(func() (string, error) { return build(false) })
)

func build(race bool) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	unlock, err := tools.Lock(root)
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(root, ".tools", "sluice")
	args := []string{"build", "-buildvcs=false"} // git may refuse to tell a root that does not own the tree
	if race {
		path += "-race"
		args = append(args, "-race")
	}
	_, err = tools.Output(context.Background(), root, "go", append(args, "-o", path, "./cmd/sluice")...)
	return path, err
}

// flagValue returns the value of a flag among flags, or what otherwise says.
func flagValue(flags []string, name string, otherwise func() string) string {
	for i, flag := range flags {
		if value, ok := strings.CutPrefix(flag, name+"="); ok {
			return value
		}
		if flag == name && i+1 < len(flags) {
			return flags[i+1]
		}
	}
	return otherwise()
}

// maxServerLog bounds what is kept of a server's standard error: its end.
const maxServerLog = 1 << 20

// serverLog keeps what a server writes and finds the line that says where it listens.
type serverLog struct {
	ready chan string // gets the URL, once

	mu    sync.Mutex
	text  []byte // guarded by mu
	found bool   // guarded by mu
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if !l.found {
		l.find()
	}
	if len(l.text) > 2*maxServerLog {
		l.text = append(l.text[:0], l.text[len(l.text)-maxServerLog:]...)
	}
	return len(p), nil
}

func (l *serverLog) find() {
	for line := range strings.Lines(string(l.text)) {
		if url, ok := strings.CutPrefix(line, "listening on "); ok && strings.HasSuffix(url, "\n") {
			l.found = true
			l.ready <- strings.TrimSpace(url)
			return
		}
	}
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
