package relay

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"sluice/chunker"
	"sluice/relay/spool"
)

// Content is what a finished stream holds, for who reads here and there in it. Close it.
type Content struct {
	st     *Stream
	ctx    context.Context
	size   int64
	offset int64
	body   io.ReadCloser // the store's, open at offset; nil: none, or the spool has it
	ahead  []byte        // what the spool has at offset: it verifies whole records, so that small reads would cost as much as large ones
	buffer []byte        // that ahead lies in
}

// Content returns the bytes of a finished stream; fs.ErrNotExist if it is not finished or gone, or a live stream of which the spool
// has given up some and the store has not all yet. ctx bounds the reads.
func (st *Stream) Content(ctx context.Context) (*Content, error) {
	st.mu.Lock()
	info, log := st.info, st.log
	st.mu.Unlock()
	if !info.Whole() || log != nil && (log.Start() > 0 || log.Size() < *info.Size) {
		return nil, fs.ErrNotExist
	}
	return &Content{st: st, ctx: ctx, size: *info.Size}, nil
}

// Read reads from the offset. See io.Reader.
func (c *Content) Read(p []byte) (int, error) {
	if c.offset >= c.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), c.size-c.offset)]
	n, err := c.read(p)
	c.offset += int64(n)
	return n, err
}

func (c *Content) read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	if c.body != nil {
		return c.body.Read(p)
	}
	c.st.mu.Lock()
	log, info := c.st.log, c.st.info
	c.st.mu.Unlock()
	if log != nil {
		n, err := c.readLog(log, p)
		if n > 0 {
			return n, nil
		}
		if !c.st.passOver(log, err) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrClosed) {
			return 0, err
		}
		info = c.st.Info() // it has just been archived, or deleted
	}
	if info.State != Archived {
		return 0, io.ErrUnexpectedEOF
	}
	var err error
	if c.body, err = c.st.hub.Archive.Open(c.ctx, info, c.offset, -1); err != nil {
		return 0, err
	}
	return c.body.Read(p)
}

// readLog reads from the spool, ahead unless p takes as much.
func (c *Content) readLog(log *spool.Log, p []byte) (int, error) {
	if len(p) >= chunker.MaxChunkBytes {
		return log.ReadAt(p, c.offset)
	}
	if c.buffer == nil {
		c.buffer = make([]byte, min(chunker.MaxChunkBytes, c.size))
	}
	n, err := log.ReadAt(c.buffer[:min(int64(len(c.buffer)), c.size-c.offset)], c.offset)
	c.ahead = c.buffer[:n]
	if n == 0 {
		return 0, err
	}
	return c.read(p)
}

// Seek moves the offset. See io.Seeker.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.offset
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("relay: seek before the beginning")
	}
	if offset != c.offset {
		c.Close()
		c.body, c.ahead = nil, nil
	}
	c.offset = offset
	return offset, nil
}

// Close ends the reading.
func (c *Content) Close() error {
	if c.body == nil {
		return nil
	}
	return c.body.Close()
}
