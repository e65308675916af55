package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

func churn() scenario {
	s := scenario{name: "churn", about: "Clients that connect, join a room, leave and come again.", peers: relays, quick: few}
	for _, clients := range []int{32} {
		s.cases = append(s.cases, workload{
			name:  fmt.Sprintf("%d clients", clients),
			quick: true,
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				return runChurn(ctx, p, clients, s.during)
			},
		})
	}
	return s
}

func runChurn(ctx context.Context, p *peer, clients int, during time.Duration) (report.Sample, error) {
	server, d, err := startForMany(ctx, p, clients)
	if err != nil {
		return nil, err
	}
	var failed atomic.Int64
	visits := func(during time.Duration) (int64, error) {
		var count atomic.Int64
		end := time.Now().Add(during)
		err := load.Together(ctx, clients, func(ctx context.Context) (more bool, err error) {
			again, err := load.Visit(ctx, d, server.Addr, "room")
			failed.Add(int64(again))
			count.Add(1)
			return time.Now().Before(end), err
		})
		return count.Load(), err
	}
	if _, err := visits(during / 5); err != nil {
		return nil, err
	}
	var count int64
	m, err := measure(server, func() error {
		count, err = visits(during)
		return err
	})
	if err != nil {
		return nil, err
	}
	return withFailed(report.Sample{
		report.Rate:    float64(count) / m.took.Seconds(),
		report.CPUEach: m.cpu.Seconds() * 1e6 / float64(count),
		report.Memory:  float64(m.memory) / (1 << 20),
	}, int(failed.Load())), stillServes(ctx, p, server)
}

// stillServes checks that one who comes now gets what is sent.
func stillServes(ctx context.Context, p *peer, server *host.Process) error {
	d, err := p.dialect("live")
	if err != nil {
		return err
	}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(16<<10), 1, load.Options{}, nil)
	if err == nil {
		defer room.Close()
		err = room.Pace(ctx, 3, time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("it does not serve any more: %w", err)
	}
	return nil
}
