package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/oklog/ulid/v2"

	"sluice/relay"
	"sluice/storage"
)

// Find implements relay.Archive. An id alone leads to the content by its date, and the content's metadata names the
// room, which leads to the manifest.
func (a *Archive) Find(ctx context.Context, id string) (relay.Info, error) {
	a.begin()
	u, err := parseID(id)
	if err != nil {
		return relay.Info{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if info, ok := a.memo.get(id); ok {
		_, err := a.Store.Stat(ctx, manifestKey(info.Room, id))
		if errors.Is(err, fs.ErrNotExist) {
			a.memo.remove(id) // deleted by another process
		}
		return info, err
	}
	found := fmt.Errorf("stream %s: %w", id, fs.ErrNotExist)
	keys, err := a.contentKeys(ctx, u)
	if err != nil {
		return relay.Info{}, err
	}
	for _, key := range keys {
		content, err := a.Store.Stat(ctx, key)
		if err != nil {
			return relay.Info{}, err
		}
		info, err := a.readManifest(ctx, content.Meta["room"], id)
		if !errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
	}
	return relay.Info{}, found
}

// contentKeys returns where the content of a stream is: one key, unless what types are called has changed while it
// was archived.
func (a *Archive) contentKeys(ctx context.Context, id ulid.ULID) (keys []string, err error) {
	err = a.Store.List(ctx, contentPrefix(id), "", func(info storage.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	return keys, err
}

// Open implements relay.Archive.
func (a *Archive) Open(ctx context.Context, info relay.Info, offset, length int64) (io.ReadCloser, error) {
	a.begin()
	id, err := parseID(info.ID)
	if err != nil {
		return nil, err
	}
	r, content, err := a.Store.Open(ctx, contentKey(id, info), offset, length)
	if errors.Is(err, fs.ErrNotExist) {
		r, content, err = a.openByID(ctx, id, offset, length)
	}
	if err != nil {
		return nil, err
	}
	if info.Size != nil && content.Size != *info.Size {
		err := fmt.Errorf("%s has %d bytes, its manifest says %d: %w", content.Key, content.Size, *info.Size,
			storage.ErrCorrupt)
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// openByID opens content that was archived under another extension than its type has now.
func (a *Archive) openByID(ctx context.Context, id ulid.ULID, offset, length int64) (io.ReadCloser, storage.Info, error) {
	keys, err := a.contentKeys(ctx, id)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("content of stream %s: %w", id, fs.ErrNotExist)
	}
	if err != nil {
		return nil, storage.Info{}, err
	}
	return a.Store.Open(ctx, keys[0], offset, length)
}

// Delete implements relay.Archive. The manifest goes first, so that nobody is shown a stream without content.
func (a *Archive) Delete(ctx context.Context, info relay.Info) error {
	a.begin()
	id, err := parseID(info.ID)
	if err != nil {
		return err
	}
	if err := a.drop(ctx, info.ID); err != nil {
		return err
	}
	if err := a.Store.Delete(ctx, manifestKey(info.Room, info.ID)); err != nil {
		return err
	}
	a.memo.remove(info.ID)
	err = a.deleteContent(ctx, id)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		delete(a.remains, id)
	} else if len(a.remains) < maxRemains {
		a.remains[id] = true // nobody finds it any more, but the sweep
	}
	return err
}

// maxRemains is how much content may wait to be deleted that could not be.
const maxRemains = 10_000

// deleteRemains deletes the content of streams of which only the manifest could be deleted.
func (a *Archive) deleteRemains(ctx context.Context) error {
	a.mu.Lock()
	ids := slices.Collect(maps.Keys(a.remains))
	a.mu.Unlock()
	for _, id := range ids {
		if err := a.deleteContent(ctx, id); err != nil {
			return err
		}
		a.mu.Lock()
		delete(a.remains, id)
		a.mu.Unlock()
	}
	return nil
}

func (a *Archive) deleteContent(ctx context.Context, id ulid.ULID) error {
	keys, err := a.contentKeys(ctx, id)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := a.Store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
