package main

import (
	"context"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/report"
)

// inFlight is how many messages of a sender, of that many bytes each, may be without an ack: 1 MiB, and no fewer than 4. sluice
// offers a window of 4 MiB. With tus it is one.
func inFlight(size int) int { return max(4, 1<<20/size) }

func uploads() scenario {
	s := scenario{
		name: "upload",
		about: "Senders upload as fast as the server acknowledges, each with 1 MiB in flight, or 4 messages of 1 MiB (tus: one message)." +
			" sluice hashes, syncs before its acks, and archives; the relays and the limit throw away what they get; tus writes" +
			" files and syncs none.",
		peers: func(p *peer) bool { return p.Dialect != "pipe" && p.uploader() != nil },
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
	connect := func(name string) (*load.Uploads, error) {
		u, err := load.Upload(ctx, p.uploader(), server.Addr, name, m, senders, inFlight(m.Size()))
		if err != nil {
			return nil, err
		}
		return u, nil
	}
	cold, err := connect("cold") // it is not measured
	if err != nil {
		return nil, err
	}
	defer cold.Close()
	if err := cold.Flow(ctx, during/5); err != nil {
		return nil, err
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
