package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// maxPendingBytes is how much of the sidecar may wait for a Sync before Append calls it.
const maxPendingBytes = 64 << 10

// Log is an append-only sequence of bytes with a header. One goroutine at a time appends; everything else may be
// called from any.
type Log struct {
	// Set once, before anybody else has the log.
	spool  *Spool
	id     string
	damage *CorruptError // what Recover found

	handle *handle // guarded by spool.files.mu

	writing  sync.Mutex // held by Append, Put and Seal
	dropping sync.Mutex // held by Drop and Forsake; taken before writing
	syncing  group

	mu       sync.RWMutex
	index    index   // guarded by mu
	start    int64   // guarded by mu; what is before was dropped
	size     int64   // guarded by mu; what was appended, and what of it was dropped
	durable  int64   // guarded by mu; what is synced
	pending  []byte  // guarded by mu; goes to the end of the sidecar with the next Sync
	slots    []int64 // guarded by mu; where in pending the slots of index.tail are
	end      int64   // guarded by mu; of the sidecar
	unsure   bool    // guarded by mu; the files or their names may not be durable, even with nothing pending
	sealing  bool    // guarded by mu; the seal is pending or written
	sealed   bool    // guarded by mu; and the content has its final name
	closed   error   // guarded by mu; fs.ErrClosed or fs.ErrNotExist
	failed   error   // guarded by mu; wraps ErrFailed
	headed   int64   // guarded by mu; where in the sidecar the header of the last Drop is
	drops    []drop  // guarded by mu; those whose slots are in pending, the furthest last
	fileName string  // guarded by mu; of the content
}

func newLog(s *Spool, id string) *Log {
	return &Log{spool: s, id: id, unsure: true, fileName: s.file(id, openExt)}
}

// create makes the files. The sidecar gets its name when the header is in it.
func (l *Log) create(header []byte) (err error) {
	name, temp := l.spool.file(l.id, indexExt), l.spool.file(l.id, indexExt+tempExt)
	if _, err := os.Lstat(name); err == nil {
		return fs.ErrExist
	}
	content, err := os.OpenFile(l.fileName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	index, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		head := appendHeader([]byte(magic), header, 0)
		l.end = int64(len(head))
		if _, err = index.WriteAt(head, 0); err == nil {
			err = os.Rename(temp, name)
		}
		if err != nil {
			index.Close()
			os.Remove(temp)
		}
	}
	if err != nil {
		content.Close()
		os.Remove(l.fileName)
		return err
	}
	l.spool.files.adopt(l, &handle{content: content, index: index})
	l.release()
	return nil
}

// ID returns the name of the log.
func (l *Log) ID() string { return l.id }

// Size is where the content ends: how many bytes were appended or, with Drop, left out.
func (l *Log) Size() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.size
}

// Start is where the content begins: what was before has been dropped.
func (l *Log) Start() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.start
}

// Durable is how many of the bytes are on the disk: what a Sync has covered.
func (l *Log) Durable() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.durable
}

// Sealed reports whether Seal has succeeded, in this process or before.
func (l *Log) Sealed() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.sealed
}

// Path is the name of the content file. Seal changes it, Remove ends it.
func (l *Log) Path() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.fileName
}

// File opens the content file for reading, for who hands it to the kernel as it is. Its bytes are not verified
// and those beyond Size are not of the log. The caller closes it.
func (l *Log) File() (*os.File, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed != nil {
		return nil, l.closed
	}
	return os.Open(l.fileName)
}

// Damage is what Recover found wrong with the log: the first part of the sidecar that is lost though good slots
// follow. Reading that part fails. It is nil for a sound log.
func (l *Log) Damage() error {
	if l.damage == nil {
		return nil
	}
	return l.damage
}

// Append adds p as one record, at most MaxRecordBytes; flags are kept with it. p is lent. It returns once p is in
// the file, and seldom waits for the disk. After ErrFull the log is as before and Append may be tried again; other
// errors are ErrSealed, ErrFailed, fs.ErrClosed and fs.ErrNotExist.
func (l *Log) Append(p []byte, flags byte) error {
	if len(p) == 0 {
		return nil
	}
	if len(p) > MaxRecordBytes {
		return fmt.Errorf("%w: record of %d bytes, limit %d", ErrTooLarge, len(p), MaxRecordBytes)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.crowded() {
		if err := l.Sync(); err != nil {
			return err
		}
	}
	h, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release()
	off, err := l.writable()
	if err != nil {
		return err
	}
	// Beyond size the file may hold part of a write that failed: this one goes over it.
	if _, err := h.content.WriteAt(p, off); err != nil {
		return l.wrap("append", writeError(err))
	}
	l.appended(slot{kind: kindChunk, flags: flags, length: uint32(len(p)), offset: off, sum: checksum(p)})
	return nil
}

// Put replaces the header, at most MaxHeaderBytes, lent. With durable it returns when the header, and all that was
// appended, is on the disk; without, the next Sync does it. A sealed log takes headers, too.
func (l *Log) Put(header []byte, durable bool) error {
	if err := l.put(header, false); err != nil || !durable {
		return err
	}
	return l.Sync()
}

// Seal ends the log: when it returns, header, content and the final name are on the disk. After an error nothing
// can be appended, and Seal may be tried again unless the error is ErrFailed.
func (l *Log) Seal(header []byte) error {
	if err := l.put(header, true); err != nil {
		return err
	}
	if err := l.Sync(); err != nil {
		return err
	}
	return l.finishSeal()
}

// Sync returns when all that was appended and put before the call is on the disk. Calls at the same time share one
// fsync. After ErrFull it may be tried again; any other failure is ErrFailed, from then on.
func (l *Log) Sync() error {
	if dirty, err := l.dirty(); !dirty || err != nil {
		return err
	}
	return l.syncing.do(l.commit)
}

// Remove deletes the log, for good when it returns. Who is reading may go on until it asks again: that is fs.ErrNotExist, as is everything
// else from then on.
func (l *Log) Remove() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if l.closed == nil {
		l.spool.size.Add(l.start - l.size)
	}
	l.closed = fmt.Errorf("spool: log %s: %w", l.id, fs.ErrNotExist)
	content := l.fileName
	l.mu.Unlock()

	l.spool.forget(l)
	// The sidecar goes first: content without one is removed by Recover.
	err := errors.Join(remove(l.spool.file(l.id, indexExt)), remove(content), l.spool.files.close(l), l.spool.syncDir())
	return l.wrap("remove", err)
}

// Close syncs the log and closes its files. The log stays in the directory for the next Recover.
func (l *Log) Close() error {
	err := l.Sync()
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if l.closed != nil {
		l.mu.Unlock()
		return nil
	}
	l.closed = fmt.Errorf("spool: log %s: %w", l.id, fs.ErrClosed)
	l.mu.Unlock()
	l.spool.forget(l)
	return errors.Join(err, l.spool.files.close(l))
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (l *Log) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("spool: %s %s: %w", what, l.id, err)
}
