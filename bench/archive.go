package main

import (
	"context"
	"fmt"

	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	archiveSize   = 64 << 10
	archiveQuick  = 512                   // messages in a quick run
	archiveFull   = 20 * 512              // and in a full one
	archiveSingle = 1 << 30 / archiveSize // to a single subscriber
)

func archived() scenario {
	s := scenario{
		name:  "archive",
		about: "Fan-out of 64 KiB that is archived meanwhile, until it is archived: what the server spends, without the store's.",
		peers: func(p *peer) bool { return p.Dialect == "sluice" },
	}
	for _, to := range []string{"nowhere", "a folder", "S3"} {
		s.cases = append(s.cases, workload{
			name:  "x 10, to " + to,
			quick: to != "nowhere",
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				if s == fullScale {
					return runArchive(ctx, p, to, archiveFull, 10)
				}
				return runArchive(ctx, p, to, archiveQuick, 10)
			},
		})
	}
	s.cases = append(s.cases, workload{
		name: "1 GiB x 1, to S3",
		run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
			return runArchive(ctx, p, "S3", archiveSingle, 1)
		},
	})
	whole := load.NewWhole(load.Noise(giantPiece), 1<<30/giantPiece)
	s.cases = append(s.cases, workload{
		name: "1 GiB in one event x 1, to S3",
		run: func(ctx context.Context, p *peer, _ scale) (report.Sample, error) {
			return toGateway(ctx, p, func(more ...string) (report.Sample, error) {
				server, err := p.start(ctx, more...)
				if err != nil {
					return nil, err
				}
				return sendRelayed(ctx, server, load.Sluice{Archive: true}, whole)
			})
		},
	})
	return s
}

func runArchive(ctx context.Context, p *peer, to string, messages int64, subscribers int) (report.Sample, error) {
	if to != "S3" {
		return archiveTo(ctx, p, to != "nowhere", messages, subscribers)
	}
	return toGateway(ctx, p, func(more ...string) (report.Sample, error) {
		return archiveTo(ctx, p, true, messages, subscribers, more...)
	})
}

// toGateway calls f with what has the peer archive to an S3 server.
func toGateway(ctx context.Context, p *peer, f func(more ...string) (report.Sample, error)) (report.Sample, error) {
	store, url, err := startGateway(ctx, p)
	if err != nil {
		return nil, err
	}
	defer store.Stop()
	sample, err := f("--s3", url)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, store.Said())
	}
	return sample, nil
}

func archiveTo(ctx context.Context, p *peer, keep bool, messages int64, subscribers int, more ...string) (report.Sample, error) {
	server, err := p.start(ctx, more...)
	if err != nil {
		return nil, err
	}
	d := load.Sluice{Kind: "file", Archive: keep}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(archiveSize), subscribers, load.Options{}, nil)
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
	return withFailed(m.delivered(messages*int64(subscribers), archiveSize, room.BytesIn()), room.Failed()), nil
}
