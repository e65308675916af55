package dir

import (
	"context"
	"io"
	"os"

	"sluice/storage"
)

// reader is a stretch of a file.
type reader struct {
	ctx  context.Context // the reader's own life
	file *os.File
	rest io.LimitedReader // of file
}

var (
	_ storage.Filer = (*reader)(nil)
	_ io.WriterTo   = (*reader)(nil)
)

func newReader(ctx context.Context, file *os.File, info storage.Info, offset, length int64) (*reader, error) {
	length, err := info.Range(offset, length)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return &reader{ctx, file, io.LimitedReader{R: file, N: length}}, nil
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, r.ctx.Err()
	}
	return r.rest.Read(p)
}

// WriteTo hands the file itself to w, so that a connection can have the kernel send it.
func (r *reader) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, &r.rest) }

func (r *reader) File() *os.File { return r.file }

func (r *reader) Close() error { return r.file.Close() }
