package s3

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"
)

// maxRecordLines is how long the record grows before it is shortened to what is not over.
const maxRecordLines = 10_000

// uploads knows which multipart uploads are not over, and writes it down for the next process.
type uploads struct {
	mu    sync.Mutex
	path  string
	file  *os.File // nil: nothing is written down
	lines int      // in file
	torn  bool     // the last of them may be there in part
	log   *slog.Logger
	open  map[string]begun // by id, those being written
	left  map[string]begun // those given up, which the server may still have
}

// begun is a multipart upload.
type begun struct {
	name   string // of the object, in the bucket
	commit string // that it is for
}

// recordLine says that an upload was begun or, with Done, that the server has it no more.
type recordLine struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Commit string `json:"commit,omitempty"`
	Done   bool   `json:"done,omitempty"`
}

// openUploads reads what an earlier process has left in the record.
func openUploads(record string, log *slog.Logger) (*uploads, error) {
	u := &uploads{path: record, log: log, open: make(map[string]begun), left: make(map[string]begun)}
	if record == "" {
		return u, nil
	}
	text, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	u.left = parseRecord(text)
	u.file, err = os.OpenFile(record, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := u.shorten(); err != nil {
		log.Warn("the record of uploads", "err", err) // a full disk keeps nobody from starting
	}
	return u, nil
}

// parseRecord returns the uploads that were begun and are not over. A line that a crash has cut off is none.
func parseRecord(text []byte) map[string]begun {
	left := make(map[string]begun)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line recordLine
		switch err := json.Unmarshal(lines.Bytes(), &line); {
		case err != nil || line.ID == "":
		case line.Done:
			delete(left, line.ID)
		case line.Name != "":
			left[line.ID] = begun{line.Name, line.Commit}
		}
	}
	return left
}

func (u *uploads) add(b begun, id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open[id] = b
	u.note(b.line(id))
}

// claim takes an upload of an object that was given up; "" if there is none. One that is known by a mark may be in no record.
func (u *uploads) claim(name string, m mark) (id, commit string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, busy := u.open[m.ID]; m.ID != "" && !busy {
		delete(u.left, m.ID)
		u.open[m.ID] = begun{name, m.Commit}
		return m.ID, m.Commit
	}
	for id, b := range u.left {
		if b.name == name && b.commit != "" {
			delete(u.left, id)
			u.open[id] = b
			return id, b.commit
		}
	}
	return "", ""
}

func (b begun) line(id string) recordLine { return recordLine{ID: id, Name: b.name, Commit: b.commit} }

// leave gives up an upload that the server may still have.
func (u *uploads) leave(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if b, ok := u.open[id]; ok {
		delete(u.open, id)
		u.left[id] = b
	}
}

// suspect is leave for an upload that the server says it has no more.
func (u *uploads) suspect(name, id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	b := begun{name: name} // nobody goes on with it
	u.left[id] = b
	u.note(b.line(id))
}

// remove is called when the server has the upload no more.
func (u *uploads) remove(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, id)
	delete(u.left, id)
	u.note(recordLine{ID: id, Done: true})
}

// abandoned returns the uploads that were given up.
func (u *uploads) abandoned() map[string]begun {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.left)
}

func (u *uploads) isOpen(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, ok := u.open[id]
	return ok
}

// note writes a line. What cannot be written down, listing finds: nothing fails for it.
func (u *uploads) note(line recordLine) {
	if err := u.write(line); err != nil {
		u.log.Warn("the record of uploads", "upload", line.ID, "err", err)
	}
}

// write appends a line. It needs no sync: what a crash of the machine takes from the record, listing finds.
func (u *uploads) write(line recordLine) error {
	if u.file == nil {
		return nil
	}
	if u.lines >= maxRecordLines+len(u.open)+len(u.left) {
		return u.shorten()
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if u.torn {
		text = append([]byte("\n"), text...)
	}
	u.lines++
	_, err = u.file.Write(append(text, '\n'))
	u.torn = err != nil
	return err
}

// shorten writes the record anew.
func (u *uploads) shorten() error {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, uploads := range []map[string]begun{u.left, u.open} {
		for id, b := range uploads {
			if err := lines.Encode(b.line(id)); err != nil {
				return err
			}
		}
	}
	temp := u.path + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text.Bytes()); err == nil {
		err = os.Rename(temp, u.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(temp))
	}
	u.file.Close() // nobody reads it any more
	u.file, u.lines, u.torn = f, len(u.left)+len(u.open), false
	return nil
}

func (u *uploads) close() error {
	if u.file == nil {
		return nil
	}
	return u.file.Close()
}
