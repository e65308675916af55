package main

import (
	"context"
	"fmt"

	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	archiveSize        = 64 << 10
	archiveSubscribers = 10
	archiveMessages    = 512 // in a quick run; twenty times as many in a full one
)

func archived() scenario {
	s := scenario{
		name:  "archive",
		about: "Fan-out of 64 KiB x 10 that is archived meanwhile, until it is archived: what the server spends, without the store's.",
		peers: func(p *peer) bool { return p.Dialect == "sluice" },
	}
	for _, to := range []string{"nowhere", "a folder", "S3"} {
		s.cases = append(s.cases, workload{
			name:  "to " + to,
			quick: to != "nowhere",
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				messages := archiveMessages
				if s == fullScale {
					messages *= 20
				}
				if to != "S3" {
					return runArchive(ctx, p, to != "nowhere", int64(messages))
				}
				return runArchiveS3(ctx, p, int64(messages))
			},
		})
	}
	return s
}

func runArchiveS3(ctx context.Context, p *peer, messages int64) (report.Sample, error) {
	store, url, err := startGateway(ctx, p)
	if err != nil {
		return nil, err
	}
	defer store.Stop()
	sample, err := runArchive(ctx, p, true, messages, "--s3", url)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, store.Said())
	}
	return sample, nil
}

func runArchive(ctx context.Context, p *peer, keep bool, messages int64, more ...string) (report.Sample, error) {
	server, err := p.start(ctx, more...)
	if err != nil {
		return nil, err
	}
	d := load.Sluice{Kind: "file", Archive: keep}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(archiveSize), archiveSubscribers, load.Options{}, nil)
	if err != nil {
		return nil, err
	}
	defer room.Close()
	var stream load.Stream
	m, err := measure(server, func() (err error) {
		if err := room.Transfer(ctx, messages, window); err != nil {
			return err
		}
		stream, err = room.Finish(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if keep {
		if err := room.Verify(ctx, server.Addr, stream); err != nil {
			return nil, fmt.Errorf("what was archived: %w", err)
		}
	}
	return withFailed(m.delivered(messages*archiveSubscribers, archiveSize, room.BytesIn()), room.Failed()), nil
}
