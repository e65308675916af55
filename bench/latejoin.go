package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	lateSize     = 64 << 10
	lateMessages = 1024 // 64 MiB
)

func lateJoin() scenario {
	s := scenario{
		name:  "latejoin",
		about: "Readers that come when a stream of 64 MiB has ended, and read it from the archive. The limit has it in memory.",
		peers: func(p *peer) bool { return p.Dialect == "raw" || p.Dialect == "sluice" },
	}
	for _, readers := range []int{20, 100} {
		s.cases = append(s.cases, workload{
			name:  fmt.Sprintf("%s x %d", bytesName(lateSize*lateMessages), readers),
			quick: readers == 20,
			short: readers == 20,
			run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
				return runLateJoin(ctx, p, readers)
			},
		})
	}
	return s
}

func runLateJoin(ctx context.Context, p *peer, readers int) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	message := load.Noise(lateSize)
	var firsts firsts
	var d load.Dialect = load.Raw{}
	if p.Dialect == "sluice" {
		d = load.Sluice{Wait: true}
	}
	room, err := load.Audience(ctx, d, server.Addr, "room", message, readers, load.Options{}, firsts.arrived)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	read, err := prepareLate(ctx, p, server, room)
	if err != nil {
		return nil, err
	}
	wire, began := room.BytesIn(), time.Now()
	m, err := measure(server, func() error { return read(ctx) })
	if err != nil {
		return nil, err
	}
	sample := m.delivered(int64(readers*lateMessages), lateSize, room.BytesIn()-wire)
	sample[report.First] = firsts.median(began).Seconds() * 1e3
	return withFailed(sample, room.Failed()), nil
}

// prepareLate publishes what is to be read, and returns what has it read.
func prepareLate(ctx context.Context, p *peer, server *host.Process, readers *load.Room) (read func(ctx context.Context) error, err error) {
	if p.Dialect == "raw" {
		prepared, err := load.Prepare(ctx, server.Addr, readers.Message, lateMessages)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			defer prepared.Close()
			return prepared.Go(ctx, readers)
		}, nil
	}
	d := load.Sluice{Kind: "file", Archive: true}
	writer, err := load.Join(ctx, d, server.Addr, "room", readers.Message, 0, load.Options{}, nil)
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	if err := writer.Transfer(ctx, lateMessages, window); err != nil {
		return nil, err
	}
	stream, err := writer.Finish(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return readers.Read(ctx, stream, lateMessages) }, nil
}

// firsts is when the first message came to each subscriber.
type firsts struct {
	mu    sync.Mutex
	times []time.Time // guarded by mu
}

func (f *firsts) arrived(number int64, _ time.Time) {
	if number > 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.times = append(f.times, time.Now())
}

// median returns how long it took since then.
func (f *firsts) median(began time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.times) == 0 {
		return 0
	}
	slices.SortFunc(f.times, time.Time.Compare)
	return f.times[len(f.times)/2].Sub(began)
}
