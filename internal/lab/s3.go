package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/tools"
)

const (
	gatewayModule = "github.com/versity/versitygw"
	gatewayReady  = 10 * time.Second // how long it may take to listen

	s3Bucket = "sluice"
	s3Key    = "labkey"
	s3Secret = "labsecret"
)

// S3 starts a real S3 server with an empty bucket that lives as long as t. url is what sluice takes as --s3; caFile
// holds the certificate that signed the server's, for SSL_CERT_FILE. Tests that can share a server are subtests of one.
func S3(t testing.TB) (url, caFile string) {
	t.Helper()
	s := StartS3(t)
	return s.URL, s.CAFile
}

// S3Server is versitygw, a process that keeps objects as files, on a free loopback port over TLS.
type S3Server struct {
	URL     string // with keys, bucket and region
	CAFile  string // "" when it is plain
	Address string // host and port

	t       testing.TB
	plain   bool // no TLS
	folder  string
	process *os.Process
	ended   chan struct{} // closed when process has ended
	output  bytes.Buffer  // of the process; to be read when it has ended
}

// StartS3 is S3 for tests that also stop, kill and restart the server.
func StartS3(t testing.TB) *S3Server {
	t.Helper()
	s := newS3(t)
	var err error
	if s.CAFile, err = tools.Certificates(s.folder); err != nil {
		t.Fatal(err)
	}
	s.Start()
	return s
}

// StartPlainS3 is StartS3 without TLS.
func StartPlainS3(t testing.TB) *S3Server {
	t.Helper()
	s := newS3(t)
	s.plain = true
	s.URL = strings.Replace(s.URL, "https://", "http://", 1)
	s.Start()
	return s
}

func newS3(t testing.TB) *S3Server {
	t.Helper()
	s := &S3Server{t: t, folder: t.TempDir(), Address: freeAddress(t)}
	s.URL = fmt.Sprintf("https://%s:%s@%s/%s?region=us-east-1", s3Key, s3Secret, s.Address, s3Bucket)
	if err := os.MkdirAll(filepath.Join(s.folder, "root", s3Bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start starts the server again after Kill, on the same address and with the same objects.
func (s *S3Server) Start() {
	s.t.Helper()
	gateway := GoTool(s.t, gatewayModule, "cmd/versitygw")
	started := make(chan error)
	s.ended = make(chan struct{})
	go s.run(gateway, started)
	if err := <-started; err != nil {
		s.t.Fatalf("start %s: %v", gateway, err)
	}
	s.t.Cleanup(s.Kill)
	s.awaitReady()
}

// run is the process's life. It keeps its thread, since the kernel kills the process when the thread that started it
// ends: a test binary that dies leaves no server behind.
func (s *S3Server) run(gateway string, started chan<- error) {
	defer close(s.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.Command(gateway, s.arguments()...)
	s.output.Reset()
	command.Stdout, command.Stderr = &s.output, &s.output
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := command.Start()
	s.process = command.Process
	started <- err
	if err == nil {
		_ = command.Wait() // killed, or said why in its output
	}
}

// Certificate returns the files of the server's certificate and key, which are good for any port of loopback.
func (s *S3Server) Certificate() (cert, key string) {
	return filepath.Join(s.folder, tools.CertFile), filepath.Join(s.folder, tools.KeyFile)
}

// Folder is where the server keeps the objects of the bucket.
func (s *S3Server) Folder() string { return filepath.Join(s.folder, "root", s3Bucket) }

func (s *S3Server) arguments() []string {
	arguments := []string{"--quiet", "--keep-alive", "--port", s.Address, "--access", s3Key, "--secret", s3Secret}
	if !s.plain {
		cert, key := s.Certificate()
		arguments = append(arguments, "--cert", cert, "--key", key)
	}
	return append(arguments, "posix", filepath.Join(s.folder, "root"))
}

func (s *S3Server) awaitReady() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), gatewayReady)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.Dial("tcp", s.Address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-s.ended:
			s.t.Fatalf("versitygw ended: %s", s.output.String())
		case <-ctx.Done():
			s.t.Fatalf("versitygw does not listen on %s after %v: %v", s.Address, gatewayReady, err)
		}
	}
}

// Kill ends the server as a crash would and waits for its end.
func (s *S3Server) Kill() {
	if err := s.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("kill versitygw: %v", err)
	}
	<-s.ended
}

// Pause makes the server hang until Resume: connections stay open and nothing is answered.
func (s *S3Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *S3Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *S3Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Signal(signal); err != nil {
		s.t.Fatalf("%v to versitygw: %v", signal, err)
	}
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
