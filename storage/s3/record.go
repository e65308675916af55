package s3

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"sync"
)

// maxRecordLines is how long the record grows before it is shortened to what is not over.
const maxRecordLines = 10_000

// uploads knows which multipart uploads are not over, and writes it down for the next process.
type uploads struct {
	mu    sync.Mutex
	file  *os.File          // nil: nothing is written down
	lines int               // in file
	open  map[string]string // id to object name, of those being written
	left  map[string]string // of those given up, which the server may still have
}

// recordLine says that an upload was begun or, with Done, that the server has it no more.
type recordLine struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // of the object, in the bucket
	Done bool   `json:"done,omitempty"`
}

// openUploads reads what an earlier process has left in the record.
func openUploads(record string) (*uploads, error) {
	u := &uploads{open: make(map[string]string), left: make(map[string]string)}
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
	return u, u.shorten()
}

// parseRecord returns the uploads that were begun and are not over. A line that a crash has cut off is none.
func parseRecord(text []byte) map[string]string {
	left := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line recordLine
		switch err := json.Unmarshal(lines.Bytes(), &line); {
		case err != nil || line.ID == "":
		case line.Done:
			delete(left, line.ID)
		case line.Name != "":
			left[line.ID] = line.Name
		}
	}
	return left
}

func (u *uploads) add(name, id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open[id] = name
	return u.write(recordLine{ID: id, Name: name})
}

// leave gives up an upload that the server may still have.
func (u *uploads) leave(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if name, ok := u.open[id]; ok {
		delete(u.open, id)
		u.left[id] = name
	}
}

// suspect is leave for an upload that the server says it has no more.
func (u *uploads) suspect(name, id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.left[id] = name
	return u.write(recordLine{ID: id, Name: name})
}

// remove is called when the server has the upload no more.
func (u *uploads) remove(id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, id)
	delete(u.left, id)
	return u.write(recordLine{ID: id, Done: true})
}

// abandoned returns the uploads that were given up.
func (u *uploads) abandoned() map[string]string {
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
	u.lines++
	_, err = u.file.Write(append(text, '\n'))
	return err
}

// shorten writes the record anew.
func (u *uploads) shorten() error {
	if err := u.file.Truncate(0); err != nil {
		return err
	}
	u.lines = 0
	for _, uploads := range []map[string]string{u.left, u.open} {
		for id, name := range uploads {
			if err := u.write(recordLine{ID: id, Name: name}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *uploads) close() error {
	if u.file == nil {
		return nil
	}
	return u.file.Close()
}
