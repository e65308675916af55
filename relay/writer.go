package relay

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"sluice/relay/spool"
)

// Writer is a publisher's hold on a stream. One goroutine at a time writes; Sync may be called from any. When another Writer
// takes the stream over (Hub.Publish with the same key), this one's methods return a Gone error.
type Writer struct {
	st   *Stream
	log  *spool.Log // the stream's; it says so itself when it is gone
	done bool       // the stream was over when it was published again
}

// Stream is what w writes.
func (w *Writer) Stream() *Stream { return w.st }

// Done reports whether the stream had come to its end before: there is nothing left to write.
func (w *Writer) Done() bool { return w.done }

// Offset is how many bytes the stream has received.
func (w *Writer) Offset() int64 {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.received
}

// Holds reports whether w may write: the stream is open, and nobody else has taken it over.
func (w *Writer) Holds() bool {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return w.held() == nil
}

// held returns nil if w may write. The caller holds in.mu.
func (w *Writer) held() error {
	in := &w.st.in
	switch {
	case in.writer == w:
		return nil
	case in.last != w:
		return Errorf(Gone, "another publisher has taken over this stream")
	case in.lost != nil:
		return in.lost
	}
	return w.st.whyOver()
}

// ReadFrom appends what r yields up to io.EOF, as it arrives, without a copy. It waits for r and for the disk, never for a
// reader of the stream.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) { return w.readFrom(r, 0) }

// ReadSized is ReadFrom where about hint bytes are expected.
func (w *Writer) ReadSized(r io.Reader, hint int64) (int64, error) { return w.readFrom(r, hint) }

func (w *Writer) readFrom(r io.Reader, hint int64) (n int64, err error) {
	for {
		p, err := w.space(hint - n)
		if err != nil {
			return n, err
		}
		m, rerr := r.Read(p)
		n += int64(m)
		if err := w.filled(m); err != nil {
			return n, err
		}
		if rerr == io.EOF {
			return n, nil
		}
		if rerr != nil {
			return n, rerr
		}
	}
}

// Write appends a copy of p. See io.Writer.
func (w *Writer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		space, err := w.space(int64(len(p) - n))
		if err != nil {
			return n, err
		}
		m := copy(space, p[n:])
		if err := w.filled(m); err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

func (w *Writer) space(hint int64) ([]byte, error) {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := w.held(); err != nil {
		return nil, err
	}
	p, err := in.space(max(hint, 0))
	if err != nil {
		in.fault(err)
	}
	return p, err
}

func (w *Writer) filled(n int) error {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := w.held(); err != nil {
		return err
	}
	if err := in.filled(n); err != nil {
		in.fault(err)
		return err
	}
	return nil
}

// Chunk appends what r yields as the bytes at offset: what of it is already held is skipped, a hole is a Conflict. hint is
// how many bytes r has, 0 if unknown. What came is given to the readers at once.
func (w *Writer) Chunk(offset int64, r io.Reader, hint int64) error {
	have := w.Offset()
	if offset < 0 || offset > have {
		return Errorf(Conflict, "the stream goes on at offset %d, not at %d", have, offset)
	}
	if skip := have - offset; skip > 0 {
		n, err := io.CopyN(io.Discard, r, skip)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if hint -= n; hint == 0 {
			return nil // all of it is held already
		}
	}
	if _, err := w.readFrom(r, hint); err != nil {
		return err
	}
	return w.Flush()
}

// Touch says that the publisher is made to wait: that nothing comes is not its doing, and it does not lose the stream by it.
func (w *Writer) Touch() {
	st := w.st
	st.in.mu.Lock()
	defer st.in.mu.Unlock()
	if w.held() != nil {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.touched = time.Now()
}

// Flush gives the readers what has come without waiting for more.
func (w *Writer) Flush() error {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return w.flush()
}

// flush is Flush for who holds in.mu.
func (w *Writer) flush() error {
	in := &w.st.in
	if err := w.held(); err != nil {
		return err
	}
	if err := in.flush(false); err != nil {
		in.fault(err)
		return err
	}
	return nil
}

// Sync makes what has come durable and returns up to which offset the stream now is. It waits for the disk; calls at the
// same time share the wait. It may come after Finish, for bytes that came before.
func (w *Writer) Sync() (int64, error) {
	if w.done {
		return w.Offset(), nil
	}
	offset, err := w.spooled()
	if err != nil {
		return 0, err
	}
	w.st.hub.syncs <- struct{}{}
	defer func() { <-w.st.hub.syncs }()
	if offset, err = w.spooledSince(offset); err != nil {
		return 0, err
	}
	if w.onlyRelayed() {
		return offset, nil
	}
	if err := w.st.hub.roomy(w.log.Sync); err != nil {
		info := w.st.Info()
		switch {
		case info.Whole():
			return offset, nil // it is in the store already
		case info.Over():
			return 0, w.st.whyOver()
		}
		err := w.st.notStored("sync", err)
		if !errors.Is(err, errNoRoom) {
			w.Fail(err) // it will never be stored
			return 0, err
		}
		return w.unsynced(offset, err)
	}
	return offset, nil
}

// onlyRelayed reports whether a live stream goes on without the spool: then nothing that comes will be durable, and nobody waits for it.
func (w *Writer) onlyRelayed() bool { return w.st.in.kept.off.Load() }

// unsynced is what Sync comes to when there was no room for what it was to make durable. A live stream goes on.
func (w *Writer) unsynced(offset int64, err error) (int64, error) {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case w.st.kind != Live || in.over && in.kept.cut.Load() == nil:
		return 0, err
	case !w.st.keeps():
		in.kept.rest(time.Now())
		return offset, nil
	case in.kept.cut.Load() == nil:
		if err := in.cutShort(); err != nil {
			return 0, err
		}
	}
	return offset, nil // of which the publisher was told how much is kept
}

// spooled hands the spool all that has come, and tells how much that is.
func (w *Writer) spooled() (int64, error) {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return w.spool()
}

// spooledSince is spooled, or offset where that would have to wait for the publisher.
func (w *Writer) spooledSince(offset int64) (int64, error) {
	in := &w.st.in
	if !in.mu.TryLock() {
		return offset, nil
	}
	defer in.mu.Unlock()
	return w.spool()
}

// spool is spooled for who holds in.mu.
func (w *Writer) spool() (int64, error) {
	in := &w.st.in
	if in.whole && in.last == w {
		return in.spooled, nil
	}
	if err := w.held(); err != nil {
		return in.spooled, err
	}
	err := in.spool()
	if err != nil {
		in.fault(err)
	}
	return in.spooled, err
}

// Finish ends the stream and returns when it is durable. sha256 is what the publisher says of the content, in hex; "" says
// nothing. When it or the size announced does not match, the stream fails and the error is a Conflict. Finishing a finished
// stream again returns it once more. Where there is no room to note the end, one that can be resumed is ended as soon as there is some.
func (w *Writer) Finish(ctx context.Context, sha256 string) (Info, error) {
	if info := w.st.Info(); info.Whole() && w.mayAsk() {
		return info, matches(info, sha256)
	}
	info, err := w.end(sha256)
	if err != nil {
		return info, err
	}
	return w.st.seal(w.log, info)
}

// sealPause is how long after it had no room for it the spool is asked to note an end again.
const sealPause = 5 * time.Second

// seal ends the stream, all of which has come.
func (st *Stream) seal(log *spool.Log, info Info) (Info, error) {
	header := st.lastHeader(log, info)
	if err := st.hub.roomy(func() error { return log.Seal(header) }); err != nil && !st.Info().Over() {
		err := st.notStored("seal", err)
		if errors.Is(err, errNoRoom) && (st.key != "" || st.kind == Live) {
			st.after(sealPause, func() { st.seal(log, info) })
		} else {
			st.failOpen(err)
		}
		return info, err
	}
	if !st.setOver(Ended, func(i *Info) { *i = info }) {
		if now := st.Info(); now.Whole() {
			return now, nil // by who tried at the same time
		}
		return st.Info(), st.whyOver() // deleted meanwhile
	}
	st.settle()
	return info, nil
}

// mayAsk reports whether w wrote the stream, or found it finished.
func (w *Writer) mayAsk() bool {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return w.done || in.last == w
}

// end takes the last bytes and checks what was promised. What it returns is how the stream will be once sealed.
func (w *Writer) end(sha256 string) (Info, error) {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.whole && in.last == w {
		return in.final, matches(in.final, sha256)
	}
	if err := w.held(); err != nil {
		return Info{}, err
	}
	info, err := in.finish(sha256)
	if err != nil {
		in.fault(err)
		return w.st.Info(), err
	}
	in.close()
	in.whole, in.final = true, info
	return info, nil
}

// finish takes what is left and tells how the stream ends.
func (in *intake) finish(sha256 string) (Info, error) {
	if err := in.flush(true); err != nil {
		return Info{}, err
	}
	info := in.st.Info()
	if info.Size != nil && *info.Size != in.received {
		return Info{}, Errorf(Conflict, "%d bytes came, the size announced was %d", in.received, *info.Size)
	}
	sum, err := in.sum()
	if err != nil {
		return Info{}, err
	}
	size := in.received
	info.State, info.Offset, info.Size, info.SHA256 = Ended, size, &size, sum
	return info, matches(info, sha256)
}

func matches(info Info, sha256 string) error {
	if sha256 != "" && !strings.EqualFold(sha256, info.SHA256) {
		return Errorf(Conflict, "the sha256 of what came is %s", info.SHA256)
	}
	return nil
}

// Cancel gives the stream up: its readers see the end, nothing is kept.
func (w *Writer) Cancel() error {
	in := &w.st.in
	in.mu.Lock()
	err := w.held()
	if err == nil {
		in.close()
	}
	in.mu.Unlock()
	if err == nil {
		w.st.discard(Cancelled)
	}
	return err
}

// Fail ends the stream as failed: what came is not what was meant to come.
func (w *Writer) Fail(why error) {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if w.held() == nil {
		in.st.fail(why)
	}
}

// Abandon says that the publisher is gone without an end. A file with a key waits for it to come back, a file without fails,
// a live stream ends after a while.
func (w *Writer) Abandon() {
	in := &w.st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if w.held() == nil {
		in.abandon(Errorf(Gone, "its publisher is gone"), w.st.hub.resumeWindow())
	}
}

// abandon takes the stream from who writes it, who is told why; a file with a key waits for its publisher for so long. The caller
// holds in.mu.
func (in *intake) abandon(why error, wait time.Duration) {
	st := in.st
	in.writer, in.lost = nil, why
	st.askedBy(Spec{})
	switch {
	case st.kind == Live:
		st.after(st.hub.liveLinger(), st.finishAbandoned)
	case st.key != "":
		st.after(wait, st.failAbandoned)
	default:
		st.fail(why)
	}
}
