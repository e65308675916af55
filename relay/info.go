package relay

import (
	"encoding/json"
	"time"
)

// Kind says whether a stream will have an end.
type Kind string

const (
	File Kind = "file" // every reader gets every byte
	Live Kind = "live" // a reader that falls behind jumps ahead
)

// State is where a stream is in its life. Open is left for each of the others but Archived; Ended is left for Archived; both are
// left for Cancelled when the stream is deleted.
type State string

const (
	Open      State = "open"
	Ended     State = "ended"     // complete and durable in the spool
	Archived  State = "archived"  // complete and durable in the store
	Cancelled State = "cancelled" // given up by its publisher, or deleted
	Failed    State = "failed"    // cut off, or not what was promised
)

// Info describes a stream to the outside; its JSON is what clients are shown and what a manifest holds.
type Info struct {
	ID      string          `json:"id"` // a ULID; its time is the stream's beginning
	Room    string          `json:"room"`
	From    string          `json:"from"` // who published it: a socket id, "http", ...
	Name    string          `json:"name"`
	Type    string          `json:"type,omitempty"` // by content; empty until known
	Kind    Kind            `json:"kind"`
	Size    *int64          `json:"size,omitempty"` // bytes; nil until known
	Offset  int64           `json:"offset"`         // bytes received so far
	State   State           `json:"state"`
	SHA256  string          `json:"sha256,omitempty"` // lower-case hex of the whole content, once ended
	URL     string          `json:"url"`              // a path on the same server
	Created time.Time       `json:"created"`
	Meta    json.RawMessage `json:"meta,omitempty"` // the publisher's own JSON, passed on as it came
}

// Over reports whether no byte will follow.
func (i Info) Over() bool { return i.State != Open }

// Whole reports whether the content came to its end.
func (i Info) Whole() bool { return i.State == Ended || i.State == Archived }

// cut reports whether the content will never come to its end.
func (i Info) cut() bool { return i.Over() && !i.Whole() }
