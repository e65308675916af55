package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

// inFlight is how many messages of a sender may be without an ack; with tus it is one.
const inFlight = 4

func uploads() scenario {
	s := scenario{
		name: "upload",
		about: fmt.Sprintf("Senders upload as fast as the server acknowledges, each with %d messages in flight (tus: one). sluice hashes,"+
			" syncs before its acks, and archives; the relays and the limit throw away what they get; tus writes files and syncs none.", inFlight),
		peers: func(p *peer) bool { return p.uploader() != nil },
		quick: brisk,
	}
	for _, size := range []int{16 << 10, 64 << 10, 1 << 20} {
		for _, senders := range []int{1, 10, 50} {
			if size == 16<<10 && senders != 10 {
				continue
			}
			s.cases = append(s.cases, workload{
				name:  fmt.Sprintf("%s x %d", bytesName(size), senders),
				quick: size == 64<<10 && senders == 10,
				run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
					return runUpload(ctx, p, load.Noise(size), senders, s.during)
				},
			})
		}
	}
	return s
}

// uploader returns how the peer takes uploads, nil if it does not.
func (p *peer) uploader() load.Uploader {
	if p.Dialect == "tus" {
		return load.Tus{}
	}
	d, _ := p.dialect("file")
	u, _ := d.(load.Uploader)
	return u
}

func runUpload(ctx context.Context, p *peer, m *load.Message, senders int, during time.Duration) (report.Sample, error) {
	server, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	connect := func(name string) (*load.Uploads, error) {
		u, err := load.Upload(ctx, p.uploader(), server.Addr, name, m, senders, inFlight)
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, server.Said())
		}
		return u, nil
	}
	cold, err := connect("cold") // it is not measured
	if err != nil {
		return nil, err
	}
	defer cold.Close()
	if err := cold.Flow(ctx, during/5); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
	}
	u, err := connect("room")
	if err != nil {
		return nil, err
	}
	defer u.Close()
	took, err := measure(server, func() error { return u.Flow(ctx, during) })
	if err != nil {
		return nil, err
	}
	if err := u.Verify(); err != nil {
		return nil, err
	}
	sample := took.delivered(u.Sent(), m.Size(), 0)
	delete(sample, report.Wire)
	return withFailed(sample, cold.Failed()+u.Failed()), nil
}
