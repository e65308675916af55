//go:build linux

package host

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test's own program is the server that is measured, if it is started with this variable: what it holds is what it does.
const behaviour = "BENCH_HOST_TEST"

func TestMain(m *testing.M) {
	if kind := os.Getenv(behaviour); kind != "" {
		serve(kind)
	}
	os.Exit(m.Run())
}

// serve listens, and for each connection burns 50 ms of a processor's time and answers with a line. A parent has a child do it.
func serve(kind string) {
	addr := os.Args[len(os.Args)-1]
	switch kind {
	case "parent":
		child := exec.Command(os.Args[0], os.Args[1:]...)
		child.Env = append(os.Environ(), behaviour+"=stubborn")
		if err := child.Run(); err != nil {
			os.Exit(1)
		}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "broken":
		fmt.Println("no such luck")
		os.Exit(1)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		os.Exit(1)
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			if line, _ := bufio.NewReader(conn).ReadString('\n'); line != "" {
				burn(50 * time.Millisecond)
				fmt.Fprintln(conn, os.Getpid())
			}
			conn.Close()
		}()
	}
}

func burn(d time.Duration) {
	own := func() time.Duration {
		var use syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &use)
		return time.Duration(use.Utime.Nano() + use.Stime.Nano())
	}
	for end := own() + d; own() < end; {
	}
}

func start(t *testing.T, kind string) *Process {
	t.Helper()
	t.Setenv(behaviour, kind)
	p, err := Start(t.Context(), t.TempDir(), os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	p.patience = 50 * time.Millisecond
	return p
}

// work has the server burn, and returns the process that did.
func work(t *testing.T, p *Process) (pid int) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, "go")
	if _, err := fmt.Fscan(conn, &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestUsageCountsWhatAProcessDoes(t *testing.T) {
	for _, kind := range []string{"alone", "parent"} {
		t.Run(kind, func(t *testing.T) {
			p := start(t, kind)
			before, err := p.Usage()
			if err != nil {
				t.Fatal(err)
			}
			pid := work(t, p)
			after, err := p.Usage()
			if err != nil {
				t.Fatal(err)
			}
			if busy := pid != p.cmd.Process.Pid; busy != (kind == "parent") {
				t.Errorf("a child did the work: %t", busy)
			}
			if cpu := after.CPU - before.CPU; cpu < 45*time.Millisecond {
				t.Errorf("Usage counts %v; want 50 ms at least", cpu)
			}
			if after.RSS <= 0 || after.Peak < after.RSS/2 {
				t.Errorf("Usage = %+v", after)
			}
		})
	}
}

func TestStopEndsWhatIgnoresSIGTERM(t *testing.T) {
	for _, kind := range []string{"stubborn", "parent"} { // the parent ends, and leaves a stubborn child
		t.Run(kind, func(t *testing.T) {
			p := start(t, kind)
			pid := work(t, p)
			p.Stop()
			for range 1000 {
				if gone(pid) {
					return
				}
				<-time.After(time.Millisecond) // a killed child of another is buried by whom it fell to
			}
			t.Errorf("process %d runs on", pid)
		})
	}
}

// gone reports whether a process has ended, buried or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}

func TestStartSaysWhatWasPrinted(t *testing.T) {
	t.Setenv(behaviour, "broken")
	if _, err := Start(t.Context(), t.TempDir(), os.Args[0]); err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("Start = %v", err)
	}
}
