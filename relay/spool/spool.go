package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// DefaultMaxOpenLogs is how many logs keep their two files open when Spool.MaxOpenLogs is 0.
const DefaultMaxOpenLogs = 512

// Spool is a directory of logs. One process has it open at a time.
type Spool struct {
	// MaxOpenLogs bounds how many logs keep their two files open; 0 means DefaultMaxOpenLogs. The others open
	// them again when they need them. A log with content that is not synced yet keeps its files open whatever
	// the limit says, since only the descriptor it was written through is sure to report that writing failed.
	// Set it before the first log is made.
	MaxOpenLogs int

	// Set once, by Open.
	path string
	dir  *os.File // holds the lock on the directory, too
	log  *slog.Logger

	files   files
	dirSync group
	size    atomic.Int64

	mu     sync.Mutex
	logs   map[string]*Log // guarded by mu
	closed bool            // guarded by mu
}

// Open opens the spool in dir and makes the directory if there is none. Logs that are there already are given by
// Recover. A nil log means slog.Default(). It returns ErrLocked while another Spool has the directory.
func Open(dir string, log *slog.Logger) (*Spool, error) {
	if log == nil {
		log = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, fmt.Errorf("spool %s: %w", dir, err)
	}
	return &Spool{path: dir, dir: f, log: log, logs: make(map[string]*Log)}, nil
}

// Create begins a log. id names it and its files: 1 to 64 of [0-9A-Z]. header is opaque, at most MaxHeaderBytes,
// and lent. Like everything else the log is durable after its first Sync. It returns fs.ErrExist when there is
// such a log.
func (s *Spool) Create(id string, header []byte) (*Log, error) {
	if !validName(id) {
		return nil, fmt.Errorf("%w: %q", ErrName, id)
	}
	if len(header) > MaxHeaderBytes {
		return nil, fmt.Errorf("%w: header of %d bytes, limit %d", ErrTooLarge, len(header), MaxHeaderBytes)
	}
	l := newLog(s, id)
	if err := s.add(l); err != nil {
		return nil, err
	}
	if err := l.create(header); err != nil {
		s.forget(l)
		return nil, fmt.Errorf("spool: create %s: %w", id, writeError(err))
	}
	return l, nil
}

// Size is how many bytes of content all logs hold.
func (s *Spool) Size() int64 { return s.size.Load() }

// Close closes every log and gives the directory free. What was not synced is synced.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	logs := make([]*Log, 0, len(s.logs))
	for _, l := range s.logs {
		logs = append(logs, l)
	}
	s.mu.Unlock()

	var errs []error
	for _, l := range logs {
		errs = append(errs, l.Close())
	}
	return errors.Join(append(errs, s.dir.Close())...)
}

// add takes l in; there may be one log of a name, whether it has been recovered or not.
func (s *Spool) add(l *Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("spool: %w", fs.ErrClosed)
	}
	if _, ok := s.logs[l.id]; ok {
		return fmt.Errorf("spool: log %s: %w", l.id, fs.ErrExist)
	}
	s.logs[l.id] = l
	return nil
}

func (s *Spool) forget(l *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logs, l.id)
}

// syncDir makes durable what was created, renamed and removed before the call.
func (s *Spool) syncDir() error { return s.dirSync.do(s.dir.Sync) }

// The names of a log's files.
const (
	openExt  = ".open"
	dataExt  = ".data"
	indexExt = ".index"
	tempExt  = ".tmp"
)

func (s *Spool) file(id, ext string) string { return filepath.Join(s.path, id+ext) }

func validName(id string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return len(id) >= 1 && len(id) <= 64 && strings.TrimLeft(id, alphabet) == ""
}
