package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sluice/bench/host"
)

const (
	gatewayModule = "github.com/versity/versitygw"

	s3Bucket = "sluice"
	s3Key    = "benchkey"
	s3Secret = "benchsecret"
)

// startGateway starts a real S3 server with an empty bucket, and returns what sluice takes as --s3. It is plain HTTP: what TLS
// costs is another question.
func startGateway(ctx context.Context, p *peer) (store *host.Process, url string, err error) {
	program, err := buildGateway(ctx, p.folder)
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
	const script = `exec "$0" --quiet --keep-alive --access ` + s3Key + ` --secret ` + s3Secret + ` --port "$2" posix root` // $1 is --addr
	if store, err = host.Start(ctx, folder, "sh", "-c", script, program); err != nil {
		return nil, "", err
	}
	return store, fmt.Sprintf("http://%s:%s@%s/%s?region=us-east-1", s3Key, s3Secret, store.Addr, s3Bucket), nil
}

// buildGateway builds the server that tools.mod pins, where the tests have it, too, unless it is there. folder is one of sluice's.
func buildGateway(ctx context.Context, folder string) (program string, err error) {
	mod, err := goCommand(ctx, folder, "env", "GOMOD")
	if err != nil {
		return "", err
	}
	root := filepath.Dir(mod)
	version, err := goCommand(ctx, root, "list", "-modfile=tools.mod", "-m", "-f", "{{.Version}}", gatewayModule)
	if err != nil {
		return "", err
	}
	program = filepath.Join(root, ".tools", "versitygw-"+version)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	fresh := fmt.Sprintf("%s.%d", program, os.Getpid()) // a test may build it at the same time
	if _, err := goCommand(ctx, root, "build", "-modfile=tools.mod", "-o", fresh, gatewayModule+"/cmd/versitygw"); err != nil {
		return "", err
	}
	return program, os.Rename(fresh, program)
}

// goCommand runs go in a folder, and returns what it prints.
func goCommand(ctx context.Context, folder string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", append([]string{args[0], "-C", folder}, args[1:]...)...).Output()
	if failed, ok := err.(*exec.ExitError); ok {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, failed.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
