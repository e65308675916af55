package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

// warmUp is how many messages are sent before those that are measured.
const warmUp = 8

func latency() scenario {
	s := scenario{name: "latency", about: "Messages at a fixed rate: how long after it was due one has come.", peers: relays, quick: few}
	for _, c := range []struct{ size, subscribers, rate int }{{16 << 10, 100, 20}, {1 << 10, 100, 200}, {64 << 10, 10, 20}} {
		s.cases = append(s.cases, workload{
			name:  fmt.Sprintf("%s x %d at %d/s", bytesName(c.size), c.subscribers, c.rate),
			quick: c.size == 16<<10,
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				return runLatency(ctx, p, c.size, c.subscribers, c.rate, s.paced)
			},
		})
	}
	return s
}

func runLatency(ctx context.Context, p *peer, size, subscribers, rate int, during time.Duration) (report.Sample, error) {
	server, d, err := p.serve(ctx, "live")
	if err != nil {
		return nil, err
	}
	times := load.NewLatency()
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(size), subscribers, load.Options{}, times.Arrived)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	return paced(ctx, server, room, times, rate, during)
}

// paced measures a room at a rate. Everybody who subscribes to it gets everything.
func paced(ctx context.Context, server *host.Process, room *load.Room, times *load.Latency, rate int, during time.Duration) (report.Sample, error) {
	interval := time.Second / time.Duration(rate)
	if err := room.Pace(ctx, warmUp, interval/4); err != nil {
		return nil, err
	}
	times.Reset()
	wire, count := room.BytesIn(), int(during/interval)
	m, err := measure(server, func() error { return room.Pace(ctx, count, interval) })
	if err != nil {
		return nil, err
	}
	arrived := int64(count) * int64(len(room.Subscribers))
	if times.Count() != arrived {
		return nil, fmt.Errorf("%d messages arrived; want %d", times.Count(), arrived)
	}
	sample := m.delivered(arrived, room.Message.Size(), room.BytesIn()-wire)
	delete(sample, report.Throughput) // both are given
	delete(sample, report.Messages)
	addLatency(sample, times)
	return withFailed(sample, room.Failed()), nil
}

// addLatency adds how long messages took.
func addLatency(sample report.Sample, times *load.Latency) {
	for metric, percentile := range map[report.Metric]float64{report.P50: 50, report.P99: 99, report.P999: 99.9} {
		sample[metric] = times.Percentile(percentile).Seconds() * 1e3
	}
}
