package archive

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"sluice/relay"
	"sluice/storage"
)

// readsAtOnce is how many manifests are read at the same time for one list.
const readsAtOnce = 8

// spans are how far back the newest streams of a room are looked for, one after the other; then comes all the rest.
// Stores list the oldest first: this finds the newest without listing all.
var spans = [...]time.Duration{
	time.Minute, 16 * time.Minute, 4 * time.Hour, 3 * day, 45 * day, 720 * day,
}

const day = 24 * time.Hour

// List implements relay.Archive. Manifests that cannot be read are left out and logged.
func (a *Archive) List(ctx context.Context, room, before string, limit int) ([]relay.Info, error) {
	a.begin()
	var infos []relay.Info
	for len(infos) < limit {
		ids, err := a.newest(ctx, room, before, limit-len(infos))
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			break
		}
		read, err := a.readManifests(ctx, room, ids)
		if err != nil {
			return nil, err
		}
		infos = append(infos, read...)
		before = ids[len(ids)-1] // some may have been left out
	}
	return infos, nil
}

// newest returns the ids of a room's manifests, newest first: at most limit, and all of those older than before unless
// that is "".
func (a *Archive) newest(ctx context.Context, room, before string, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	until := time.Now()
	if u, err := ulid.ParseStrict(before); err == nil && ulid.Time(u.Time()).Before(until) {
		until = ulid.Time(u.Time())
	}
	var ids []string
	for _, span := range spans {
		until = until.Add(-span)
		from := firstID(until)
		older, err := a.between(ctx, room, from, before, limit-len(ids))
		if err != nil {
			return nil, err
		}
		if ids = append(ids, older...); len(ids) >= limit {
			return ids, nil
		}
		if before == "" || from < before {
			before = from
		}
	}
	older, err := a.between(ctx, room, "", before, limit-len(ids))
	return append(ids, older...), err
}

// between returns the newest ids of manifests from one id on up to, and without, another one, newest first, at most
// limit.
func (a *Archive) between(ctx context.Context, room, from, before string, limit int) ([]string, error) {
	prefix := roomPrefix(room)
	after := ""
	if from != "" {
		after = prefix + from
	}
	var ids []string // the newest so far, oldest first
	enough := errors.New("enough")
	err := a.Store.List(ctx, prefix, after, func(info storage.Info) error {
		id, ok := manifestID(prefix, info.Key)
		if !ok {
			return nil
		}
		if before != "" && id >= before {
			return enough
		}
		if ids = append(ids, id); len(ids) >= 2*limit {
			ids = append(ids[:0], ids[limit:]...)
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	ids = ids[max(0, len(ids)-limit):]
	slices.Reverse(ids)
	return ids, nil
}

// readManifests returns what the manifests say, in the order of ids, without those that are gone or damaged.
func (a *Archive) readManifests(ctx context.Context, room string, ids []string) ([]relay.Info, error) {
	infos := make([]relay.Info, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, id := range ids {
		if info, ok := a.memo.get(id); ok && info.Room == room {
			infos[i] = info
			continue
		}
		group.Go(func() (err error) {
			infos[i], err = a.readManifest(ctx, room, id)
			switch {
			case errors.Is(err, storage.ErrCorrupt):
				a.log().Error("damaged manifest", "room", room, "stream", id, "err", err)
				return nil
			case errors.Is(err, fs.ErrNotExist):
				return nil // deleted meanwhile
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(infos, func(info relay.Info) bool { return info.ID == "" }), nil
}
