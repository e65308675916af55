package spool

import (
	"errors"
	"os"
)

// Drop gives up the content before to, for which there is room on the disk again, and puts header in place of the last one, as Put
// does; where that much was given up before, it only syncs. When it returns that is durable, as is all that was appended. With to
// beyond the end everything is given up, and the next record begins there. After ErrFull the content is still there, up to the next
// Sync that finds room. Other errors are those of Append. A file system that knows no holes keeps the content until Remove.
func (l *Log) Drop(to int64, header []byte) error { return l.giveUp(to, header, false) }

// Forsake is Drop for content that need not survive a crash. Where the disk is too full to note what is given up, and that is everything,
// there is room again all the same; a crash before the next Sync leaves a damaged log.
func (l *Log) Forsake(to int64, header []byte) error { return l.giveUp(to, header, true) }

func (l *Log) giveUp(to int64, header []byte, forsake bool) error {
	l.dropping.Lock()
	defer l.dropping.Unlock()
	if err := l.drop(to, header, forsake); err != nil {
		return err
	}
	if err := l.Sync(); forsake && errors.Is(err, ErrFull) {
		return errors.Join(err, l.empty())
	} else if err != nil {
		return err
	}
	return errors.Join(l.empty(), l.free())
}

// drop is a drop whose slots wait for a Sync, and where in the sidecar the first of them goes.
type drop struct{ to, pos int64 }

// drop notes what is given up: at once what was never there or is forsaken, anything else when that is durable.
func (l *Log) drop(to int64, header []byte, forsake bool) error {
	return l.note(header, func() error {
		if l.sealing {
			return l.wrap("drop", ErrSealed)
		}
		if n := len(l.drops); to <= l.start || n > 0 && to <= l.drops[n-1].to {
			return nil
		}
		d := drop{to, l.end + int64(len(l.pending))}
		l.pending = appendHeader(l.pending, header, l.size)
		l.pending = slot{kind: kindDrop, offset: to}.append(l.pending)
		if forsake || to > l.size {
			l.dropped(d)
		} else {
			l.drops = append(l.drops, d)
		}
		return nil
	})
}

// dropped has the log begin later. The caller holds mu.
func (l *Log) dropped(d drop) {
	before := l.size - l.start
	l.start, l.size, l.headed = d.to, max(d.to, l.size), d.pos
	l.spool.size.Add(l.size - l.start - before)
	l.index.drop(d.to)
}

// empty frees all of the content if all of it was dropped. That is good on every file system.
func (l *Log) empty() error {
	return l.change(func(h *handle, start, size, _ int64) error {
		if start < size {
			return nil
		}
		return errors.Join(h.content.Truncate(0), h.content.Truncate(start))
	})
}

// free makes holes of what was dropped of the content, and of the slots that spoke of it.
func (l *Log) free() error {
	return l.change(func(h *handle, start, _, slots int64) error {
		for s, err := range l.records(h, start) {
			if err == nil {
				start = min(start, s.offset) // a record is verified as a whole
			}
			break
		}
		return errors.Join(punch(h.content, 0, start), punch(h.index, int64(len(magic)), slots))
	})
}

// change calls f with the files while nobody appends. What is before start in the content, and before slots in the sidecar, is dropped.
func (l *Log) change(f func(h *handle, start, size, slots int64) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	h, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release()
	l.mu.RLock()
	start, size, slots, sealed := l.start, l.size, l.headed, l.sealing
	if len(l.index.pages) > 0 {
		slots = min(slots, l.index.pages[0].pos)
	}
	l.mu.RUnlock()
	if sealed {
		return nil // meanwhile, and its files may not be open for writing
	}
	return l.wrap("drop", f(h, start, size, slots))
}

// punch makes a hole of the bytes between from and to. Where there can be none it does nothing.
func punch(f *os.File, from, to int64) error {
	if to <= from {
		return nil
	}
	if err := makeHole(f, from, to-from); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
