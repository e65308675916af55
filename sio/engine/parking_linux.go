package engine

import (
	"os"
	"sync"
	"syscall"
)

// parking is where carriers of plain connections wait, without a goroutine each: an epoll instance, whose own readiness the
// runtime's poller tells. It is there while something is parked.
type parking struct {
	mu sync.Mutex
	// Guarded by mu.
	epoll  *os.File // nil while nothing is parked
	fd     int      // of epoll
	parked map[uint64]parked
	last   uint64 // the newest token: no two registrations have the same, as of descriptors they might
}

// parked is who goes on when something comes.
type parked struct {
	session *Session
	carrier *carrier
}

// park reports whether it takes c over: then it has readCarrier called again when something comes, or wake is called. Its
// caller holds the session's mu.
func (p *parking) park(s *Session, c *carrier) bool {
	plain, ok := c.out.(*rawSink)
	if !ok {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoll == nil && p.open(s.server) != nil {
		return false
	}
	p.last++
	c.lull.token = p.last
	p.parked[p.last] = parked{s, c}
	err := errEnded
	plain.raw.Control(func(fd uintptr) { err = register(p.fd, int(fd), p.last) })
	if err != nil {
		p.take(p.last)
	}
	return err == nil
}

// register has epoll tell once, by token, that something has come, or that the connection has ended.
func register(epoll, fd int, token uint64) error {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT}
	event.Fd, event.Pad = int32(token), int32(token>>32)
	err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event)
	if err == syscall.EEXIST { // it was parked before
		err = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_MOD, fd, &event)
	}
	return err
}

// open makes the epoll instance, and a goroutine that waits for it. Its caller holds mu.
func (p *parking) open(srv *Server) error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	syscall.SetNonblock(fd, true) // without it package os would wait in a thread
	epoll := os.NewFile(uintptr(fd), "epoll")
	ready, err := epoll.SyscallConn()
	if err != nil {
		epoll.Close()
		return err
	}
	p.epoll, p.fd, p.parked = epoll, fd, make(map[uint64]parked)
	srv.spawn(func() {
		defer epoll.Close()
		ready.Read(p.dispatch)
	})
	return nil
}

// dispatch wakes whatever is ready. false makes the runtime call it again when something else is.
func (p *parking) dispatch(epoll uintptr) bool {
	var events [64]syscall.EpollEvent
	for {
		n, err := syscall.EpollWait(int(epoll), events[:], 0)
		switch {
		case err == syscall.EINTR:
		case n <= 0:
			return false
		}
		for _, event := range events[:max(n, 0)] {
			p.wake(uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<32)
		}
	}
}

// wake has what is parked under a token go on, if it has not yet.
func (p *parking) wake(token uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if woken, ok := p.take(token); ok {
		woken.session.server.spawn(func() { woken.session.readCarrier(woken.carrier) })
	}
}

// take takes what is parked under a token, and ends the waiting if it was the last. Its caller holds mu.
func (p *parking) take(token uint64) (parked, bool) {
	taken, ok := p.parked[token]
	delete(p.parked, token)
	if p.epoll != nil && len(p.parked) == 0 {
		p.epoll.SetReadDeadline(longAgo) // its goroutine closes it
		p.epoll, p.parked = nil, nil
	}
	return taken, ok
}
