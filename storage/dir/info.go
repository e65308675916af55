package dir

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"sluice/storage"
)

// record is what a .commit and an .info file hold: all that Commit promised of an object.
type record struct {
	Key     string            `json:"key"`
	Size    int64             `json:"size"`
	Type    string            `json:"type"`
	Meta    map[string]string `json:"meta,omitempty"`
	ModTime time.Time         `json:"modTime"`
	ETag    string            `json:"etag"`
}

// infoName returns the name of the file that describes key. No key has a segment that begins with a dot, so it is
// never in the way of another.
func infoName(key string) string {
	folder, name := path.Split(key)
	return folder + "." + name + ".info"
}

// readInfo returns what was committed under key; the caller holds mu.
func (s *Store) readInfo(key string) (storage.Info, error) {
	text, err := s.root.ReadFile(infoName(key))
	if err != nil {
		return storage.Info{}, missing(key, err)
	}
	info, err := parseRecord(text)
	if err == nil && info.Key != key {
		err = fmt.Errorf("it describes %q", info.Key)
	}
	if err != nil {
		return storage.Info{}, fmt.Errorf("%s: %w: %w", infoName(key), storage.ErrCorrupt, err)
	}
	return info, nil
}

// parseRecord refuses all but a whole record with a fit key: what a crash leaves of one is cut off somewhere.
func parseRecord(text []byte) (storage.Info, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return storage.Info{}, err
	}
	if r.Size < 0 || r.ETag == "" {
		return storage.Info{}, errors.New("not a record of an object")
	}
	return storage.Info(r), storage.CheckKey(r.Key)
}

func appendRecord(info storage.Info) ([]byte, error) {
	text, err := json.Marshal(record(info))
	return append(text, '\n'), err
}
