package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/host"
	"sluice/bench/report"
)

// scenario is a kind of work.
type scenario struct {
	name  string
	about string
	peers func(p *peer) bool // who can do it
	quick func(p *peer) bool // who of them takes part in a quick run; nil: all
	cases []workload
}

// workload is a scenario at one size.
type workload struct {
	name  string
	quick bool               // part of a quick run, too
	short bool               // a smaller form of another: part of a quick run only
	long  bool               // takes minutes: part of no run that does not name it
	size  int                // of a message in bytes, and
	count int                // of connections: plots are drawn against these where they are given
	peers func(p *peer) bool // who of the scenario's takes part; nil: all
	run   func(ctx context.Context, p *peer, s scale) (report.Sample, error)
}

// scale is how much is to be done.
type scale struct {
	during time.Duration // of one measurement as fast as it goes
	paced  time.Duration // of one at a fixed rate
}

var (
	quickScale = scale{during: 300 * time.Millisecond, paced: time.Second}
	fullScale  = scale{during: 400 * time.Millisecond, paced: 2 * time.Second}
)

// scenarios are all there are, in the order in which they are run.
var scenarios = []scenario{
	fanOut(),
	uploads(),
	compressed(),
	polled(),
	latency(),
	mixed(),
	acks(),
	giant(),
	join(),
	lateJoin(),
	archived(),
	outage(),
	stalled(),
	slow(),
	idle(),
	churn(),
}

// relays reports whether p takes part where something is relayed.
func relays(p *peer) bool { return p.Dialect != "tus" && p.Dialect != "pipe" }

// brisk leaves out who takes long for what others do in a moment.
func brisk(p *peer) bool { return p.Name != "zishang" && p.Name != "tus" && p.Name != "pipe" }

// few leaves out who is like another, where a quick run has no time for both: package sio is in sluice, too.
func few(p *peer) bool { return p.Dialect == "raw" || pair(p) }

// swift leaves out who takes so long for large cases that the others would be measured less often.
func swift(p *peer) bool { return p.Name != "zishang" }

// pair is few without the limit, where that says little.
func pair(p *peer) bool { return p.Name == "sluice" || p.Name == "node" }

// measured is what a server did between two moments.
type measured struct {
	cpu    time.Duration
	took   time.Duration
	memory int64 // resident at most, over what was resident at the beginning
	peak   int64 // resident at most
}

// measure measures p while work is done.
func measure(p *host.Process, work func() error) (m measured, err error) {
	if err := p.ResetPeak(); err != nil {
		return m, err
	}
	before, err := p.Usage()
	if err != nil {
		return m, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return m, err
	}
	m.took = time.Since(began)
	after, err := p.Usage()
	if err != nil {
		return m, err
	}
	m.cpu, m.memory, m.peak = after.CPU-before.CPU, after.Peak-before.RSS, after.Peak
	return m, nil
}

// delivered makes a sample of what was delivered: so many messages of a size.
func (m measured) delivered(messages int64, size int, wire int64) report.Sample {
	bytes := float64(messages) * float64(size)
	return report.Sample{
		report.CPU:        m.cpu.Seconds() / (bytes / 1e9),
		report.Throughput: bytes / 1e6 / m.took.Seconds(),
		report.Messages:   float64(messages) / m.took.Seconds(),
		report.Memory:     float64(m.memory) / (1 << 20),
		report.Wire:       float64(wire) / bytes,
	}
}

// withFailed adds how many connects failed, if any did, and returns s.
func withFailed(s report.Sample, failed int) report.Sample {
	if failed > 0 {
		s[report.Failed] = float64(failed)
	}
	return s
}

// bytesName is a size as people write it.
func bytesName(n int) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
