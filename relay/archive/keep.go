package archive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"sluice/chunker"
	"sluice/relay"
	"sluice/storage"
)

// damage says that the spool does not hold what was published. Nothing of it is kept as good.
type damage struct{ err error }

func (d *damage) Error() string { return "the spool's copy is damaged: " + d.err.Error() }
func (d *damage) Unwrap() error { return d.err }

func isDamage(err error) bool {
	var d *damage
	return errors.As(err, &d)
}

// isOwn reports whether err comes of what is archived: another stream that reaches the store says nothing about it.
func isOwn(err error) bool {
	var size *storage.SizeError
	return isDamage(err) || errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrTooLarge) || errors.As(err, &size)
}

var (
	errGrowing = errors.New("there is no more of the stream yet")
	errTurn    = errors.New("there is more of the stream")
	errGivenUp = errors.New("the stream is not to be kept")
)

// archive writes the stream of j to the store: content first, then the manifest. All of it may be done again. Of an open stream it
// writes some, and returns errTurn or errGrowing.
func (a *Archive) archive(ctx context.Context, j *job) error {
	info := j.stream.Kept()
	switch {
	case info.State == relay.Open:
		return a.grow(ctx, j, info)
	case info.State != relay.Ended, info.Size == nil:
		if err := a.giveUp(ctx, j); err != nil {
			a.log().Warn("giving up an upload failed", "stream", info.ID, "err", err)
		}
		return errGivenUp
	}
	if found, ok := a.found(ctx, info); ok {
		j.stream.Archived(found)
		return nil
	}
	if !j.stored {
		if err := a.storeContent(ctx, j, info); err != nil {
			return err
		}
		j.stored = true
	}
	info.State = relay.Archived
	if err := a.storeManifest(ctx, info); err != nil {
		return err
	}
	a.log().Debug("stream archived", "room", info.Room, "stream", info.ID, "bytes", *info.Size)
	j.stream.Archived(info)
	return nil
}

// found looks for the manifest of a stream that an earlier process may have archived before it was killed.
func (a *Archive) found(ctx context.Context, info relay.Info) (relay.Info, bool) {
	if info.ID >= a.born {
		return info, false
	}
	found, err := a.readManifest(ctx, info.Room, info.ID)
	return found, err == nil && found.SHA256 == info.SHA256
}

// turnBytes is about how much of a stream is sent before it is another's turn.
const turnBytes = 64 << 20

// grow sends the store what there is enough of, for a turn.
func (a *Archive) grow(ctx context.Context, j *job, info relay.Info) error {
	grower, ok := a.Store.(storage.Grower)
	if !ok {
		return errGrowing
	}
	if err := a.beginGrowth(a.life, grower, j, info); err != nil {
		return err
	}
	g := j.growth
	_, size := j.stream.Spooled()
	if next := g.Next(); size-next > turnBytes {
		size = next + turnBytes
	}
	if err := g.Send(ctx, size); err != nil {
		j.growth = nil
		return err
	}
	if sent, mark := g.Mark(); mark != nil {
		j.stream.Sent(sent, mark)
	}
	if !j.stream.KeepAt(g.Next()) {
		return errTurn
	}
	return errGrowing
}

// beginGrowth begins with the content of j, or goes on with it, for as long as ctx lives.
func (a *Archive) beginGrowth(ctx context.Context, grower storage.Grower, j *job, info relay.Info) error {
	if j.growth != nil {
		return nil
	}
	key, options, err := content(j.stream, info)
	if err != nil {
		return err
	}
	src, _ := j.stream.Spooled()
	growth, err := grower.Grow(ctx, key, source{src}, j.stream.Mark(), options)
	j.grown = true
	if err != nil {
		return err
	}
	j.growth = growth
	j.stream.Sent(growth.Mark()) // less than before, if the store has lost some: the spool must not give up more
	return nil
}

// source is what the spool has of a stream; nil: nothing any more. What it cannot read it has damaged.
type source struct{ io.ReaderAt }

func (s source) ReadAt(p []byte, offset int64) (int, error) {
	if s.ReaderAt == nil {
		return 0, fs.ErrNotExist
	}
	n, err := s.ReaderAt.ReadAt(p, offset)
	if err == io.EOF && n < len(p) {
		err = io.ErrUnexpectedEOF // it has less than it had
	}
	if err == nil || err == io.EOF || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrClosed) {
		return n, err // as it should be, or deleted, or told to end
	}
	return n, &damage{err}
}

// giveUp has the store forget what it has of the content, if that is not whole. Where it does not answer, its sweep does so later.
func (a *Archive) giveUp(ctx context.Context, j *job) error {
	j.giving.Lock()
	defer j.giving.Unlock()
	grower, ok := a.Store.(storage.Grower)
	if !ok || !j.grown || j.stored {
		return nil
	}
	if err := a.beginGrowth(ctx, grower, j, j.stream.Info()); err != nil {
		return err
	}
	g := j.growth
	j.growth, j.grown = nil, false
	return g.Abort()
}

// content is what the store is told of a stream's content. The hash is not known before the end; the manifest has it.
func content(st *relay.Stream, info relay.Info) (key string, o storage.Options, err error) {
	id, err := parseID(info.ID)
	if err != nil {
		return "", o, err
	}
	o = storage.Options{Type: info.Type, Size: -1, Most: st.Most(), Meta: map[string]string{"room": info.Room, "name": info.Name}}
	if info.SHA256 != "" {
		o.Meta["sha256"] = info.SHA256
	}
	if info.Size != nil {
		o.Size = *info.Size
	}
	return contentKey(id, info), o, nil
}

// storeContent gives the store what the spool holds of a stream that has ended: its file to be taken over, what is missing of what has
// grown, or a copy. It becomes visible only if it is what came. A copy is checked by its SHA-256, the others by the CRC-32C that the
// spool has of every record: those were taken of the bytes that were hashed, so that hashing them again would tell nothing more.
func (a *Archive) storeContent(ctx context.Context, j *job, info relay.Info) error {
	st := j.stream
	if grower, ok := a.Store.(storage.Grower); ok {
		if err := a.beginGrowth(a.life, grower, j, info); err != nil {
			return err
		}
		g := j.growth
		j.growth = nil
		_, err := g.Commit(ctx, *info.Size)
		return err
	}
	key, options, err := content(st, info)
	if err != nil {
		return err
	}
	_, spooled := st.Spooled()
	if adopter, ok := a.Store.(storage.Adopter); ok && spooled == *info.Size { // more: of a live stream that was cut
		if err := verify(ctx, st); err != nil {
			return err
		}
		_, err := adopter.Adopt(ctx, key, st.Path(), options)
		return err
	}
	w, err := a.Store.Create(ctx, key, options)
	if err != nil {
		return err
	}
	if err := copyContent(ctx, w, st, info); err != nil {
		return errors.Join(err, w.Abort())
	}
	_, err = w.Commit(ctx)
	return err
}

// verify checks what the spool has of an ended stream.
func verify(ctx context.Context, st *relay.Stream) error {
	err := st.Verify(ctx)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrClosed) || ctx.Err() != nil {
		return err // deleted, or told to end
	}
	return &damage{err}
}

// copyContent writes all of an ended stream to w and checks its hash.
func copyContent(ctx context.Context, w io.Writer, st *relay.Stream, info relay.Info) error {
	content, err := st.Content(ctx)
	if err != nil {
		return err // deleted
	}
	defer content.Close()
	sum := sha256.New()
	buf := make([]byte, chunker.MaxChunkBytes)
	for {
		n, err := content.Read(buf)
		sum.Write(buf[:n])
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		switch {
		case err == io.EOF:
			if got := hex.EncodeToString(sum.Sum(nil)); got != info.SHA256 {
				return &damage{fmt.Errorf("its SHA-256 is %s; want %s", got, info.SHA256)}
			}
			return nil
		case err == io.ErrUnexpectedEOF, ctx.Err() != nil:
			return cmp.Or(err, ctx.Err()) // deleted, or told to end
		case err != nil:
			return &damage{err}
		}
	}
}

func (a *Archive) storeManifest(ctx context.Context, info relay.Info) error {
	text, err := json.Marshal(info)
	if err != nil {
		return err
	}
	options := storage.Options{Type: "application/json", Size: int64(len(text))}
	w, err := a.Store.Create(ctx, manifestKey(info.Room, info.ID), options)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return errors.Join(err, w.Abort())
	}
	if _, err := w.Commit(ctx); err != nil {
		return err
	}
	a.memo.put(info, len(text))
	return nil
}

// maxManifestBytes bounds what is read as a manifest; one of ours has much less.
const maxManifestBytes = 64 << 10

// readManifest returns what the manifest of a stream says; fs.ErrNotExist if there is none.
func (a *Archive) readManifest(ctx context.Context, room, id string) (relay.Info, error) {
	key := manifestKey(room, id)
	r, _, err := a.Store.Open(ctx, key, 0, maxManifestBytes)
	if err != nil {
		return relay.Info{}, err
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return relay.Info{}, err
	}
	info, err := parseManifest(text)
	if err == nil && (info.ID != id || info.Room != room) {
		err = fmt.Errorf("it is of stream %.40q", info.ID)
	}
	if err != nil {
		return relay.Info{}, fmt.Errorf("manifest %s: %w: %w", key, storage.ErrCorrupt, err)
	}
	a.memo.put(info, len(text))
	return info, nil
}

// parseManifest refuses what cannot have been written by storeManifest.
func parseManifest(text []byte) (relay.Info, error) {
	var info relay.Info
	if err := json.Unmarshal(bytes.TrimSpace(text), &info); err != nil {
		return relay.Info{}, err
	}
	if _, err := parseID(info.ID); err != nil {
		return relay.Info{}, err
	}
	if info.State != relay.Archived || info.Size == nil || *info.Size < 0 {
		return relay.Info{}, errors.New("it is not of an archived stream")
	}
	return info, nil
}
