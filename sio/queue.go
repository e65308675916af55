package sio

import "sluice/sio/engine"

// class says how a message is held to the bounds of a queue.
type class byte

const (
	ordinary class = iota // refused when the queue is full
	urgent                // may go over: somebody waits for it
	control               // sio's own, of which a connection has few
	fleeting              // dropped when anything waits to be sent
)

// factor is by how much a message may go over the bounds.
func (c class) factor() int {
	if c == urgent {
		return urgentFactor
	}
	return 1
}

// message is what is sent at once: one packet or a run of them.
type message struct {
	*engine.Prepared
	packets int
}

// cost is what m counts for while it waits.
func (m message) cost() int { return m.Size() + m.packets*messageOverhead }

// queue holds what waits to be sent, in order.
type queue struct {
	messages []message
	first    int // of messages; those before it have been taken
	packets  int
	bytes    int

	// What a client missed goes over the bounds. As long as it waits to be sent, as much more may.
	missed      int // packets
	missedBytes int
}

const (
	// messageOverhead is what a packet is taken to cost beside its payload.
	messageOverhead = 64
	// idleQueue is for how many messages a connection keeps room when it has none.
	idleQueue = 8
)

// takes reports whether m fits in a queue of at most so many bytes and packets. One packet always fits, and so do sio's own.
func (q *queue) takes(m message, c class, bytes, packets int) bool {
	return q.waiting() == 0 && m.packets == 1 || c == control ||
		q.load()+m.cost() <= c.factor()*bytes && q.packets-q.missed+m.packets <= c.factor()*packets
}

// load returns how many bytes there are, but for what was missed.
func (q *queue) load() int { return q.bytes - q.missedBytes }

// waiting returns how many messages there are.
func (q *queue) waiting() int { return len(q.messages) - q.first }

func (q *queue) put(m message) {
	m.Retain()
	q.messages = append(q.messages, m)
	q.packets += m.packets
	q.bytes += m.cost()
}

// putMissed is put of what a client missed.
func (q *queue) putMissed(m message) {
	q.put(m)
	q.missed += m.packets
	q.missedBytes += m.cost()
}

// take returns the oldest message, nil if there is none.
func (q *queue) take() *engine.Prepared {
	if q.first == len(q.messages) {
		return nil
	}
	m := q.messages[q.first]
	q.messages[q.first] = message{}
	q.first++
	q.packets -= m.packets
	q.bytes -= m.cost()
	q.missed, q.missedBytes = max(q.missed-m.packets, 0), max(q.missedBytes-m.cost(), 0)
	q.compact()
	return m.Prepared
}

// compact reuses the room of what was taken.
func (q *queue) compact() {
	switch {
	case q.first == len(q.messages) && cap(q.messages) > idleQueue:
		*q = queue{}
	case q.first == len(q.messages):
		q.messages, q.first = q.messages[:0], 0
	case q.first >= 64 && 2*q.first >= len(q.messages):
		q.messages = append(q.messages[:0], q.messages[q.first:]...)
		clear(q.messages[len(q.messages):cap(q.messages)])
		q.first = 0
	}
}
