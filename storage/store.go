package storage

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

var (
	// ErrCorrupt says that what a store holds is not what was given to it: another size, another checksum.
	ErrCorrupt = errors.New("stored object is corrupt")

	// ErrTooLarge says that the store can hold no object of that size.
	ErrTooLarge = errors.New("too large for the store")
)

// Store keeps objects by key. Its methods may be called from any goroutine. A key or options that break the rules are
// refused with a *KeyError or an *OptionsError; a key that holds nothing is fs.ErrNotExist.
type Store interface {
	// Create begins an object. Nothing of it can be seen before Commit, which replaces whatever the key held. The
	// object belongs to ctx: when that ends, writing fails and nothing becomes visible.
	Create(ctx context.Context, key string, o Options) (Writer, error)

	// Open reads length bytes from offset, or all from offset if length is negative. A range that reaches beyond the
	// end is cut there; one that begins beyond the end is a *RangeError. The Info describes the whole object. The
	// reader belongs to ctx and must be closed.
	Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error)

	// Stat describes an object.
	Stat(ctx context.Context, key string) (Info, error)

	// List calls fn for every key that begins with prefix and sorts after the key after, in the order of their bytes.
	// All but the Key of its Infos may be missing. An error of fn ends the list and is returned. Objects committed or
	// deleted meanwhile may or may not be seen.
	List(ctx context.Context, prefix, after string, fn func(Info) error) error

	// Delete removes an object. Removing what is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Writer is an object that is being written. It belongs to one goroutine.
type Writer interface {
	// Write may keep nothing of p.
	io.Writer

	// Commit makes the object durable and visible under its key, all of it or nothing. After an error the object may
	// be visible only if the error left the outcome open (a lost answer), and then it is whole; to commit it anew
	// through another Writer is always safe. Commit fails with a *SizeError when Options.Size was wrong.
	Commit(ctx context.Context) (Info, error)

	// Abort gives up what Commit has not made visible. After Commit it does nothing.
	Abort() error
}

// Adopter is a Store that can take over a file on the same machine without copying it.
type Adopter interface {
	// Adopt commits the file at path, which must not change from now on, as an object. The file stays where it is.
	Adopt(ctx context.Context, key, path string, o Options) (Info, error)
}

// Grower is a Store that takes an object in parts while it is still being made, from where its bytes are kept.
type Grower interface {
	// GrowFrom is how many bytes there must be at least before it pays to begin.
	GrowFrom() int64

	// Grow begins an object of the bytes that src holds, now or later: those that are there do not change. Of one with the same key
	// that was begun before, by this process or an earlier one, it takes over the parts that are the same. mark, from its Mark, spares
	// it the reading of what the store has; nil: there is none. The object belongs to ctx.
	Grow(ctx context.Context, key string, src io.ReaderAt, mark []byte, o Options) (Growth, error)
}

// Growth is an object that grows. It belongs to one goroutine, and is over after any error: Grow goes on with it.
type Growth interface {
	// Next is how many bytes src is to have before Send has something to do; math.MaxInt64: the rest is for Commit.
	Next() int64

	// Send sends what there is to be sent when src has size bytes, and returns when the store has it.
	Send(ctx context.Context, size int64) error

	// Mark tells how many bytes the store has, and what a Grow later is to be given to go on from there, some hundred bytes. The store
	// keeps those bytes until Commit or Abort, so that src may let go of them; should the store lose them, Grow begins at byte 0 again.
	Mark() (sent int64, mark []byte)

	// Commit makes the object, which has size bytes, durable and visible. See Writer.Commit.
	Commit(ctx context.Context, size int64) (Info, error)

	// Leave lets go of the object as it is.
	Leave()

	// Abort gives up what is not committed.
	Abort() error
}

// Sweeper is a Store in which a process that ends too early leaves something behind that nobody sees.
type Sweeper interface {
	// Sweep removes what is left behind, but of keys that are still wanted, and returns how many things those were. It is to be called
	// a while after the start, and every hour.
	Sweep(ctx context.Context, wanted func(key string) bool) (int, error)
}

// Filer is what a reader from Open may be as well: a stretch of a plain file, so that the kernel can send it.
type Filer interface {
	// File returns the open file, positioned where the reader stands. It may have more bytes than were asked for. It
	// is closed with the reader.
	File() *os.File
}

// Info describes an object.
type Info struct {
	Key     string
	Size    int64
	Type    string            // the media type
	Meta    map[string]string // as given in Options; do not change it
	ModTime time.Time         // when it was committed
	ETag    string            // differs between different contents of a key; without quotes; not a checksum
}

// Range returns how many bytes there are to read from offset if length are asked for, all if length is negative.
func (i Info) Range(offset, length int64) (int64, error) {
	if offset < 0 || offset > i.Size {
		return 0, &RangeError{Key: i.Key, Offset: offset, Size: i.Size}
	}
	if rest := i.Size - offset; length < 0 || length > rest {
		return rest, nil
	}
	return length, nil
}
