package engine

import (
	"net"
	"syscall"
	"unsafe"
)

// tcpNotSentLowat is TCP_NOTSENT_LOWAT, which package syscall does not have.
const tcpNotSentLowat = 25

// rawSink writes to a socket by writev, as much as the kernel takes.
type rawSink struct {
	raw    syscall.RawConn
	try    func(fd uintptr) bool // tryFD and waitFD, made once: a closure a write would be an allocation a write
	wait   func(fd uintptr) bool
	bufs   *net.Buffers // of the write under way
	done   int
	failed error
}

// newRawSink returns a sink for c, nil if c has no socket to write to.
func newRawSink(c any) sink {
	conn, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	if _, ok := c.(*net.TCPConn); ok {
		raw.Control(func(fd uintptr) {
			// Without it (kernels before 3.12) priority acts later, but nothing breaks.
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, notSentBytes)
		})
	}
	s := &rawSink{raw: raw}
	s.try, s.wait = s.tryFD, s.waitFD
	return s
}

func (s *rawSink) tryWrite(bufs *net.Buffers) (int, error) {
	if len(*bufs) == 0 {
		return 0, nil
	}
	n, err := s.run(s.try, bufs)
	if err == nil && len(*bufs) > 0 {
		err = errBusy
	}
	return n, err
}

func (s *rawSink) write(bufs *net.Buffers) (int, error) { return s.run(s.wait, bufs) }

func (s *rawSink) run(f func(uintptr) bool, bufs *net.Buffers) (int, error) {
	s.bufs, s.done, s.failed = bufs, 0, nil
	err := s.raw.Write(f)
	if s.failed != nil {
		err = s.failed
	}
	s.bufs = nil
	return s.done, err
}

// tryFD writes until everything is written or the kernel takes no more.
func (s *rawSink) tryFD(fd uintptr) bool {
	for len(*s.bufs) > 0 && s.writev(fd) {
	}
	return true
}

// waitFD writes once; false makes the poller call it again when the kernel takes more.
func (s *rawSink) waitFD(fd uintptr) bool {
	return len(*s.bufs) == 0 || s.writev(fd) || s.failed != nil
}

// writev makes one system call and reports whether it wrote something.
func (s *rawSink) writev(fd uintptr) bool {
	var vec [maxSegments]syscall.Iovec
	count := 0
	for _, b := range *s.bufs {
		if len(b) == 0 {
			continue
		}
		if count == len(vec) {
			break
		}
		vec[count].Base = &b[0]
		vec[count].SetLen(len(b))
		count++
	}
	if count == 0 {
		*s.bufs = (*s.bufs)[:0]
		return true
	}
	for {
		n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&vec[0])), uintptr(count))
		switch errno {
		case 0:
			s.done += int(n)
			take(s.bufs, int(n))
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			s.failed = errno
			return false
		}
	}
}
