package relay

import "context"

// Action is what somebody asks to do.
type Action string

const (
	Join      Action = "join"
	Publish   Action = "publish"
	Subscribe Action = "subscribe"
	List      Action = "list"
	Delete    Action = "delete"
)

// Identity is who asks. The zero Identity is a stranger.
type Identity struct {
	ID      string // of the connection: a socket id, or the door's name
	Subject string // of the token; names a person or program across connections
	Name    string // of the token; shown to others, wins over a claimed name
	Token   any    // what Hub.Identify made of the token; nil without
}

// is reports whether the two are the same publisher.
func (i Identity) is(o Identity) bool {
	return i.Subject != "" && i.Subject == o.Subject || i.ID != "" && i.ID == o.ID
}

// Request is one thing that somebody asks to do.
type Request struct {
	Action   Action
	Room     string
	Stream   *Info // of Subscribe and Delete; nil otherwise
	Identity Identity
	Own      bool // Stream was published by Identity
}

// authorize asks the hook; without one all is open.
func (h *Hub) authorize(ctx context.Context, r Request) error {
	if h.Authorize == nil {
		return nil
	}
	return h.Authorize(ctx, r)
}
