package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

// stalledShare is one in how many of the subscribers that reads nothing.
const stalledShare = 5

// stalledBytes is what each is sent, as fast as it goes, before the rate is kept: more than the kernel takes for those that do
// not read, so that the server has to know what to do.
const stalledBytes = 8 << 20

func stalled() scenario {
	s := scenario{
		name: "stalled",
		about: "A fifth of the subscribers read nothing: what the others notice, how much longer the slowest hundredth takes than without" +
			" them, and what it costs in memory.",
		peers: func(p *peer) bool { return p.Dialect == "relay" || p.Dialect == "sluice" },
		quick: pair,
	}
	for _, c := range []struct {
		subscribers, rate int
		quick             bool
		during            time.Duration // 0: as long as anything at a rate
	}{{100, 20, true, 0}, {300, 50, false, 0}, {1000, 12, false, time.Minute}} {
		const size = 16 << 10
		w := workload{name: fmt.Sprintf("%s x %d at %d/s", bytesName(size), c.subscribers, c.rate), quick: c.quick, short: c.quick}
		if c.during > 0 {
			w.name, w.long = fmt.Sprintf("%s for %v", w.name, c.during), true
		}
		w.run = func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
			return runStalled(ctx, p, size, c.subscribers, c.rate, cmp.Or(c.during, s.paced))
		}
		s.cases = append(s.cases, w)
	}
	return s
}

func runStalled(ctx context.Context, p *peer, size, subscribers, rate int, during time.Duration) (report.Sample, error) {
	server, d, err := p.serve(ctx, "live")
	if err != nil {
		return nil, err
	}
	still := subscribers / stalledShare
	times := load.NewLatency()
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(size), subscribers-still, load.Options{}, times.Arrived)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	before, err := server.Usage()
	if err != nil {
		return nil, err
	}
	filling := func() error { return room.Transfer(ctx, stalledBytes/int64(size), window/4) }
	if err := filling(); err != nil { // what is cold is not measured
		return nil, err
	}
	alone, err := paced(ctx, server, room, times, rate, during/2)
	if err != nil {
		return nil, err
	}
	crowd, err := load.Gather(ctx, still, func(ctx context.Context) (load.Conn, error) {
		return load.Stall(ctx, d, server.Addr, "room")
	})
	if err != nil {
		return nil, err
	}
	defer crowd.Close()
	full, err := measure(server, filling)
	if err != nil {
		return nil, err
	}
	sample, err := paced(ctx, server, room, times, rate, during)
	if err != nil {
		return nil, err
	}
	after, err := server.Usage()
	if err != nil {
		return nil, err
	}
	sample[report.Memory] = float64(max(full.peak, after.Peak)-before.RSS) / (1 << 20)
	sample[report.Slower] = sample[report.P99] / alone[report.P99]
	return sample, nil
}
