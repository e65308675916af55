package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sluice/storage"
)

// writer is one object before its commit.
type writer struct {
	store   *Store
	ctx     context.Context // the object's own life
	work    work
	file    *os.File // nil when it is over
	key     string
	options storage.Options
	written int64
}

// Create implements storage.Store.
func (s *Store) Create(ctx context.Context, key string, o storage.Options) (storage.Writer, error) {
	if err := errors.Join(check(ctx, key), o.Check()); err != nil {
		return nil, err
	}
	w := newWork()
	file, err := s.root.OpenFile(w.data(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, err
	}
	return &writer{store: s, ctx: ctx, work: w, file: file, key: key, options: o}, nil
}

func (w *writer) Write(p []byte) (int, error) {
	switch {
	case w.file == nil:
		return 0, fs.ErrClosed
	case w.ctx.Err() != nil:
		return 0, w.ctx.Err()
	case w.options.Size >= 0 && w.written+int64(len(p)) > w.options.Size:
		return 0, w.sizeError(w.written + int64(len(p)))
	}
	n, err := w.file.Write(p)
	w.written += int64(n)
	return n, err
}

func (w *writer) Commit(ctx context.Context) (storage.Info, error) {
	if w.file == nil {
		return storage.Info{}, fs.ErrClosed
	}
	if err := w.complete(ctx); err != nil {
		return storage.Info{}, fmt.Errorf("commit %s: %w", w.key, errors.Join(err, w.Abort()))
	}
	w.file = nil
	return w.store.publish(ctx, w.work, w.key, w.written, w.options)
}

// complete makes the content durable and closes the file.
func (w *writer) complete(ctx context.Context) error {
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case ctx.Err() != nil:
		return ctx.Err()
	case w.options.Size >= 0 && w.written != w.options.Size:
		return w.sizeError(w.written)
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	return w.file.Close()
}

func (w *writer) Abort() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	w.file = nil
	return errors.Join(err, w.store.discard(w.work))
}

func (w *writer) sizeError(written int64) error {
	return &storage.SizeError{Key: w.key, Promised: w.options.Size, Written: written}
}
