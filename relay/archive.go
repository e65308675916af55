package relay

import (
	"context"
	"io"
)

// Archive keeps streams for good. relay/archive is the one that writes to a Store; nil keeps nothing.
type Archive interface {
	// KeepFrom is how many bytes of a stream there must be before it pays to begin with it while it is open.
	KeepFrom() int64
	// Keep begins or goes on to archive st and returns at once. It is called when as much is there of an open stream as KeepFrom said,
	// or st.KeepAt, and when the stream is over, well or not. When the whole is archived it calls st.Archived.
	Keep(st *Stream)
	// Find returns what is known of an archived stream; fs.ErrNotExist if there is none.
	Find(ctx context.Context, id string) (Info, error)
	// List returns archived streams of a room, newest first, at most limit, those older than before if it is not "".
	List(ctx context.Context, room, before string, limit int) ([]Info, error)
	// Open reads the content from offset; length -1 is to the end.
	Open(ctx context.Context, info Info, offset, length int64) (io.ReadCloser, error)
	// Delete removes content and manifest; of what is not there: nil.
	Delete(ctx context.Context, info Info) error
}
