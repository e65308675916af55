package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

// spareFiles is how many files are open beside those of a crowd.
const spareFiles = 500

func idle() scenario {
	s := scenario{name: "idle", about: "Connections that have joined the namespace and say nothing: memory each.", peers: relays, quick: pair}
	for _, c := range []struct {
		name  string
		count int
	}{{"2,000 connections", 2000}, {"10,000 connections", 10_000}} {
		s.cases = append(s.cases, workload{
			name:  c.name,
			quick: c.count == 2000,
			short: c.count == 2000,
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				return runIdle(ctx, p, c.count, s.paced/4)
			},
		})
	}
	return s
}

// runIdle measures a crowd. settle is how long a server has to give back what it took while they came.
func runIdle(ctx context.Context, p *peer, count int, settle time.Duration) (report.Sample, error) {
	server, d, err := startForMany(ctx, p, count)
	if err != nil {
		return nil, err
	}
	greet := func(ctx context.Context) (load.Conn, error) { return d.Greet(ctx, server.Addr) }
	first, err := greet(ctx) // what only the first one costs is of nobody
	if err != nil {
		return nil, err
	}
	defer first.Close()
	before, err := resident(ctx, p, server, settle)
	if err != nil {
		return nil, err
	}
	var crowd *load.Crowd
	m, err := measure(server, func() error {
		crowd, err = load.Gather(ctx, count, greet)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer crowd.Close()
	after, err := resident(ctx, p, server, settle)
	if err != nil {
		return nil, err
	}
	return withFailed(report.Sample{
		report.MemoryEach: float64(after-before) / (1 << 10) / float64(count),
		report.CPUEach:    m.cpu.Seconds() * 1e6 / float64(count),
		report.Rate:       float64(count) / m.took.Seconds(),
	}, crowd.Failed()), crowd.Check()
}

// startForMany starts a server that so many connect to at once.
func startForMany(ctx context.Context, p *peer, count int) (*host.Process, load.Greeter, error) {
	if err := host.AllowFiles(count + spareFiles); err != nil {
		return nil, nil, err
	}
	d, err := p.dialect("live")
	if err != nil {
		return nil, nil, err
	}
	greeter, ok := d.(load.Greeter)
	if !ok {
		return nil, nil, fmt.Errorf("of %s, nobody can greet it", p.Dialect)
	}
	server, err := p.start(ctx)
	return server, greeter, err
}

// resident returns what a server keeps in memory when it has had time to clean up.
func resident(ctx context.Context, p *peer, server *host.Process, settle time.Duration) (int64, error) {
	if p.Collect {
		if err := server.CollectGarbage(); err != nil {
			return 0, err
		}
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	usage, err := server.Usage()
	return usage.RSS, err
}
