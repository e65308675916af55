package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"sluice/storage"
)

// Adopt implements storage.Adopter: by a hard link, or by copying if the file is on another file system.
func (s *Store) Adopt(ctx context.Context, key, file string, o storage.Options) (storage.Info, error) {
	if err := errors.Join(check(ctx, key), o.Check()); err != nil {
		return storage.Info{}, err
	}
	src, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return storage.Info{}, err
	}
	defer src.Close()
	found, err := src.Stat()
	switch {
	case err != nil:
		return storage.Info{}, err
	case !found.Mode().IsRegular():
		return storage.Info{}, fmt.Errorf("adopt %s: not a regular file", file)
	case o.Size >= 0 && o.Size != found.Size():
		return storage.Info{}, &storage.SizeError{Key: key, Promised: o.Size, Written: found.Size()}
	}
	w := newWork()
	err = s.link(w, src, found)
	if cannotLink(err) {
		return s.copy(ctx, key, src, o)
	}
	if err != nil {
		return storage.Info{}, errors.Join(err, s.discard(w))
	}
	return s.publish(ctx, w, key, found.Size(), o)
}

// link makes the open file w.data, too.
func (s *Store) link(w work, src *os.File, found os.FileInfo) error {
	if err := os.Link(src.Name(), filepath.Join(s.path, w.data())); err != nil {
		return err
	}
	// The name may have come to mean another file since it was opened.
	linked, err := s.root.Lstat(w.data())
	if err != nil {
		return err
	}
	if !os.SameFile(linked, found) {
		return fmt.Errorf("adopt %s: the file was replaced meanwhile", src.Name())
	}
	return src.Sync()
}

// cannotLink reports whether err is the file system's no rather than an error.
func cannotLink(err error) bool {
	for _, no := range []error{syscall.EXDEV, syscall.EPERM, syscall.EMLINK, syscall.ENOTSUP} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

func (s *Store) copy(ctx context.Context, key string, src io.Reader, o storage.Options) (storage.Info, error) {
	w, err := s.Create(ctx, key, o)
	if err != nil {
		return storage.Info{}, err
	}
	// Hide that src is a file: the copy must notice when ctx ends.
	if _, err := io.Copy(w, struct{ io.Reader }{src}); err != nil {
		return storage.Info{}, errors.Join(err, w.Abort())
	}
	return w.Commit(ctx)
}
