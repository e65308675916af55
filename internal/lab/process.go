package lab

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	// reportTime is what is left before the test binary's own deadline to say what went wrong.
	reportTime = 5 * time.Second

	// outputTime is how long the output of a process that has ended may stay open in a child of it.
	outputTime = time.Second
)

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of cmd.Wait; set before ended is closed
}

// launch starts cmd. The kernel kills it when this process dies, however it dies.
func launch(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	return p
}

// run keeps its thread until the process has ended: to the kernel it is the thread that is the parent.
func (p *process) run(started chan<- error) {
	defer close(p.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.WaitDelay = outputTime
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
	}
}

// signal sends s, if the process is still there, and reports other failures only.
func (p *process) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("%v to %s: %v", s, p.cmd.Path, err)
	}
}

// kill ends the process now and waits for its end.
func (p *process) kill(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// untilDeadline returns a context that ends a little before the deadline of the test binary. Unlike t.Context() it
// outlives the test's function, so that what was started can be ended in an orderly way.
func untilDeadline(t testing.TB) (context.Context, context.CancelFunc) {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := d.Deadline(); ok {
			return context.WithDeadline(context.Background(), deadline.Add(-reportTime))
		}
	}
	return context.WithCancel(context.Background())
}

// tool returns the path of a program that the Debian package of that name has.
func tool(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s is not installed: apt-get install %s", name, debian)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
