package hook

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/relay"
)

// message is what is told of a stream, written down as a file whose name says all of it but the body.
type message struct {
	at     time.Time
	stream string
	event  relay.Event
}

const (
	bodyExt = ".json"
	tempExt = ".tmp"
)

// id names the message to who is told.
func (m message) id() string { return m.stream + "." + string(m.event) }

// name is that of the file; names are in the order in which messages were told.
func (m message) name() string { return fmt.Sprintf("%019d.%s%s", m.at.UnixNano(), m.id(), bodyExt) }

// parseName is the reverse of name.
func parseName(name string) (m message, ok bool) {
	rest, ok := strings.CutSuffix(name, bodyExt)
	if !ok {
		return m, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) != 3 {
		return m, false
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	return message{time.Unix(0, at), parts[1], relay.Event(parts[2])}, err == nil
}

// write makes the file. What it has is whole, whenever the process ends.
func (m message) write(dir string, body []byte) error {
	file := filepath.Join(dir, m.name())
	err := os.WriteFile(file+tempExt, body, 0o600)
	if err == nil {
		err = os.Rename(file+tempExt, file)
	}
	if err != nil {
		os.Remove(file + tempExt) // it would take room for nothing
	}
	return err
}

// read returns the body; fs.ErrNotExist if there is none, or not what was written.
func (m message) read(dir string) ([]byte, error) {
	body, err := os.ReadFile(filepath.Join(dir, m.name()))
	if err == nil && !json.Valid(body) {
		err = fmt.Errorf("%w: a crash of the machine has cut it off", fs.ErrNotExist)
	}
	return body, err
}

func (m message) remove(dir string) error { return os.Remove(filepath.Join(dir, m.name())) }

// readMessages returns the messages in dir, the oldest first, and removes what was being written when a process ended.
func readMessages(dir string) ([]message, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []message
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), tempExt) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
		if m, ok := parseName(e.Name()); ok {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b message) int { return a.at.Compare(b.at) })
	return all, nil
}
