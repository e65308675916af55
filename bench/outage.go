package main

import (
	"cmp"
	"context"
	"fmt"
	"syscall"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

func outage() scenario {
	s := scenario{
		name: "outage",
		about: "The S3 server that a fan-out is archived to stands still: how much longer the slowest hundredth of the messages takes than" +
			" before, and how long, in times of that, it takes until all is archived when it goes on.",
		peers: func(p *peer) bool { return p.Dialect == "sluice" },
	}
	for _, c := range []struct {
		size, subscribers, rate int
		quick                   bool
		during                  time.Duration // 0: as long as anything at a rate
	}{{64 << 10, 20, 50, true, 0}, {256 << 10, 20, 20, false, 0}, {64 << 10, 20, 50, false, 5 * time.Minute}} {
		w := workload{name: fmt.Sprintf("%s x %d at %d/s", bytesName(c.size), c.subscribers, c.rate), quick: c.quick}
		if c.during > 0 {
			w.name, w.long = fmt.Sprintf("%s for %v", w.name, c.during), true
		}
		w.run = func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
			return runOutage(ctx, p, c.size, c.subscribers, c.rate, cmp.Or(c.during, s.paced))
		}
		s.cases = append(s.cases, w)
	}
	return s
}

func runOutage(ctx context.Context, p *peer, size, subscribers, rate int, during time.Duration) (report.Sample, error) {
	store, url, err := startGateway(ctx, p)
	if err != nil {
		return nil, err
	}
	defer store.Stop()
	server, err := p.start(ctx, "--s3", url)
	if err != nil {
		return nil, err
	}
	times := load.NewLatency()
	d := load.Sluice{Kind: "file", Archive: true}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(size), subscribers, load.Options{}, times.Arrived)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	alone, err := paced(ctx, server, room, times, rate, min(during, time.Minute))
	if err != nil {
		return nil, err
	}
	sample, err := stopped(store, func() (report.Sample, error) { return paced(ctx, server, room, times, rate, during) })
	if err != nil {
		return nil, err
	}
	began := time.Now()
	stream, err := room.Finish(ctx)
	if err != nil {
		return nil, err
	}
	sample[report.Drained] = time.Since(began).Seconds() / during.Seconds()
	sample[report.Slower] = sample[report.P99] / alone[report.P99]
	if err := room.Verify(ctx, server.Addr, stream); err != nil {
		return nil, fmt.Errorf("what was archived: %w", err)
	}
	return sample, nil
}

// stopped calls f while store stands still.
func stopped(store *host.Process, f func() (report.Sample, error)) (sample report.Sample, err error) {
	if err := store.Signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	defer func() {
		if on := store.Signal(syscall.SIGCONT); err == nil {
			err = on
		}
	}()
	return f()
}
