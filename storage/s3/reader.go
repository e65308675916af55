package s3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

// reader is a range of an object as it arrives.
type reader struct {
	store  *Store
	ctx    context.Context // the reader's own life
	key    string
	offset int64 // of the next byte
	length int64 // what is left; -1 until the size is known

	src  io.ReadCloser // nil when it must be opened again
	info storage.Info  // ETag is empty until the first answer
}

// open asks for what is left, of the same object as before.
func (r *reader) open() error {
	o := minio.GetObjectOptions{}
	if err := r.setRange(&o); err != nil {
		return err
	}
	if r.info.ETag != "" {
		if err := o.SetMatchETag(r.info.ETag); err != nil {
			return err
		}
	}
	src, object, header, err := r.store.core.GetObject(r.ctx, r.store.options.Bucket, r.store.name(r.key), o)
	if err != nil {
		return err
	}
	from, size, err := parseRange(header.Get("Content-Range"), object.Size)
	if err == nil && from != r.offset {
		err = fmt.Errorf("s3: asked for what follows byte %d, the server sent what follows %d", r.offset, from)
	}
	if err != nil {
		return errors.Join(err, src.Close())
	}
	if r.info.ETag == "" {
		object.Size = size
		r.info = r.store.info(r.key, object)
		if r.length, err = r.info.Range(r.offset, r.length); err != nil {
			return errors.Join(err, src.Close())
		}
	}
	r.src = src
	return nil
}

func (r *reader) setRange(o *minio.GetObjectOptions) error {
	switch {
	case r.length >= 0:
		return o.SetRange(r.offset, r.offset+r.length-1)
	case r.offset > 0:
		return o.SetRange(r.offset, 0)
	}
	return nil
}

// parseRange reads from the header of a part of the object where it begins, and the size of the whole. Without one it is the whole, of
// that size.
func parseRange(contentRange string, size int64) (from, whole int64, err error) {
	if contentRange == "" {
		return 0, size, nil
	}
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &from, new(int64), &whole); err != nil {
		return 0, 0, fmt.Errorf("s3: malformed Content-Range: %w", err)
	}
	return from, whole, nil
}

func (r *reader) Read(p []byte) (int, error) {
	if r.length == 0 {
		return 0, io.EOF
	}
	for failures := 1; ; failures++ {
		if r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		n, err := r.read(p)
		if n > 0 || len(p) == 0 || err == nil {
			return n, nil
		}
		if r.ctx.Err() == nil && (failures >= r.store.options.Attempts || !passing(err)) {
			return 0, err
		}
		if err := pause(r.ctx, failures); err != nil {
			return 0, err
		}
	}
}

// read reads once. When it fails, what was read before counts.
func (r *reader) read(p []byte) (int, error) {
	if r.src == nil {
		if err := r.open(); err != nil {
			return 0, explain(r.key, err)
		}
	}
	n, err := r.src.Read(p[:min(int64(len(p)), r.length)])
	r.offset += int64(n)
	r.length -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // or else length would be 0 and nobody asks again
	}
	if err != nil {
		_ = r.src.Close() // it is broken
		r.src = nil
	}
	return n, err
}

func (r *reader) Close() error {
	if r.src == nil {
		return nil
	}
	err := r.src.Close()
	r.src = nil
	return err
}
