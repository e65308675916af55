package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
)

const (
	archiveSize        = 64 << 10
	archiveSubscribers = 10
	archiveMessages    = 1024 // in a quick run; ten times as many in a full one
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
			quick: true,
			run: func(ctx context.Context, p *peer, s scale) (report.Sample, error) {
				messages := archiveMessages
				if s == fullScale {
					messages *= 10
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
	store, url, err := startS3(ctx, p)
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
	defer server.Stop()
	d := load.Sluice{Kind: "file", Archive: keep}
	room, err := load.Join(ctx, d, server.Addr, "room", load.Noise(archiveSize), archiveSubscribers, load.Options{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.Said())
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
			return nil, fmt.Errorf("what was archived: %w\n%s", err, server.Said())
		}
	}
	return withFailed(m.delivered(messages*archiveSubscribers, archiveSize, room.BytesIn()), room.Failed()), nil
}

const (
	gateway   = "github.com/versity/versitygw/cmd/versitygw"
	s3Bucket  = "sluice"
	s3Key     = "benchkey"
	s3Secret  = "benchsecret"
	s3Address = `exec "$0" --quiet --keep-alive --access ` + s3Key + ` --secret ` + s3Secret + ` --port "$2" posix root` // $1 is --addr
)

// startS3 starts a real S3 server with an empty bucket, and returns what sluice takes as --s3. It is plain HTTP: what TLS costs
// is the same in every server.
func startS3(ctx context.Context, p *peer) (store *host.Process, url string, err error) {
	folder := filepath.Join(p.work, "s3")
	program := filepath.Join(folder, "versitygw")
	if err := buildGateway(ctx, p.folder, program); err != nil {
		return nil, "", err
	}
	root := filepath.Join(folder, "root")
	if err := os.RemoveAll(root); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Join(root, s3Bucket), 0o755); err != nil {
		return nil, "", err
	}
	if store, err = host.Start(ctx, folder, "sh", "-c", s3Address, program); err != nil {
		return nil, "", err
	}
	return store, fmt.Sprintf("http://%s:%s@%s/%s?region=us-east-1", s3Key, s3Secret, store.Addr, s3Bucket), nil
}

// buildGateway builds the server that tools.mod pins, unless that was done.
func buildGateway(ctx context.Context, folder, program string) error {
	if _, err := os.Stat(program); err == nil {
		return nil
	}
	mod, err := exec.CommandContext(ctx, "go", "list", "-C", folder, "-m", "-f", "{{.Dir}}/tools.mod", "sluice").Output()
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-C", folder, "-modfile="+string(mod[:len(mod)-1]), "-o", program, gateway)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build versitygw: %w\n%s", err, out)
	}
	return nil
}
