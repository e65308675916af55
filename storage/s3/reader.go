package s3

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

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
	if r.info.ETag == "" {
		if object.Size, err = wholeSize(header.Get("Content-Range"), object.Size); err != nil {
			return errors.Join(err, src.Close())
		}
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

// wholeSize reads the size of the object from the header of a part of it.
func wholeSize(contentRange string, size int64) (int64, error) {
	if contentRange == "" {
		return size, nil
	}
	_, whole, ok := strings.Cut(contentRange, "/")
	if !ok {
		return 0, errors.New("s3: malformed Content-Range")
	}
	return strconv.ParseInt(whole, 10, 64)
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
