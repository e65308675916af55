package lab

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// GoTool returns the path of a program in a folder of a module that tools.mod pins. It is built once, into the repository's
// .tools.
func GoTool(t testing.TB, module, folder string) string {
	t.Helper()
	root := filepath.Dir(command(t, "", "go", "env", "GOMOD"))
	version := command(t, root, "go", "list", "-modfile=tools.mod", "-m", "-f", "{{.Version}}", module)
	program := filepath.Join(root, ".tools", path.Base(folder)+"-"+version)
	unlock := lockTools(t, filepath.Join(root, ".tools"))
	defer unlock()
	if _, err := os.Stat(program); err != nil {
		command(t, root, "go", "build", "-modfile=tools.mod", "-o", program, module+"/"+folder)
	}
	return program
}

// lockTools lets one test binary at a time build.
func lockTools(t testing.TB, folder string) (unlock func()) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(folder, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Close() }
}

// command runs a program in folder and returns what it prints.
func command(t testing.TB, folder, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, problems.String())
	}
	return strings.TrimSpace(string(out))
}
