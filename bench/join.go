package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	joins         = 100
	joinsQuick    = 20
	joinsInterval = 17 * time.Millisecond // and so at all points of a second, which is a group of the camera's
)

func join() scenario {
	s := scenario{
		name: "join",
		about: "Viewers who come to a live camera (VP8 at 2 Mbit/s, a key frame a second), one after the other: how long from joining" +
			" until all of a frame has come that can be shown.",
		peers: func(p *peer) bool { return p.Dialect == "sluice" },
	}
	for _, watching := range []int{0, 200} {
		s.cases = append(s.cases, workload{
			name:  fmt.Sprintf("%d who watch", watching),
			quick: watching == 0,
			count: watching,
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				n := joins
				if s == quickScale {
					n = joinsQuick
				}
				return runJoin(ctx, p, watching, n)
			},
		})
	}
	return s
}

func runJoin(ctx context.Context, p *peer, watching, joins int) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var camera sync.WaitGroup
	defer camera.Wait()
	defer stop() // the camera, before it is waited for
	ready, ended := make(chan struct{}), make(chan error, 1)
	camera.Go(func() { ended <- load.Camera(ctx, server.Addr, "room", func() { close(ready) }) })
	select {
	case <-ready:
	case err := <-ended:
		return nil, err
	}
	crowd, err := load.Gather(ctx, watching, func(ctx context.Context) (load.Conn, error) { return load.View(ctx, server.Addr, "room") })
	if err != nil {
		return nil, err
	}
	defer crowd.Close()
	sample, err := tune(ctx, server, joins)
	stop()
	return sample, errors.Join(err, <-ended, crowd.Check())
}

// tune has viewers come and go.
func tune(ctx context.Context, server *host.Process, joins int) (report.Sample, error) {
	var times []time.Duration
	m, err := measure(server, func() error {
		for range joins {
			took, err := load.Tune(ctx, server.Addr, "room")
			if err != nil {
				return err
			}
			times = append(times, took)
			time.Sleep(joinsInterval)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(times)
	sample := report.Sample{
		report.First:  times[len(times)/2].Seconds() * 1e3,
		report.Memory: float64(m.memory) / (1 << 20),
	}
	if len(times) >= 100 {
		sample[report.P99] = times[len(times)*99/100].Seconds() * 1e3
	}
	return sample, nil
}
