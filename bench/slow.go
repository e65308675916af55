package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	slowReaders = 4
	fastReaders = 4
	slowRate    = 32 << 20  // bytes a second
	slowMessage = 256 << 10 // bytes
)

func slow() scenario {
	s := scenario{
		name: "slow",
		about: fmt.Sprintf("A file for %d readers as fast as they go, and %d who read %s a second, all of it, too: what the fast ones"+
			" get (MB/s), how much longer it takes them than without the slow ones, and what it costs in memory.",
			fastReaders, slowReaders, bytesName(slowRate)),
		peers: func(p *peer) bool { return p.Name != "relay" && (p.Dialect == "relay" || p.Dialect == "sluice") }, // sio ends connections so far behind
		quick: pair,
	}
	for _, size := range []int{32 << 20, 256 << 20} {
		quick := size == 32<<20
		s.cases = append(s.cases, workload{
			name:  bytesName(size),
			quick: quick,
			short: quick,
			peers: swift,
			size:  size,
			run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
				return runSlow(ctx, p, int64(size/slowMessage))
			},
		})
	}
	return s
}

func runSlow(ctx context.Context, p *peer, messages int64) (report.Sample, error) {
	server, d, err := p.serve(ctx, "file")
	if err != nil {
		return nil, err
	}
	message := load.Noise(slowMessage)
	if _, _, err := sendBeside(ctx, server, d, "warm", message, warmUp, 0); err != nil {
		return nil, err
	}
	before, err := server.Usage()
	if err != nil {
		return nil, err
	}
	alone, _, err := sendBeside(ctx, server, d, "alone", message, messages, 0)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	var wire int64
	m, err := measure(server, func() (err error) {
		took, wire, err = sendBeside(ctx, server, d, "room", message, messages, slowReaders)
		return err
	})
	if err != nil {
		return nil, err
	}
	sample := m.delivered(messages*(fastReaders+slowReaders), slowMessage, wire)
	delete(sample, report.Messages)
	sample[report.Throughput] = float64(messages*fastReaders*slowMessage) / 1e6 / took.Seconds()
	after, err := server.Usage()
	if err != nil {
		return nil, err
	}
	sample[report.Memory] = float64(after.Peak-before.RSS) / (1 << 20) // what the fast ones took does not make it less
	sample[report.Slower] = took.Seconds() / alone.Seconds()
	return sample, nil
}

// sendBeside sends a file to the fast readers of a room and so many slow ones. It returns how long it took until the fast ones
// had all, when the slow ones have it as well.
func sendBeside(ctx context.Context, server *host.Process, d load.Dialect, name string, m *load.Message, messages int64, slow int) (took time.Duration, wire int64, err error) {
	behind, err := load.Audience(ctx, d, server.Addr, name, m, slow, load.Options{ReadRate: slowRate}, nil)
	if err != nil {
		return 0, 0, err
	}
	defer behind.Close()
	room, err := load.Join(ctx, d, server.Addr, name, m, fastReaders, load.Options{}, nil)
	if err != nil {
		return 0, 0, err
	}
	defer room.Close()
	began := time.Now()
	if err := room.Transfer(ctx, messages, window); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	err = behind.Await(ctx, messages)
	return took, room.BytesIn() + behind.BytesIn(), err
}
