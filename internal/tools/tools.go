// Package tools makes what tests and the benchmark start, once for all of them: programs that tools.mod pins, and packages of npm.
package tools

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Go returns the path of a program in a folder of a module that tools.mod pins. It is built into .tools of root, the
// repository's folder, unless it is there.
func Go(ctx context.Context, root, module, folder string) (program string, err error) {
	version, err := Output(ctx, root, "go", "list", "-modfile=tools.mod", "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", err
	}
	unlock, err := Lock(root)
	if err != nil {
		return "", err
	}
	defer unlock()
	program = filepath.Join(root, ".tools", path.Base(folder)+"-"+version)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	_, err = Output(ctx, root, "go", "build", "-modfile=tools.mod", "-o", program, module+"/"+folder)
	return program, err
}

// Node makes node_modules of folder what its package-lock.json says, unless it is. It is for one caller at a time.
func Node(ctx context.Context, folder string) error {
	list, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	stamp := filepath.Join(folder, "node_modules", ".installed") // npm ci removes it, and may fail half-way
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, list) {
		return nil
	}
	if _, err := Output(ctx, folder, "npm", "ci"); err != nil {
		return err
	}
	return os.WriteFile(stamp, list, 0o644)
}

// Lock lets one process at a time build and install in root: packages are tested side by side.
func Lock(root string) (unlock func() error, err error) {
	folder := filepath.Join(root, ".tools")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(folder, ".lock"))
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f.Close, nil
}

// Output runs a program in folder and returns what it prints. An error has what it printed besides.
func Output(ctx context.Context, folder, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, problems.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
