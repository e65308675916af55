//go:build linux

// Command limit is the physical limit of a benchmark: a server of raw TCP that does nothing but write what it has to many
// connections, or read what comes, with as few system calls as the work allows. What it costs, every server costs.
//
// A connection begins with a line that says what it is for:
//
//	subscribe       it is written to
//	repeat N MS     N bytes follow; they are written to all subscribers, again and again, for so many ms, but once at least;
//	                then comes a line with how often they were
//	relay N         whenever N more bytes have come, they are written to all subscribers
//	sink N          whenever N more bytes have come, a byte comes back
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxBuffer bounds what is to be written at once.
const maxBuffer = 80 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "`host:port` to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	var s server
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go s.serve(conn)
	}
}

type server struct {
	mu          sync.Mutex
	subscribers []*subscriber // guarded by mu
}

// subscriber is a connection that is written to. Its file is not the poller's of net: it costs only what is written.
type subscriber struct {
	file *os.File
	fd   int
	left []byte
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	if err := s.obey(conn, bufio.NewReaderSize(conn, 64)); err != nil && err != io.EOF {
		fmt.Fprintln(os.Stderr, "limit:", err)
	}
}

func (s *server) obey(conn net.Conn, in *bufio.Reader) error {
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	var size, ms int
	if line == "subscribe\n" {
		return s.subscribe(conn)
	}
	if n, _ := fmt.Sscanf(line, "repeat %d %d", &size, &ms); n == 2 && size <= maxBuffer {
		return s.repeat(conn, in, size, time.Duration(ms)*time.Millisecond)
	}
	if n, _ := fmt.Sscanf(line, "relay %d", &size); n == 1 && size <= maxBuffer {
		return s.relay(in, size)
	}
	if n, _ := fmt.Sscanf(line, "sink %d", &size); n == 1 {
		return sink(conn, in, size)
	}
	return fmt.Errorf("not understood: %q", line)
}

func (s *server) subscribe(conn net.Conn) error {
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	fd := int(file.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, &subscriber{file: file, fd: fd})
	_, err = conn.Write([]byte{'\n'})
	return err
}

func (s *server) repeat(conn net.Conn, in *bufio.Reader, size int, during time.Duration) error {
	buf := make([]byte, size)
	if _, err := io.ReadFull(in, buf); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for end := time.Now().Add(during); count == 0 || time.Now().Before(end); count++ {
		if err := s.toAll(buf); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(conn, count)
	return err
}

func (s *server) relay(in *bufio.Reader, size int) error {
	buf := make([]byte, size)
	for {
		if _, err := io.ReadFull(in, buf); err != nil {
			return err
		}
		s.mu.Lock()
		err := s.toAll(buf)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// toAll writes buf to all subscribers, and returns when the kernel has all of it. Called with mu held.
func (s *server) toAll(buf []byte) error {
	var slow []*subscriber
	for _, to := range s.subscribers {
		to.left = buf
		if done, err := to.write(); err != nil {
			return err
		} else if !done {
			slow = append(slow, to)
		}
	}
	if len(slow) == 0 {
		return nil
	}
	return finish(slow)
}

// finish waits for those that do not take all at once.
func finish(slow []*subscriber) error {
	poll, err := syscall.EpollCreate1(0)
	if err != nil {
		return err
	}
	defer syscall.Close(poll)
	for i, to := range slow {
		event := syscall.EpollEvent{Events: syscall.EPOLLOUT, Fd: int32(i)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, to.fd, &event); err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, 128)
	for left := len(slow); left > 0; {
		n, err := syscall.EpollWait(poll, events, -1)
		if err != nil && err != syscall.EINTR {
			return err
		}
		for _, event := range events[:max(n, 0)] {
			to := slow[event.Fd]
			done, err := to.write()
			if err != nil {
				return err
			}
			if done {
				left--
				if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_DEL, to.fd, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// write writes what the kernel takes, and reports whether that was all.
func (to *subscriber) write() (done bool, err error) {
	for len(to.left) > 0 {
		n, err := syscall.Write(to.fd, to.left)
		switch err {
		case nil:
			to.left = to.left[n:]
		case syscall.EAGAIN:
			return false, nil
		case syscall.EINTR:
		default:
			return false, err
		}
	}
	return true, nil
}

func sink(conn net.Conn, in *bufio.Reader, size int) error {
	ready, _ := in.Peek(in.Buffered())
	have := len(ready)
	buf := make([]byte, min(64*size, 512<<10)) // one who sends little costs little
	for {
		if done := have / size; done > 0 {
			have %= size
			if _, err := conn.Write(make([]byte, done)); err != nil {
				return err
			}
		}
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		have += n
	}
}
