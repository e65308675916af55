package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// damagedDir is where logs go that cannot be read at all.
const damagedDir = "damaged"

// Recover gives every log of the directory to fn, in the order of their names, with its newest header, which fn may
// keep. Call it once, before the first Create. Of each log that is not sealed the torn tail is cut; what remains was
// written before the crash, and is known to be durable after the first Sync. Half-made files are removed. An
// error of fn ends Recover.
func (s *Spool) Recover(fn func(l *Log, header []byte) error) error {
	found, err := s.scan()
	if err != nil {
		return fmt.Errorf("spool: recover: %w", err)
	}
	for _, f := range found {
		l, header, err := s.recoverLog(f)
		if err != nil {
			return fmt.Errorf("spool: recover %s: %w", f.id, err)
		}
		if l == nil {
			continue
		}
		if err := s.add(l); err != nil {
			return err
		}
		if err := fn(l, header); err != nil {
			return fmt.Errorf("spool: recover %s: %w", f.id, err)
		}
	}
	return nil
}

// found is the files of one log.
type found struct {
	id                string
	index, open, data bool
}

// scan lists the logs and removes what is half made.
func (s *Spool) scan() ([]found, error) {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]found)
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, tempExt) {
			if err := remove(filepath.Join(s.path, name)); err != nil {
				return nil, err
			}
			continue
		}
		ext := filepath.Ext(name)
		id := strings.TrimSuffix(name, ext)
		if !validName(id) || !e.Type().IsRegular() {
			continue
		}
		f := byID[id]
		f.id = id
		switch ext {
		case indexExt:
			f.index = true
		case openExt:
			f.open = true
		case dataExt:
			f.data = true
		default:
			continue
		}
		byID[id] = f
	}
	all := make([]found, 0, len(byID))
	for _, f := range byID {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.id, b.id) })
	return all, nil
}

// recoverLog brings the files of one log in order. It returns nil for what was never acknowledged, and for what is
// beyond reading.
func (s *Spool) recoverLog(f found) (*Log, []byte, error) {
	if !f.index {
		// Never synced, or Remove did not come to its end.
		return nil, nil, s.discard(f)
	}
	side, err := s.readSidecar(f.id)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case side.header == nil && side.slots == 0 && !f.data:
		return nil, nil, s.discard(f) // a crash came before the first Sync
	case side.size == 0 && !f.open && !f.data && !side.sealed:
		return nil, nil, s.discard(f)
	case side.header == nil, !f.open && !f.data:
		return nil, nil, s.setAside(f)
	}
	l := newLog(s, f.id)
	l.index, l.start, l.size, l.end, l.headed = side.index, side.start, side.size, side.end, side.end
	l.sealing, l.damage = side.sealed || f.data, side.damage
	if f.data {
		l.fileName = s.file(f.id, dataExt)
		l.sealed, l.unsure = true, false
	}
	if err := l.mend(side); err != nil {
		return nil, nil, err
	}
	if l.sealed {
		l.durable = l.size
	}
	if l.damage != nil {
		l.damage.ID = f.id
		s.log.Error("spool: log is damaged", "log", f.id, "error", l.damage)
	}
	s.size.Add(l.size - l.start)
	return l, side.header, nil
}

func (s *Spool) readSidecar(id string) (*sidecar, error) {
	f, err := os.Open(s.file(id, indexExt))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	side, err := parseSidecar(bufio.NewReaderSize(f, int(min(info.Size(), 64<<10))))
	if err == nil {
		side.torn = info.Size() > side.end
	}
	return side, err
}

// mend makes content and sidecar agree, as far as they can.
func (l *Log) mend(side *sidecar) error {
	info, err := os.Stat(l.fileName)
	if err != nil {
		return err
	}
	content := info.Size()
	if content < l.start { // a crash came before the hole was made in it
		if err := os.Truncate(l.fileName, l.start); err != nil {
			return err
		}
		content = l.start
	}
	if l.sealed && !side.sealed {
		// Slots at the end are lost: how much there was only the file knows.
		l.size = max(l.size, content)
		l.damaged(side.size, "the end of the sidecar is lost")
	}
	switch {
	case content > l.size:
		err = os.Truncate(l.fileName, l.size)
	case content < l.size && l.sealing:
		l.damaged(content, "the content is cut short")
	case content < l.size:
		return l.cut(content, side.header)
	}
	if err == nil && side.torn {
		err = os.Truncate(l.spool.file(l.id, indexExt), l.end)
	}
	if err != nil || l.sealed || !side.sealed {
		return err
	}
	// The seal was written: only the name is missing.
	if err := l.Sync(); err != nil {
		return err
	}
	return l.finishSeal()
}

// damaged notes the first damage.
func (l *Log) damaged(off int64, reason string) {
	if l.damage == nil {
		l.damage = &CorruptError{Offset: off, Reason: reason}
	}
}

// cut drops the records that end beyond the content, by a new sidecar. It should never have to: slots follow
// their content.
func (l *Log) cut(content int64, header []byte) error {
	l.spool.log.Error("spool: content is shorter than its sidecar says",
		"log", l.id, "content", content, "sidecar", l.size)
	name := l.spool.file(l.id, indexExt)
	old, err := os.Open(name)
	if err != nil {
		return err
	}
	defer old.Close()
	temp, err := os.OpenFile(name+tempExt, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer temp.Close()

	w := bufio.NewWriter(temp)
	head := appendHeader([]byte(magic), header, l.start)
	if l.start > 0 {
		head = slot{kind: kindDrop, offset: l.start}.append(head)
	}
	w.Write(head) // an error stays until Flush
	pages := l.index.pages
	l.index, l.size, l.end, l.headed = index{}, l.start, int64(len(head)), 0
	for _, p := range pages {
		slots, err := p.read(old, nil)
		if err != nil {
			return err
		}
		for _, s := range slots {
			if s.end() > content {
				break
			}
			if s.end() <= l.start {
				continue
			}
			w.Write(s.append(nil))
			l.index.add(s, l.end)
			l.size = s.end()
			l.end += slotBytes
		}
	}
	if err := errors.Join(w.Flush(), temp.Sync(), os.Rename(name+tempExt, name)); err != nil {
		return err
	}
	return os.Truncate(l.fileName, l.size)
}

// discard removes what is left of a log that nobody was ever told of.
func (s *Spool) discard(f found) error {
	for _, ext := range []string{indexExt, openExt, dataExt} {
		if err := remove(s.file(f.id, ext)); err != nil {
			return err
		}
	}
	return nil
}

// setAside moves a log out of the way whose header is lost: somebody may still make sense of it.
func (s *Spool) setAside(f found) error {
	s.log.Error("spool: log is beyond reading, moved aside", "log", f.id, "to", filepath.Join(s.path, damagedDir))
	if err := os.MkdirAll(filepath.Join(s.path, damagedDir), 0o700); err != nil {
		return err
	}
	for _, ext := range []string{indexExt, openExt, dataExt} {
		err := os.Rename(s.file(f.id, ext), filepath.Join(s.path, damagedDir, f.id+ext))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
