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
	// window is how far ahead of the slowest subscriber a publisher sends.
	window = 4 << 20
	// limitBytes is how much the limit writes to a connection at once, at least.
	limitBytes = 64 << 10
)

func fanOut() scenario {
	s := scenario{name: "fanout", about: "One publisher, many subscribers, as fast as it goes.", peers: relays}
	for _, size := range []int{1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		for _, subscribers := range []int{1, 10, 100, 1000} {
			s.cases = append(s.cases, workload{
				name:  fmt.Sprintf("%s x %d", bytesName(size), subscribers),
				quick: subscribers == 100 && slices.Contains([]int{1 << 10, 16 << 10, 64 << 10}, size),
				run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
					return runFanOut(ctx, p, size, subscribers, s.during)
				},
			})
		}
	}
	return s
}

func runFanOut(ctx context.Context, p *peer, size, subscribers int, during time.Duration) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	d, err := p.dialect("file")
	if err != nil {
		return nil, err
	}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(size), subscribers, load.Options{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
	}
	defer room.Close()
	flow := func(during time.Duration) error { return room.Flow(ctx, during, window) }
	if p.Dialect == "raw" {
		flow = func(during time.Duration) error { return room.Repeat(ctx, server.Addr, during, limitBytes) }
	}
	if err := flow(during / 5); err != nil { // what is cold is not measured
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
	}
	sent, wire := room.Sent(), room.BytesIn()
	m, err := measure(server, func() error { return flow(during) })
	if err != nil {
		return nil, err
	}
	return withFailed(m.delivered((room.Sent()-sent)*int64(subscribers), size, room.BytesIn()-wire), room.Failed()), nil
}
