package dir_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"sluice/storage"
	"sluice/storage/dir"
)

func Example() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	store, err := dir.Open(folder)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	if err := save(context.Background(), store, "media/2026/01/31/hello.txt", strings.NewReader("hello")); err != nil {
		panic(err)
	}
	r, info, err := store.Open(context.Background(), "media/2026/01/31/hello.txt", 1, 3)
	if err != nil {
		panic(err)
	}
	defer r.Close()
	part, _ := io.ReadAll(r)
	fmt.Printf("%s of %d bytes of %s\n", part, info.Size, info.Type)
	// Output: ell of 5 bytes of text/plain
}

func save(ctx context.Context, store storage.Store, key string, src io.Reader) error {
	w, err := store.Create(ctx, key, storage.Options{Type: "text/plain", Size: -1})
	if err != nil {
		return err
	}
	defer w.Abort() // does nothing after Commit
	if _, err := io.Copy(w, src); err != nil {
		return err
	}
	_, err = w.Commit(ctx)
	return err
}
