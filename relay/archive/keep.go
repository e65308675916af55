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

// archive writes the stream of j to the store: content first, then the manifest. All of it may be done again.
func (a *Archive) archive(ctx context.Context, j *job) error {
	info := j.stream.Info()
	if info.State != relay.Ended || info.Size == nil {
		return errNotEnded
	}
	if found, ok := a.found(ctx, info); ok {
		j.stream.Archived(found)
		return nil
	}
	if !j.stored {
		if err := a.storeContent(ctx, j.stream, info); err != nil {
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

// errNotEnded: the stream was deleted while it waited.
var errNotEnded = errors.New("the stream has not come to its end")

// found looks for the manifest of a stream that an earlier process may have archived before it was killed.
func (a *Archive) found(ctx context.Context, info relay.Info) (relay.Info, bool) {
	if info.ID >= a.born {
		return info, false
	}
	found, err := a.readManifest(ctx, info.Room, info.ID)
	return found, err == nil && found.SHA256 == info.SHA256
}

// storeContent copies what the spool holds of st to the store, or has the store take over the spool's file. It becomes
// visible only if it is what came: a copy by its SHA-256, a file that is taken over by the CRC-32C that the spool has of every
// record. Those were taken of the bytes that were hashed, so that hashing them again would tell nothing more.
func (a *Archive) storeContent(ctx context.Context, st *relay.Stream, info relay.Info) error {
	id, err := parseID(info.ID)
	if err != nil {
		return err
	}
	key := contentKey(id, info)
	options := storage.Options{
		Type: info.Type,
		Size: *info.Size,
		Meta: map[string]string{"room": info.Room, "name": info.Name, "sha256": info.SHA256},
	}
	if adopter, ok := a.Store.(storage.Adopter); ok {
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
