package relay

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// finished is an upload that is archived and no longer in memory: who publishes it again is shown it.
type finished struct {
	Key   string    `json:"key"` // hashed
	Info  Info      `json:"info"`
	Until time.Time `json:"until"`
}

// finishedFile is where the next run finds them, in the spool's folder: a line each. A crash of the server takes nothing from it, one of
// the machine perhaps the last lines: then such an upload, if it is published again, begins anew.
const finishedFile = "finished.jsonl"

// finishedLines is how long the file grows before it is written anew, beside what is in memory.
const finishedLines = 10_000

// maxFinishedLine is how long a line may be.
const maxFinishedLine = 1 << 20

// finishedUploads is the file.
type finishedUploads struct {
	mu    sync.Mutex
	path  string
	file  *os.File // guarded by mu, as is all below
	lines int
	torn  bool // the last line may be there in part
}

// openFinished reads what an earlier run has left.
func (h *Hub) openFinished(dir string) error {
	u := &h.uploads
	u.path = filepath.Join(dir, finishedFile)
	f, err := os.Open(u.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	now := time.Now()
	if err == nil {
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Buffer(nil, maxFinishedLine); lines.Scan(); {
			var line finished
			if json.Unmarshal(lines.Bytes(), &line) != nil {
				continue // a crash or a full disk has cut it off
			}
			delete(h.finished, line.Key)
			if line.Until.After(now) && len(h.finished) < h.maxStreams() {
				h.finished[line.Key] = line
			}
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := h.rewriteFinished(); err != nil {
		h.log().Warn("finished uploads will not be known to the next run", "err", err) // a full disk keeps nobody from starting
	}
	return nil
}

// rewriteFinished writes the file anew. The caller holds uploads.mu.
func (h *Hub) rewriteFinished() error {
	u := &h.uploads
	h.mu.Lock()
	all := maps.Clone(h.finished)
	h.mu.Unlock()
	f, err := os.Create(u.path + ".tmp")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	for _, line := range all {
		err = errors.Join(err, lines.Encode(line))
	}
	if err = errors.Join(err, w.Flush(), os.Rename(u.path+".tmp", u.path)); err != nil {
		return errors.Join(err, f.Close())
	}
	if u.file != nil {
		u.file.Close() // all of it is in the new one
	}
	u.file, u.lines, u.torn = f, len(all), false
	return nil
}

// writeFinished has the next run know f, too.
func (h *Hub) writeFinished(f finished) {
	u := &h.uploads
	u.mu.Lock()
	defer u.mu.Unlock()
	text, err := json.Marshal(f)
	switch {
	case err != nil, u.file == nil:
	case u.lines >= finishedLines+2*h.maxStreams():
		err = h.rewriteFinished()
	default:
		u.lines++
		if u.torn {
			text = append([]byte("\n"), text...)
		}
		_, err = u.file.Write(append(text, '\n'))
		u.torn = err != nil
	}
	if err != nil {
		h.log().Warn("finished uploads", "stream", f.Info.ID, "err", err)
	}
}

func (u *finishedUploads) close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	file := u.file
	u.file = nil
	if file == nil {
		return nil
	}
	return file.Close()
}

// remember keeps what an archived upload with a key was for the resume window.
func (h *Hub) remember(st *Stream) (f finished, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	info := st.Info() // with mu held: who deletes it comes to disremember afterwards
	if st.key == "" || info.State != Archived {
		return f, false
	}
	now := time.Now()
	if len(h.finished) >= h.maxStreams() {
		maps.DeleteFunc(h.finished, func(_ string, f finished) bool { return f.Until.Before(now) })
	}
	if len(h.finished) >= h.maxStreams() {
		return f, false
	}
	f = finished{st.key, info, now.Add(h.resumeWindow())}
	h.finished[st.key] = f
	return f, true
}

// disremember forgets what a deleted upload was.
func (h *Hub) disremember(id string) {
	var gone []finished
	h.mu.Lock()
	maps.DeleteFunc(h.finished, func(_ string, f finished) bool {
		if f.Info.ID == id {
			gone = append(gone, f)
		}
		return f.Info.ID == id
	})
	h.mu.Unlock()
	for _, f := range gone {
		f.Until = time.Time{} // what is over is forgotten
		h.writeFinished(f)
	}
}
