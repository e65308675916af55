package engine

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawSource reads from a socket: by readv, where there are two buffers for what comes.
type rawSource struct {
	countingReader
	raw    syscall.RawConn
	try    func(fd uintptr) bool // readFD, made once: a closure a read would be an allocation a read
	bufs   [2][]byte             // of the read under way
	got    int
	failed error
}

// newSource returns a reader of src that counts in n what it reads, a websocket.BothReader if src is a plain connection.
func newSource(src io.Reader, n *atomic.Uint64) io.Reader {
	counting := countingReader{r: src, n: n}
	conn, ok := src.(*net.TCPConn)
	if !ok {
		return &counting
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return &counting
	}
	s := &rawSource{countingReader: counting, raw: raw}
	s.try = s.readFD
	return s
}

// ReadBoth is websocket.BothReader's.
func (s *rawSource) ReadBoth(p, more []byte) (int, error) {
	s.bufs, s.got, s.failed = [2][]byte{p, more}, 0, nil
	err := s.raw.Read(s.try)
	s.bufs = [2][]byte{}
	s.n.Add(uint64(s.got))
	switch {
	case err != nil:
		return 0, err
	case s.got == 0 && s.failed == nil:
		return 0, io.EOF
	}
	return s.got, s.failed
}

// readFD reads once; false makes the poller call it again when something has come.
func (s *rawSource) readFD(fd uintptr) bool {
	for {
		n, err := unix.Readv(int(fd), s.bufs[:])
		switch err {
		case nil:
			s.got = n
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			s.failed = os.NewSyscallError("readv", err)
			return true
		}
	}
}
