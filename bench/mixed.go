package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	mixedStreams  = 50
	mixedLive     = 2 << 10 // bytes of a live chunk
	mixedInterval = 50 * time.Millisecond
	mixedFile     = 64 << 10 // bytes of a chunk of the file
)

func mixed() scenario {
	s := scenario{
		name: "mixed",
		about: "A file as fast as it goes, and 50 live streams of 2 KiB at 20/s, on the same sockets: how long the live chunks take" +
			" meanwhile. MB/s are the file's.",
		peers: relays,
		quick: pair,
	}
	for _, c := range []struct {
		size, subscribers int
		quick             bool
	}{{128 << 20, 4, true}, {1 << 30, 2, false}} {
		s.cases = append(s.cases, workload{
			name:  fmt.Sprintf("%s x %d", bytesName(c.size), c.subscribers),
			quick: c.quick,
			short: c.quick,
			peers: swift,
			run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
				return runMixed(ctx, p, c.size, c.subscribers)
			},
		})
	}
	return s
}

// flow returns how a flow of many is spoken of to the peer.
func (p *peer) flow(kind, flow string) load.Dialect {
	switch p.Dialect {
	case "raw":
		return load.Raw{Flow: flow}
	case "sluice":
		return load.Sluice{Kind: kind, Flow: flow}
	}
	return load.Relay{Flow: flow}
}

func runMixed(ctx context.Context, p *peer, size, subscribers int) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	times := load.NewLatency()
	mix, err := load.JoinMix(ctx, server.Addr, "room", load.MixOptions{
		Dialect: p.flow, File: load.Noise(mixedFile), Live: load.Noise(mixedLive), Streams: mixedStreams, Subscribers: subscribers,
		Arrived: times.Arrived,
	})
	if err != nil {
		return nil, err
	}
	defer mix.Close()
	err = mix.Pace(ctx, mixedInterval/4, func(sent int) bool { return sent < warmUp })
	if err != nil {
		return nil, err
	}
	times.Reset()
	var file time.Duration
	wire := mix.File.BytesIn()
	m, err := measure(server, func() (err error) {
		file, err = mix.Run(ctx, int64(size/mixedFile), window, mixedInterval)
		return err
	})
	if err != nil {
		return nil, err
	}
	filed := float64(size) * float64(subscribers)
	all := filed + float64(times.Count())*mixedLive
	sample := report.Sample{
		report.CPU:        m.cpu.Seconds() / (all / 1e9),
		report.Throughput: filed / 1e6 / file.Seconds(),
		report.Memory:     float64(m.memory) / (1 << 20),
		report.Wire:       float64(mix.File.BytesIn()-wire) / all,
	}
	addLatency(sample, times)
	return withFailed(sample, mix.File.Failed()), nil
}
