package s3

import (
	"context"
	"errors"
	"strings"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

// List implements storage.Store. Its Infos have neither Type nor Meta.
func (s *Store) List(ctx context.Context, prefix, after string, fn func(storage.Info) error) error {
	if err := errors.Join(storage.CheckPrefix(prefix), ctx.Err()); err != nil {
		return err
	}
	l := &lister{store: s, ctx: ctx, prefix: prefix, after: after, fn: fn}
	for {
		before := l.after
		err := retry(ctx, s.options.Attempts, l.run)
		switch {
		case l.stopped != nil:
			return l.stopped
		case err == nil || l.after == before:
			return err
		}
		// It got further than last time: the attempts count anew.
	}
}

// lister is one List, which goes on where a failed request has left it.
type lister struct {
	store   *Store
	ctx     context.Context
	prefix  string
	after   string // the last key that fn has seen
	fn      func(storage.Info) error
	stopped error // what fn returned
}

// run lists to the end. It returns nil when fn has stopped it.
func (l *lister) run() error {
	o := minio.ListObjectsOptions{Prefix: l.store.name(l.prefix), Recursive: true}
	if l.after != "" {
		o.StartAfter = l.store.name(l.after)
	}
	for object := range l.store.core.ListObjectsIter(l.ctx, l.store.options.Bucket, o) {
		if object.Err != nil {
			return object.Err
		}
		if err := l.ctx.Err(); err != nil {
			return err
		}
		key, ok := strings.CutPrefix(object.Key, l.store.options.Prefix)
		if !ok || storage.CheckKey(key) != nil || key <= l.after {
			continue // not of ours
		}
		if l.stopped = l.fn(l.store.info(key, object)); l.stopped != nil {
			return nil
		}
		l.after = key
	}
	return l.ctx.Err()
}
