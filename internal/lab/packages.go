package lab

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"sluice/internal/tools"
)

// installPackages installs what node/package-lock.json lists, unless it is there, and links it into the root of the
// module, where Node finds it from every folder below, for require and import alike.
var installPackages = sync.OnceValue(func() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	unlock, err := tools.Lock(root)
	if err != nil {
		return err
	}
	defer unlock()
	if err := tools.Node(context.Background(), filepath.Join(root, "internal", "lab", "node")); err != nil {
		return err
	}
	err = os.Symlink(filepath.Join("internal", "lab", "node", "node_modules"), filepath.Join(root, "node_modules"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
})

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
