//go:build linux

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// startTime is how long a server may take until it listens.
	startTime = 20 * time.Second
	// stopTime is how long it may take to end when it is asked to.
	stopTime = 10 * time.Second
	// maxComplaint is how much of what it printed is kept.
	maxComplaint = 8 << 10
)

// Process is a server under test.
type Process struct {
	Addr string // where it listens

	cmd      *exec.Cmd
	ended    chan struct{} // closed when it has ended
	said     tail
	patience time.Duration
}

// Start runs a command in a folder, with --addr and a free address of loopback added, and returns when it listens there.
func Start(ctx context.Context, folder string, command ...string) (*Process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &Process{Addr: addr, ended: make(chan struct{}), patience: stopTime}
	p.cmd = exec.Command(command[0], append(command[1:len(command):len(command)], "--addr", addr)...)
	p.cmd.Dir = folder
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.awaitListening(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, p.said.String())
	}
	return p, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (p *Process) awaitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		conn, err := net.Dial("tcp", p.Addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Stop ends the process and those it started: by SIGTERM, and if that does not help soon by SIGKILL.
func (p *Process) Stop() {
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	patience := time.NewTimer(p.patience)
	defer patience.Stop()
	select {
	case <-p.ended:
	case <-patience.C:
	}
	syscall.Kill(group, syscall.SIGKILL) // those it started, too, which may outlive it
	<-p.ended
}

// Said returns the last of what the process printed.
func (p *Process) Said() string { return p.said.String() }

// CollectGarbage asks the process to collect its garbage, if it is one that understands SIGUSR2 so; others it ends.
func (p *Process) CollectGarbage() error { return p.Signal(syscall.SIGUSR2) }

// Signal sends a signal to the process itself.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Usage is what a process and those it started have used.
type Usage struct {
	CPU  time.Duration // of user and system
	RSS  int64         // bytes resident now
	Peak int64         // bytes resident at most, since ResetPeak; of several processes the sum of their peaks
}

// Usage measures.
func (p *Process) Usage() (Usage, error) {
	var sum Usage
	for _, pid := range tree(p.cmd.Process.Pid) {
		cpu, err := processorTime(pid)
		if err != nil {
			return Usage{}, err
		}
		rss, peak, err := memory(pid)
		if err != nil {
			return Usage{}, err
		}
		sum.CPU += cpu
		sum.RSS += rss
		sum.Peak += peak
	}
	return sum, nil
}

// ResetPeak makes what is resident now the peak.
func (p *Process) ResetPeak() error {
	for _, pid := range tree(p.cmd.Process.Pid) {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return err
		}
	}
	return nil
}

// tree returns a process and its descendants.
func tree(pid int) []int {
	pids := []int{pid}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(children)) {
			if pid, err := strconv.Atoi(child); err == nil {
				pids = append(pids, tree(pid)...)
			}
		}
	}
	return pids
}

// processorTime reads the clock of a process, as clock_getcpuclockid(3) names it: that of all its threads, ended ones too.
func processorTime(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED: nanoseconds as the scheduler counts them
	var at unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &at); err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", pid, err)
	}
	return time.Duration(at.Nano()), nil
}

func memory(pid int) (rss, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(status) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			rss = kib << 10
		case "VmHWM:":
			peak = kib << 10
		}
	}
	return rss, peak, nil
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte // guarded by mu
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(len(t.kept)-maxComplaint, 0):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
