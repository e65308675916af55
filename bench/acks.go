package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	acksMessage  = 64 << 10
	acksInterval = 20 * time.Millisecond
)

func acks() scenario {
	s := scenario{
		name: "acks",
		about: "A socket that is given a file as fast as it goes asks for an ack 50 times a second: how long that takes meanwhile." +
			" MB/s are the file's.",
		peers: func(p *peer) bool { return p.Dialect == "relay" || p.Dialect == "sluice" },
		quick: pair,
	}
	for _, size := range []int{128 << 20, 1 << 30} {
		quick := size < 1<<30
		s.cases = append(s.cases, workload{
			name:  bytesName(size),
			quick: quick,
			short: quick,
			peers: swift,
			size:  size,
			run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
				return runAcks(ctx, p, int64(size/acksMessage))
			},
		})
	}
	return s
}

func runAcks(ctx context.Context, p *peer, messages int64) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	d, err := p.dialect("file")
	if err != nil {
		return nil, err
	}
	asker, ok := d.(load.Asker)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(acksMessage), 1, load.Options{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
	}
	defer room.Close()
	if err := room.Transfer(ctx, warmUp, window); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
	}
	times := load.NewLatency()
	asked := make(chan error, 1)
	asking, enough := context.WithCancel(ctx)
	defer enough()
	wire := room.BytesIn()
	m, err := measure(server, func() error {
		go func() { asked <- load.Ask(asking, asker, room.Subscribers[0], acksInterval, times) }()
		err := room.Transfer(ctx, messages, window)
		enough()
		return errors.Join(err, <-asked)
	})
	if err != nil {
		return nil, err
	}
	sample := m.delivered(messages, acksMessage, room.BytesIn()-wire)
	delete(sample, report.Messages)
	addLatency(sample, times)
	return withFailed(sample, room.Failed()), nil
}
