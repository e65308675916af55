package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	// A publisher sends no further ahead of the slowest subscriber than window, nor than windowMessages. allWindows and allMessages
	// bound that of all subscribers together: what is on its way when the time is up is waited for.
	window         = 4 << 20
	windowMessages = 1 << 10
	allWindows     = 512 << 20
	allMessages    = 256 << 10
	// narrowWindow is that where servers are slow, so that a measurement does not end long after its time.
	narrowWindow = 256 << 10
	// limitBytes is how much the limit writes to a connection at once, at least.
	limitBytes = 512 << 10
	// mostPacked is how many bytes of a text may be on the wire per byte, if it is said to be compressed.
	mostPacked = 0.5
)

// fan is a flow from one publisher to many subscribers.
type fan struct {
	message     *load.Message
	subscribers int
	window      int
	polling     bool // the subscribers use polling
	deflate     bool // they take what is compressed
}

func fanOut() scenario {
	s := scenario{
		name: "fanout",
		about: "One publisher, many subscribers, as fast as it goes. The limit writes what it has; pipe reads it first, as every relay" +
			" has to.",
		peers: func(p *peer) bool { return relays(p) || p.Dialect == "pipe" },
		quick: brisk,
	}
	for _, size := range []int{1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		for _, subscribers := range []int{1, 10, 100, 1000} {
			quick := subscribers == 100 && slices.Contains([]int{1 << 10, 64 << 10}, size)
			f := fan{message: load.Noise(size), subscribers: subscribers, window: widest(size, subscribers)}
			w := fanCase(f, quick)
			w.peers = fanPeers(subscribers)
			s.cases = append(s.cases, w)
		}
	}
	return s
}

// fanPeers tells who takes part with so many subscribers: pipe, where the limit says too little of a relay, and all others only
// where it does not take too long.
func fanPeers(subscribers int) func(p *peer) bool {
	const few, many = 10, 100
	return func(p *peer) bool {
		return (p.Dialect != "pipe" || subscribers <= few) && (swift(p) || subscribers == many)
	}
}

// widest is how far ahead of the slowest subscriber a publisher of messages of that size may be, in bytes.
func widest(size, subscribers int) int {
	return min(window, windowMessages*size, allWindows/subscribers, allMessages/subscribers*size)
}

func compressed() scenario {
	s := scenario{
		name: "compressed",
		about: "Fan-out of JSON-like text, compressed to the subscribers: by permessage-deflate, or by sluice's own deflate-raw, since" +
			" it never has permessage-deflate compress media. Figures are per GB of the text.",
		peers: func(p *peer) bool { return len(p.Deflate) > 0 },
		quick: brisk,
	}
	for _, subscribers := range []int{10, 100, 1000} {
		f := fan{message: load.Text(64 << 10), subscribers: subscribers, window: narrowWindow, deflate: true}
		w := fanCase(f, subscribers == 100)
		if subscribers != 100 {
			w.peers = swift
		}
		s.cases = append(s.cases, w)
	}
	return s
}

func polled() scenario {
	s := scenario{
		name:  "polling",
		about: "Fan-out to subscribers that use HTTP long-polling; the publisher uses WebSocket.",
		peers: func(p *peer) bool { return relays(p) && p.Dialect != "raw" },
		quick: brisk,
	}
	for _, c := range []struct{ size, subscribers int }{{1 << 10, 20}, {64 << 10, 20}, {64 << 10, 100}} {
		f := fan{message: load.Noise(c.size), subscribers: c.subscribers, window: narrowWindow, polling: true}
		w := fanCase(f, c.size == 64<<10 && c.subscribers == 20)
		if c.subscribers != 20 {
			w.peers = swift
		}
		s.cases = append(s.cases, w)
	}
	return s
}

func fanCase(f fan, quick bool) workload {
	return workload{
		name:  fmt.Sprintf("%s x %d", bytesName(f.message.Size()), f.subscribers),
		quick: quick,
		size:  f.message.Size(),
		count: f.subscribers,
		run:   func(ctx context.Context, p *peer, s scale) (report.Sample, error) { return f.run(ctx, p, s.during) },
	}
}

func (f fan) run(ctx context.Context, p *peer, during time.Duration) (report.Sample, error) {
	options := load.Options{Polling: f.polling}
	var more []string
	if f.deflate {
		options.Deflate, more = load.NewInflater(), p.Deflate
	}
	server, d, err := p.serve(ctx, "file", more...)
	if err != nil {
		return nil, err
	}
	room, err := load.Join(ctx, d, server.Addr, "room", f.message, f.subscribers, options, nil)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	flow := func(during time.Duration, window int) error { return room.Flow(ctx, during, window) }
	if p.Dialect == "raw" {
		flow = func(during time.Duration, _ int) error { return room.Repeat(ctx, server.Addr, during, limitBytes) }
	}
	if err := flow(during/5, f.window/4); err != nil { // what is cold is not measured
		return nil, err
	}
	sent, wire := room.Sent(), room.BytesIn()
	m, err := measure(server, func() error { return flow(during, f.window) })
	if err != nil {
		return nil, err
	}
	sample := m.delivered((room.Sent()-sent)*int64(f.subscribers), f.message.Size(), room.BytesIn()-wire)
	if f.deflate && sample[report.Wire] > mostPacked {
		return nil, fmt.Errorf("not compressed: %.2f bytes on the wire per byte", sample[report.Wire])
	}
	return withFailed(sample, room.Failed()), nil
}
