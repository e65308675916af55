package spool

import (
	"container/list"
	"errors"
	"os"
	"sync"
)

// handle is the open files of one log.
type handle struct {
	content, index *os.File

	users int           // guarded by files.mu
	idle  *list.Element // guarded by files.mu; set while nobody uses it and it may be closed
}

func (h *handle) close() error { return errors.Join(h.content.Close(), h.index.Close()) }

// files bounds how many logs have their files open: those that nobody uses are closed, the longest idle first.
type files struct {
	mu   sync.Mutex
	open int       // guarded by mu
	idle list.List // guarded by mu; of *Log, the longest idle in front
}

// acquire returns the files of l, opened if need be. They stay open until release.
func (f *files) acquire(l *Log) (*handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.handle == nil {
		h, err := l.openFiles()
		if err != nil {
			return nil, err
		}
		l.handle = h
		f.open++
	}
	h := l.handle
	h.users++
	if h.idle != nil {
		f.idle.Remove(h.idle)
		h.idle = nil
	}
	return h, nil
}

// adopt gives l files that are open already, and acquires them.
func (f *files) adopt(l *Log, h *handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.users = 1
	l.handle = h
	f.open++
}

// release ends one use. The last user of a log that is closed closes its files.
func (f *files) release(l *Log, limit int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.handle.users--
	f.settle(l)
	for f.open > limit && f.idle.Len() > 0 {
		f.drop(f.idle.Front().Value.(*Log))
	}
}

// close closes the files of a log that is closed, unless somebody still reads: then that reader does.
func (f *files) close(l *Log) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.handle == nil || l.handle.users > 0 {
		return nil
	}
	return f.drop(l)
}

// settle decides what becomes of the files of l when a use has ended.
func (f *files) settle(l *Log) {
	h := l.handle
	if h.users > 0 || h.idle != nil {
		return
	}
	switch l.rest() {
	case restClosed:
		f.drop(l)
	case restIdle:
		h.idle = f.idle.PushBack(l)
	}
}

func (f *files) drop(l *Log) error {
	h := l.handle
	if h.idle != nil {
		f.idle.Remove(h.idle)
	}
	l.handle = nil
	f.open--
	return h.close()
}
