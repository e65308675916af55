package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sluice/bench/host"
	"sluice/internal/tools"
)

const (
	s3Bucket = "sluice"
	s3Key    = "benchkey"
	s3Secret = "benchsecret"
)

// startGateway starts the S3 server that the tests have, too, with an empty bucket, and returns what sluice takes as --s3: over TLS, as
// a store is that is not on the same machine. What is started from now on trusts it.
func startGateway(ctx context.Context, p *peer) (store *host.Process, url string, err error) {
	mod, err := tools.Output(ctx, p.folder, "go", "env", "GOMOD")
	if err != nil {
		return nil, "", err
	}
	program, err := tools.Go(ctx, filepath.Dir(mod), "github.com/versity/versitygw", "cmd/versitygw")
	if err != nil {
		return nil, "", err
	}
	folder := filepath.Join(p.work, "s3")
	if err := os.RemoveAll(folder); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Join(folder, "root", s3Bucket), 0o755); err != nil {
		return nil, "", err
	}
	authority, err := tools.Certificates(folder)
	if err == nil {
		err = os.Setenv("SSL_CERT_FILE", authority)
	}
	if err != nil {
		return nil, "", err
	}
	const script = `exec "$0" --quiet --keep-alive --access ` + s3Key + ` --secret ` + s3Secret + // $1 is --addr
		` --cert "$PWD/` + tools.CertFile + `" --key "$PWD/` + tools.KeyFile + `" --port "$2" posix root`
	if store, err = host.Start(ctx, folder, "sh", "-c", script, program); err != nil {
		return nil, "", err
	}
	return store, fmt.Sprintf("https://%s:%s@%s/%s?region=us-east-1", s3Key, s3Secret, store.Addr, s3Bucket), nil
}
