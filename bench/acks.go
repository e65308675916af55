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
	acksInterval = 2 * time.Millisecond
	acksLeast    = 50 // answers, of which a percentile says something
)

func acks() scenario {
	s := scenario{
		name: "acks",
		about: "A socket that is given a file as fast as it goes asks for an ack 500 times a second: how long that takes meanwhile." +
			" MB/s are the file's.",
		peers: func(p *peer) bool { return p.Dialect == "relay" || p.Dialect == "sluice" },
		quick: pair,
	}
	for _, size := range []int{256 << 20, 512 << 20} {
		quick := size == 256<<20
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
	server, d, err := p.serve(ctx, "file")
	if err != nil {
		return nil, err
	}
	asker, ok := d.(load.Asker)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(acksMessage), 1, load.Options{}, nil)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	if err := room.Transfer(ctx, warmUp, window); err != nil {
		return nil, err
	}
	times := load.NewLatency()
	asked, enough := make(chan error, 1), make(chan struct{})
	wire := room.BytesIn()
	m, err := measure(server, func() error {
		go func() { asked <- load.Ask(ctx, asker, room.Subscribers[0], acksInterval, enough, times) }()
		err := room.Transfer(ctx, messages, window)
		close(enough)
		return errors.Join(err, <-asked)
	})
	if err != nil {
		return nil, err
	}
	if n := times.Count(); n < acksLeast {
		return nil, fmt.Errorf("only %d acks were asked for meanwhile", n)
	}
	sample := m.delivered(messages, acksMessage, room.BytesIn()-wire)
	delete(sample, report.Messages)
	addLatency(sample, times)
	delete(sample, report.P999) // of too few
	return withFailed(sample, room.Failed()), nil
}
