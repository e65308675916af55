package sio

import (
	linked "container/list"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// backlog is what a namespace keeps for clients that may come back: who they are, and the newest events. It holds its lock while
// an event is put on the queues of those who get it, so that they get it in the order of the numbers.
//
// Its lock is taken before those of connections, of rooms and of the server.
type backlog struct {
	ns *Namespace // set once

	given atomic.Uint64 // the number of the newest event that has been put on the queues of those who get it

	mu sync.Mutex
	// Guarded by mu.
	mark     string      // what offsets begin with: others that a client shows are not ours
	newest   uint64      // the number of the newest event; 0 before the first
	events   []keptEvent // with consecutive numbers, newest being the last
	bytes    int
	absences map[string]*linked.Element // by pid
	leaving  linked.List                // of *absence, in the order of going
	here     map[string]*Socket         // by pid: those that have joined
	sweeper  *time.Timer                // nil while nothing is kept
	over     bool                       // nothing is kept any more
}

const (
	// sweepPace is how often, at most, a backlog looks for what is too old.
	sweepPace = time.Second
	// lastWords is how long a connection may take to end.
	lastWords = 10 * time.Second
)

func (l *backlog) recovery() *Recovery { return l.ns.server.Recovery }

// keptEvent is an event that somebody may have missed.
type keptEvent struct {
	number uint64
	at     time.Time
	sel    Selection
	alone  string // the id of the only socket that it is for; empty if sel says
	plain  bool
	event  *Prepared // with its offset
}

// keptOverhead is what an event is taken to cost beside its bytes while it is kept.
const keptOverhead = 512

func (e *keptEvent) cost() int { return e.event.Size() + keptOverhead }

// concerns reports whether the socket of a gets e. Others may be in the room of its id, too.
func (e *keptEvent) concerns(a *absence) bool {
	in := func(room string) bool {
		joined, ok := a.joined[room]
		return ok && joined < e.number
	}
	if e.alone != "" || !in(a.id) {
		return e.alone == a.id
	}
	return (len(e.sel.Rooms) == 0 || slices.ContainsFunc(e.sel.Rooms, in)) && !slices.ContainsFunc(e.sel.Except, in)
}

// number returns b as the event that comes next.
func (l *backlog) number(b Broadcast) keptEvent {
	if l.mark == "" {
		l.mark = newID()[:8]
	}
	n := l.newest + 1
	offset := l.mark + strconv.FormatUint(n, 36)
	return keptEvent{number: n, at: time.Now(), sel: b.Selection, plain: b.Plain, event: b.Event.with(offset)}
}

// parseOffset returns the number of the event that a client had last.
func (l *backlog) parseOffset(offset string) (n uint64, ok bool) {
	digits, ok := strings.CutPrefix(offset, l.mark)
	if !ok || l.mark == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 36, 64)
	return n, err == nil && n <= l.newest
}

// add keeps e, which is the next event.
func (l *backlog) add(e keptEvent) {
	l.newest = e.number
	if l.over {
		return
	}
	l.events = append(l.events, e)
	l.bytes += e.cost()
	for r := l.recovery(); len(l.events) > r.maxEvents() || l.bytes > r.maxBytes(); {
		l.forget()
	}
	l.age(e.at)
	l.schedule()
}

// age forgets events that nobody can come back for any more.
func (l *backlog) age(now time.Time) {
	for len(l.events) > 0 && now.Sub(l.events[0].at) > l.maxAge() {
		l.forget()
	}
}

// maxAge is how long an event is kept: it may have been lost on a connection whose end was noticed late, and took a while.
func (l *backlog) maxAge() time.Duration {
	return l.recovery().maxDisconnection() + l.ns.server.maxSilence() + lastWords
}

// tooLate reports whether the client that a is of cannot come back any more.
func (l *backlog) tooLate(a *absence, now time.Time) bool {
	return now.Sub(a.since) > l.recovery().maxDisconnection()
}

// forget forgets the oldest event.
func (l *backlog) forget() {
	l.bytes -= l.events[0].cost()
	l.events[0] = keptEvent{}
	if l.events = l.events[1:]; len(l.events) == 0 {
		l.events = nil
	}
}

// first returns the number of the oldest event that is kept, or will be.
func (l *backlog) first() uint64 { return l.newest + 1 - uint64(len(l.events)) }

// since returns the events that the socket of a missed, and whether none of them has been forgotten.
func (l *backlog) since(a *absence) (missed []keptEvent, ok bool) {
	first := l.first()
	if a.next < first {
		return nil, false
	}
	for _, e := range l.events[a.next-first:] {
		if e.concerns(a) {
			missed = append(missed, e)
		}
	}
	return missed, true
}

// keep keeps a, which brings its socket's visit of the namespace.
func (l *backlog) keep(a *absence) {
	if l.absences == nil {
		l.absences = make(map[string]*linked.Element)
	}
	l.absences[a.pid] = l.leaving.PushBack(a)
	for l.leaving.Len() > l.recovery().maxSockets() {
		l.drop(l.leaving.Front())
		l.ns.server.leave(l.ns) // it is not the last: a is there
	}
	l.schedule()
}

// take returns what is kept of the client that was given pid and had the event of that offset last, nil if there is nothing or
// something was forgotten. In any case it is not kept any longer. The caller has a visit of its own.
func (l *backlog) take(pid, offset string) *absence {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.absences[pid]
	if e == nil {
		return nil
	}
	a := l.drop(e)
	l.ns.server.leave(l.ns)
	last, ok := l.parseOffset(offset)
	if !ok || l.tooLate(a, time.Now()) {
		return nil
	}
	a.next = last + 1
	if last >= a.sent {
		a.next = max(a.next, a.until+1) // all that came before it went is of no concern to it
	}
	if a.next < l.first() {
		return nil
	}
	return a
}

// enter notes a socket that has joined.
func (l *backlog) enter(s *Socket) {
	if l.here == nil {
		l.here = make(map[string]*Socket)
	}
	l.here[s.pid] = s
}

// exit is for one that has ended.
func (l *backlog) exit(s *Socket) {
	if l.here[s.pid] == s {
		delete(l.here, s.pid)
	}
}

// oust ends the connection of a client that comes back before it was noticed that it had gone.
func (l *backlog) oust(pid string) {
	l.mu.Lock()
	s := l.here[pid]
	l.mu.Unlock()
	if s == nil {
		return
	}
	s.conn.session.Close(errReplaced)
	s.endFor(&DisconnectError{Reason: reasonTransportClose, Err: errReplaced}, false)
}

// drop keeps an absence no longer; its visit is the caller's to end.
func (l *backlog) drop(e *linked.Element) *absence {
	a := l.leaving.Remove(e).(*absence)
	delete(l.absences, a.pid)
	return a
}

// schedule sees that what is kept is looked at when some of it is too old.
func (l *backlog) schedule() {
	if l.sweeper != nil || len(l.events) == 0 && l.leaving.Len() == 0 {
		return
	}
	wait := l.maxAge()
	if len(l.events) > 0 {
		wait = l.maxAge() - time.Since(l.events[0].at)
	}
	if e := l.leaving.Front(); e != nil {
		wait = min(wait, l.recovery().maxDisconnection()-time.Since(e.Value.(*absence).since))
	}
	l.sweeper = time.AfterFunc(max(wait, sweepPace), l.sweep)
}

// sweep forgets what is too old.
func (l *backlog) sweep() {
	l.mu.Lock()
	now := time.Now()
	l.age(now)
	visits := 0
	for e := l.leaving.Front(); e != nil && l.tooLate(e.Value.(*absence), now); e = l.leaving.Front() {
		l.drop(e)
		visits++
	}
	l.sweeper = nil
	l.schedule()
	l.mu.Unlock()
	for range visits {
		l.ns.server.leave(l.ns)
	}
}

// close forgets everything, and keeps nothing any more.
func (l *backlog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.events, l.bytes, l.absences = nil, 0, nil
	l.leaving.Init()
	if l.sweeper != nil {
		l.sweeper.Stop()
	}
}
