package spool

import (
	"errors"
	"fmt"
	"os"
)

// acquire returns the files of the log until release.
func (l *Log) acquire() (*handle, error) {
	l.mu.RLock()
	closed := l.closed
	l.mu.RUnlock()
	if closed != nil {
		return nil, closed
	}
	return l.spool.files.acquire(l)
}

func (l *Log) release() {
	limit := l.spool.MaxOpenLogs
	if limit <= 0 {
		limit = DefaultMaxOpenLogs
	}
	l.spool.files.release(l, limit)
}

// openFiles opens what was closed while the log was idle. files.mu is held.
func (l *Log) openFiles() (*handle, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed != nil {
		return nil, l.closed
	}
	mode := os.O_RDWR
	if l.sealed {
		mode = os.O_RDONLY
	}
	content, err := os.OpenFile(l.fileName, mode, 0)
	if err != nil {
		return nil, writeError(err)
	}
	index, err := os.OpenFile(l.spool.file(l.id, indexExt), os.O_RDWR, 0)
	if err != nil {
		content.Close()
		return nil, writeError(err)
	}
	return &handle{content: content, index: index}, nil
}

// What may be done with files that nobody uses.
type rest int

const (
	restBusy   rest = iota // there is something to sync through them
	restIdle               // they may be closed and opened again
	restClosed             // they are to be closed
)

// rest is asked with files.mu held, which comes before mu.
func (l *Log) rest() rest {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.closed != nil:
		return restClosed
	case len(l.pending) > 0 && l.failed == nil:
		return restBusy
	}
	return restIdle
}

// crowded reports whether the sidecar waits for too much.
func (l *Log) crowded() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.pending) >= maxPendingBytes
}

// writable returns where the next record goes.
func (l *Log) writable() (int64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.failed != nil:
		return 0, l.failed
	case l.closed != nil:
		return 0, l.closed
	case l.sealing:
		return 0, l.wrap("append", ErrSealed)
	}
	return l.size, nil
}

func (l *Log) appended(s slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slots = append(l.slots, int64(len(l.pending)))
	l.pending = s.append(l.pending)
	l.index.tail = append(l.index.tail, s)
	l.size = s.end()
	l.spool.size.Add(int64(s.length))
}

// put queues a header, and with seal the slot that ends the log, if it is not there yet.
func (l *Log) put(header []byte, seal bool) error {
	return l.note(header, func() error {
		l.pending = appendHeader(l.pending, header, l.size)
		if seal && !l.sealing {
			l.pending = slot{kind: kindSeal, offset: l.size}.append(l.pending)
			l.sealing = true
		}
		return nil
	})
}

// note calls f, which queues slots, with mu held, if header is fit and the log can be written.
func (l *Log) note(header []byte, f func() error) error {
	if len(header) > MaxHeaderBytes {
		return fmt.Errorf("%w: header of %d bytes, limit %d", ErrTooLarge, len(header), MaxHeaderBytes)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.failed != nil:
		return l.failed
	case l.closed != nil:
		return l.closed
	}
	return f()
}

func (l *Log) dirty() (bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.failed != nil {
		return true, l.failed
	}
	if l.closed != nil {
		return true, l.closed
	}
	return len(l.pending) > 0 || l.unsure, nil
}

// commit is one run of Sync: content first, then the slots that speak of it, then the names.
func (l *Log) commit() error {
	if dirty, err := l.dirty(); !dirty || err != nil {
		return err
	}
	h, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release()

	l.mu.RLock()
	// What is appended meanwhile goes behind pending and does not touch it.
	pending, slots, end, size, unsure := l.pending, len(l.slots), l.end, l.size, l.unsure
	l.mu.RUnlock()

	if err := h.content.Sync(); err != nil {
		return l.fail(err)
	}
	if _, err := h.index.WriteAt(pending, end); err != nil {
		return l.wrap("sync", writeError(err))
	}
	if err := h.index.Sync(); err != nil {
		return l.fail(err)
	}
	if unsure {
		if err := l.spool.syncDir(); err != nil {
			return l.fail(err)
		}
	}
	l.committed(len(pending), slots, size)
	return nil
}

// committed notes that the first bytes of pending, with their slots, are on the disk, as is the content up to size.
func (l *Log) committed(bytes, slots int, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.slots {
		if i < slots {
			l.slots[i] += l.end
		} else {
			l.slots[i] -= int64(bytes)
		}
	}
	l.index.written(l.slots[:slots])
	l.slots = l.slots[:copy(l.slots, l.slots[slots:])]
	l.pending = l.pending[:copy(l.pending, l.pending[bytes:])]
	l.end += int64(bytes)
	l.durable = size
	l.unsure = false
	for len(l.drops) > 0 && l.drops[0].pos < l.end {
		if l.drops[0].to > l.start {
			l.dropped(l.drops[0])
		}
		l.drops = l.drops[1:]
	}
}

// fail makes the error stay: an fsync that is tried again after a failure may succeed though the data is lost.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %s: %w", ErrFailed, l.id, err)
		l.spool.log.Error("spool: log failed", "log", l.id, "error", err)
	}
	return l.failed
}

// finishSeal cuts off what a failed write has left behind the content, and gives that its final name.
func (l *Log) finishSeal() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.trimTail(); err != nil {
		return err
	}
	if err := l.rename(); err != nil {
		return err
	}
	if err := l.spool.syncDir(); err != nil {
		return l.fail(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealed = true
	return nil
}

func (l *Log) trimTail() error {
	if l.Sealed() {
		return nil // and what is open may be for reading only
	}
	h, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release()
	info, err := h.content.Stat()
	if size := l.Size(); err == nil && info.Size() > size {
		err = errors.Join(h.content.Truncate(size), h.content.Sync())
	}
	return l.wrap("seal", err)
}

// rename is done with mu held, so that nobody opens the content by a name it has no more.
func (l *Log) rename() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return l.closed
	}
	name := l.spool.file(l.id, dataExt)
	if l.fileName == name {
		return nil
	}
	if err := os.Rename(l.fileName, name); err != nil {
		return l.wrap("seal", writeError(err))
	}
	l.fileName = name
	return nil
}
