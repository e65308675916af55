package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

// giantPiece is what a giant is made of. Nobody but the load sees pieces.
const giantPiece = 64 << 10

func giant() scenario {
	s := scenario{
		name: "giant",
		about: "One event with one attachment, acknowledged when the server has it: sluice relays it to a subscriber, hashes and" +
			" archives it, the others do nothing with it.",
		peers: relays,
		quick: few,
	}
	for _, size := range []int{128 << 20, 1 << 30} {
		whole := load.NewWhole(load.Noise(giantPiece), int64(size/giantPiece))
		s.cases = append(s.cases, workload{
			name:  bytesName(size),
			quick: size < 1<<30,
			short: size < 1<<30,
			peers: swift,
			size:  size,
			run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
				return runGiant(ctx, p, whole)
			},
		})
	}
	return s
}

func runGiant(ctx context.Context, p *peer, whole load.Whole) (report.Sample, error) {
	var more []string
	if p.Max != "" {
		more = []string{p.Max, strconv.FormatInt(whole.Size()+1<<20, 10)} // with its text
	}
	server, d, err := p.serve(ctx, "file", more...)
	if err != nil {
		return nil, err
	}
	sender, ok := d.(load.WholeSender)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	if p.Dialect == "sluice" {
		return sendRelayed(ctx, server, sender, whole)
	}
	m, err := measure(server, func() error { return sender.SendWhole(ctx, server.Addr, "room", whole) })
	if err != nil {
		return nil, err
	}
	return sentWhole(m, whole), nil
}

// sendRelayed sends it to a subscriber.
func sendRelayed(ctx context.Context, server *host.Process, sender load.WholeSender, whole load.Whole) (report.Sample, error) {
	whole.SHA256() // which takes its time
	var firsts firsts
	room, err := load.Audience(ctx, load.Sluice{}, server.Addr, "room", whole.Message, 1, load.Options{}, firsts.arrived)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	began := time.Now()
	m, err := measure(server, func() error {
		if err := sender.SendWhole(ctx, server.Addr, "room", whole); err != nil {
			return err
		}
		return room.Await(ctx, whole.Messages)
	})
	if err != nil {
		return nil, err
	}
	sample := sentWhole(m, whole)
	sample[report.First] = firsts.median(began).Seconds() * 1e3
	return sample, nil
}

func sentWhole(m measured, whole load.Whole) report.Sample {
	return report.Sample{
		report.CPU:        m.cpu.Seconds() / (float64(whole.Size()) / 1e9),
		report.Throughput: float64(whole.Size()) / 1e6 / m.took.Seconds(),
		report.Memory:     float64(m.memory) / (1 << 20),
	}
}
