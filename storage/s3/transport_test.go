package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestAConnectionFailsWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		c := &stallConn{Conn: near, stall: time.Second, answer: time.Minute}

		// The far end takes a byte every 900 ms, and answers after 59 s.
		go func() {
			for range 5 {
				time.Sleep(900 * time.Millisecond)
				if _, err := io.ReadFull(far, make([]byte, 1)); err != nil {
					return
				}
			}
			time.Sleep(59 * time.Second)
			_, _ = far.Write([]byte("ab"))
		}()
		for range 5 {
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatalf("Write to a slow peer = %v; want nil", err)
			}
		}
		for range 2 {
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Fatalf("Read of a late answer = %v; want nil", err)
			}
		}
		for name, move := range map[string]func([]byte) (int, error){"Read": c.Read, "Write": c.Write} {
			begin := time.Now()
			if _, err := move(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("%s of what has stalled = %v after %v; want a timeout after 1 s", name, err, time.Since(begin))
			}
			c.answering.Store(true)
		}
	})
}

func TestABrokenCertificateFileIsAnError(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/nonexistent")
	if _, err := Open(Options{Endpoint: "h", Bucket: "bucket", AccessKey: "k", SecretKey: "s"}); err == nil {
		t.Error("Open with a missing SSL_CERT_FILE = nil; want an error")
	}
	file := t.TempDir() + "/empty.pem"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
	if _, err := Open(Options{Endpoint: "h", Bucket: "bucket", AccessKey: "k", SecretKey: "s"}); err == nil {
		t.Error("Open with an empty SSL_CERT_FILE = nil; want an error")
	}
}

func TestRequestsEndWithTheirContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := open(t, Options{Endpoint: listener.Addr().String(), Insecure: true, Bucket: "bucket", AccessKey: "k", SecretKey: "s"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Stat(ctx, "key"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stat of a server that does not answer = %v; want the deadline", err)
	}
}
