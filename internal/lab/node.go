package lab

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// nodeGoodbye is how long a server in Node may take to end when its standard input has ended.
const nodeGoodbye = 5 * time.Second

// Node runs a script of the calling package's testdata to its end, with env added to the environment. What it
// prints goes to the log of t, and to standard output is returned. Any exit status but 0 fails t, as does being still there
// when t must end.
func Node(t testing.TB, script string, env ...string) []byte {
	t.Helper()
	return runScript(t, nodeCommand(t, script), script, env)
}

// Python is Node for a script in Python, with what Debian's packages of Python have.
func Python(t testing.TB, script string, env ...string) []byte {
	t.Helper()
	return runScript(t, exec.Command(tool(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", script)), script, env)
}

func runScript(t testing.TB, cmd *exec.Cmd, script string, env []string) []byte {
	t.Helper()
	ctx, cancel := untilDeadline(t)
	defer cancel()
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, t.Output()), t.Output()
	p := launch(t, cmd)
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.kill(t)
		t.Fatalf("%s did not end in time", script)
	}
	if p.err != nil {
		t.Fatalf("%s: %v", script, p.err)
	}
	return out.Bytes()
}

// NodeServer is a script that goes on running, and ends when its standard input does.
type NodeServer struct {
	t       testing.TB
	script  string
	process *process
	lines   *bufio.Scanner
}

// StartNode starts a script of the calling package's testdata that serves until its standard input ends, which is
// when t ends. Its standard error goes to the log of t, its standard output to Line.
func StartNode(t testing.TB, script string, args ...string) *NodeServer {
	t.Helper()
	cmd := nodeCommand(t, script, args...)
	stdin, stdinEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, outEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, outEnd, t.Output()
	s := &NodeServer{t: t, script: script, process: launch(t, cmd), lines: bufio.NewScanner(out)}
	_, _ = stdin.Close(), outEnd.Close() // they are the script's now
	t.Cleanup(func() {
		_ = stdinEnd.Close()
		s.end()
		_ = out.Close()
	})
	return s
}

// Line waits for the next line that the script prints. The script's end fails the test.
func (s *NodeServer) Line() string {
	s.t.Helper()
	if !s.lines.Scan() {
		s.t.Fatalf("node %s ended: %v", s.script, errors.Join(s.lines.Err(), io.EOF))
	}
	return s.lines.Text()
}

func (s *NodeServer) end() {
	patience := time.NewTimer(nodeGoodbye)
	defer patience.Stop()
	select {
	case <-s.process.ended:
	case <-patience.C:
		s.process.kill(s.t)
		s.t.Errorf("node %s did not end %v after its standard input", s.script, nodeGoodbye)
	}
}

func nodeCommand(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	node := tool(t, "node", "nodejs")
	tool(t, "npm", "npm")
	if err := installPackages(); err != nil {
		t.Fatal(err)
	}
	return exec.Command(node, append([]string{filepath.Join("testdata", script)}, args...)...)
}
