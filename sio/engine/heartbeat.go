package engine

import (
	"sync"
	"time"
)

const (
	// streamRate is the bytes a second above which a binary message that is being read counts as a sign of life.
	streamRate = 1 << 10
	// busyTime is how long a Receiver must keep the transport from reading for that time to be forgiven the client. Less
	// would let a flood of small messages stand for pongs.
	busyTime = 50 * time.Millisecond
	// maxStrayPongs is how many pongs that answer no ping a client may send between two pings.
	maxStrayPongs = 16
	// never is when a ping is due that is the client's to send.
	never = 100 * 365 * 24 * time.Hour
)

// heartbeat says when to ping and when the client is gone: when for interval + timeout, not counting the time in which nobody
// reads from it, there was no sign of life. A pong that answers a ping is one (or the ping of a client that pings), and so are
// the bytes of a binary message as it is read, above streamRate: a client in the middle of a large message cannot answer a ping.
type heartbeat struct {
	interval, timeout time.Duration
	passive           bool   // the client pings, as in Engine.IO 3
	ping              func() // a ping is due
	expired           func() // the client is gone

	mu      sync.Mutex
	timer   *time.Timer
	fires   time.Time // what timer is set to
	due     time.Time // the next ping
	dead    time.Time // gone without a sign of life until then
	paused  time.Time // since when nobody reads; zero while somebody does
	stopped bool
	owed    int // pings sent and not answered
	stray   int // pongs since the last ping that answered none

	// The window in which the rate of a binary message is taken.
	windowStart time.Time
	windowBytes int64
}

// start sets the timers: the client's time begins now, if it has not ended.
func (h *heartbeat) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return // a timer would hold the session until it fires
	}
	now := time.Now()
	h.due = now.Add(h.interval)
	if h.passive {
		h.due = now.Add(never)
	}
	h.alive(now)
	h.fires = h.next()
	h.timer = time.AfterFunc(h.fires.Sub(now), h.tick)
}

// stop ends the timers. A tick that is running may still call ping or expired.
func (h *heartbeat) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.timer != nil {
		h.timer.Stop()
	}
}

// alive grants the client its time anew.
func (h *heartbeat) alive(now time.Time) {
	h.dead = now.Add(h.interval + h.timeout)
}

// next returns when the timer must fire.
func (h *heartbeat) next() time.Time {
	if h.paused.IsZero() && h.dead.Before(h.due) {
		return h.dead
	}
	return h.due
}

// isOver reports whether the client's time is up.
func (h *heartbeat) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.isOverAt(time.Now())
}

func (h *heartbeat) isOverAt(now time.Time) bool {
	return h.paused.IsZero() && !h.dead.IsZero() && !now.Before(h.dead)
}

func (h *heartbeat) tick() {
	h.mu.Lock()
	now := time.Now()
	expired := h.isOverAt(now)
	ping := !now.Before(h.due)
	if ping {
		h.due = now.Add(h.interval)
	}
	if h.stopped {
		expired, ping = false, false
	} else if !expired {
		h.arm(now)
	}
	h.mu.Unlock()
	switch {
	case expired:
		h.expired()
	case ping:
		h.ping()
	}
}

func (h *heartbeat) arm(now time.Time) {
	h.fires = h.next()
	h.timer.Reset(h.fires.Sub(now))
}

// sent notes that a ping is on its way.
func (h *heartbeat) sent() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.owed++
	h.stray = 0
}

// pong notes a pong. It returns an error if there were too many that nobody asked for.
func (h *heartbeat) pong() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.owed > 0 {
		h.owed--
		h.alive(time.Now())
		return nil
	}
	if h.stray++; h.stray > maxStrayPongs {
		return &ProtocolError{Packet: "pong", Reason: "no ping asked for it"}
	}
	return nil
}

// pinged notes a ping of the client, where pings are its own to send.
func (h *heartbeat) pinged() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alive(time.Now())
}

// pause notes that nobody reads from the client any more.
func (h *heartbeat) pause() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = time.Now()
}

// resume notes that the client is being read from again.
func (h *heartbeat) resume() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.paused.IsZero() {
		return
	}
	now := time.Now()
	if busy := now.Sub(h.paused); busy >= busyTime {
		h.dead = h.dead.Add(busy)
		h.windowStart = h.windowStart.Add(busy)
	}
	h.paused = time.Time{}
	if !h.stopped && h.timer != nil && h.dead.Before(h.fires) {
		h.arm(now)
	}
}

// streamed notes that n bytes of a binary message have been read.
func (h *heartbeat) streamed(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	window := h.window()
	h.windowBytes += int64(n)
	if h.windowBytes >= int64(window)*streamRate/int64(time.Second) {
		h.alive(now)
	} else if now.Sub(h.windowStart) < window {
		return
	}
	h.windowStart, h.windowBytes = now, 0
}

// window is the time over which the rate is taken: a second, or less where pings come faster.
func (h *heartbeat) window() time.Duration {
	return min(time.Second, (h.interval+h.timeout)/4)
}
