package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// installPackages installs what node/package-lock.json lists, unless it is there, and links it into the root of the
// module, where Node finds it from every folder below, for require and import alike.
var installPackages = sync.OnceValue(func() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(root, ".tools"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := install(filepath.Join(root, "internal", "lab", "node")); err != nil {
		return err
	}
	err = os.Symlink(filepath.Join("internal", "lab", "node", "node_modules"), filepath.Join(root, "node_modules"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
})

// install makes node_modules of folder what its lock file says.
func install(folder string) error {
	list, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(list)
	want := hex.EncodeToString(sum[:])
	stamp := filepath.Join(folder, "node_modules", ".installed") // npm ci removes it, and npm ci may fail half-way
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if _, err := output(folder, "npm", "ci"); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// PackageFile returns what a file of an npm package holds, "socket.io-client/dist/socket.io.js" for one.
func PackageFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(PackagePath(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// PackagePath returns where a file or folder of an npm package lies.
func PackagePath(t testing.TB, name string) string {
	t.Helper()
	tool(t, "npm", "npm")
	if err := installPackages(); err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "internal", "lab", "node", "node_modules", filepath.FromSlash(name))
}
