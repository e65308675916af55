package spool

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"sync"
)

// Record is one Append.
type Record struct {
	Offset int64
	Len    int
	Flags  byte
}

// ReadAt reads len(p) bytes of the content from off, also while the log is appended to. Every byte it returns was
// verified by the checksum of its record just now; the first record that does not match ends it with a
// *CorruptError and what came before. What was dropped is ErrDropped. At the end of what was appended it returns io.EOF.
func (l *Log) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, l.wrap("read", fmt.Errorf("offset %d", off))
	}
	size := l.Size()
	switch {
	case off >= size:
		return 0, io.EOF
	case off < l.Start():
		return 0, l.wrap("read", ErrDropped)
	}
	whole := len(p)
	p = p[:min(int64(whole), size-off)]
	if len(p) == 0 {
		return 0, nil
	}
	h, err := l.acquire()
	if err != nil {
		return 0, err
	}
	defer l.release()
	// One read for all; what is missing of it shows when the records are verified.
	n, err := h.content.ReadAt(p, off)
	if err != nil && err != io.EOF {
		return 0, l.wrap("read", err)
	}
	if n, err = l.verify(h, p[:n], len(p), off); err != nil {
		if off < l.Start() {
			return 0, l.wrap("read", ErrDropped) // meanwhile
		}
		return n, err
	}
	if n < whole {
		return n, io.EOF
	}
	return n, nil
}

// Verify reads all of the content that there is and checks it by the checksums of its records. A record that does not match is a *CorruptError.
func (l *Log) Verify(ctx context.Context) error {
	h, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release()
	for s, err := range l.records(h, 0) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		sum, ok, err := sumFile(h.content, 0, s.offset, s.end())
		if err != nil {
			return l.wrap("read", err)
		}
		if (!ok || sum != s.sum) && s.offset >= l.Start() {
			return &CorruptError{ID: l.id, Offset: s.offset, Reason: "checksum does not match"}
		}
	}
	return nil
}

// Records returns the records from the one that holds offset from, or the first one that was not dropped, up to those appended when it gets there. After
// an error it ends.
func (l *Log) Records(from int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		h, err := l.acquire()
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer l.release()
		for s, err := range l.records(h, from) {
			if !yield(Record{Offset: s.offset, Len: int(s.length), Flags: s.flags}, err) || err != nil {
				return
			}
		}
	}
}

// records yields the slots from the one that holds from on. Where the sidecar has lost some it yields a
// *CorruptError and ends.
func (l *Log) records(h *handle, from int64) iter.Seq2[slot, error] {
	return func(yield func(slot, error) bool) {
		var buf []slot
		for at := max(from, 0); ; {
			var p page
			l.mu.RLock()
			size := l.size
			at = max(at, l.start)
			p, buf = l.index.find(at, buf)
			l.mu.RUnlock()
			if at >= size {
				return
			}
			if p.records > 0 {
				var err error
				if buf, err = p.read(h.index, buf); err != nil {
					yield(slot{}, l.wrap("read", err))
					return
				}
			}
			next := at
			for _, s := range buf {
				if s.end() <= next {
					continue
				}
				if s.offset > next {
					break
				}
				if !yield(s, nil) {
					return
				}
				next = s.end()
			}
			if next == at && at < l.Start() {
				continue // dropped meanwhile
			}
			if next == at {
				yield(slot{}, &CorruptError{ID: l.id, Offset: at, Reason: "its slot in the sidecar is lost"})
				return
			}
			at = next
		}
	}
}

// verify checks the records of which p, read at off, is a part; want is how much of it there should be. It returns
// how many bytes from the front of p are good.
func (l *Log) verify(h *handle, p []byte, want int, off int64) (int, error) {
	end := off + int64(want)
	good := 0
	for s, err := range l.records(h, off) {
		if err != nil {
			return good, err
		}
		sum, ok, err := s.sumIn(h.content, p, off)
		if err != nil {
			return good, l.wrap("read", err)
		}
		if !ok || sum != s.sum {
			return good, &CorruptError{ID: l.id, Offset: s.offset, Reason: "checksum does not match"}
		}
		good = int(min(s.end(), end) - off)
		if s.end() >= end {
			break
		}
	}
	return good, nil
}

// sumIn is the checksum of the content of a record, of which p, read at off, is a part; only the rest is read. It
// reports false when the file is too short.
func (s slot) sumIn(content io.ReaderAt, p []byte, off int64) (sum uint32, ok bool, err error) {
	from, to := max(s.offset, off), min(s.end(), off+int64(len(p)))
	if to <= from {
		return 0, false, nil
	}
	if sum, ok, err = sumFile(content, 0, s.offset, from); !ok {
		return sum, ok, err
	}
	sum = crc32.Update(sum, castagnoli, p[from-off:to-off])
	return sumFile(content, sum, to, s.end())
}

// scratch holds buffers for the parts of records that were not asked for.
var scratch = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// sumFile goes on with sum over the bytes of the file between from and to.
func sumFile(content io.ReaderAt, sum uint32, from, to int64) (uint32, bool, error) {
	if from == to {
		return sum, true, nil
	}
	buf := scratch.Get().(*[64 << 10]byte)
	defer scratch.Put(buf)
	for from < to {
		part := buf[:min(int64(len(buf)), to-from)]
		n, err := content.ReadAt(part, from)
		if n < len(part) {
			if err == io.EOF {
				err = nil
			}
			return sum, false, err
		}
		sum = crc32.Update(sum, castagnoli, part)
		from += int64(n)
	}
	return sum, true, nil
}
