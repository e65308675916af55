package archive

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"sluice/relay"
	"sluice/storage"
)

// Rule says how long the streams of some rooms are kept.
type Rule struct {
	Rooms string        // a room's name, or a prefix ending in *; "*" is all
	Keep  time.Duration // since they were archived; 0: for ever
}

// names reports how closely the rule names a room; -1: not at all.
func (r Rule) names(room string) int {
	prefix, many := strings.CutSuffix(r.Rooms, "*")
	switch {
	case !many && r.Rooms == room:
		return len(room) + 1
	case many && strings.HasPrefix(room, prefix):
		return len(prefix)
	}
	return -1
}

// keep is how long the streams of a room are kept; 0: for ever.
func (a *Archive) keep(room string) (keep time.Duration) {
	best := -1
	for _, r := range a.Rules {
		if n := r.names(room); n > best {
			best, keep = n, r.Keep
		}
	}
	return keep
}

// shortest is the least time that streams are kept of any room; 0: all are kept for ever.
func (a *Archive) shortest() (least time.Duration) {
	for _, r := range a.Rules {
		if r.Keep > 0 && (least == 0 || r.Keep < least) {
			least = r.Keep
		}
	}
	return least
}

// expireBatch is how many objects are looked at for one listing.
const expireBatch = 1000

// expire deletes the streams that are as old as their room's rule allows, and returns how many. Of the days of which everything is
// younger it knows when that ends, and does not look before.
func (a *Archive) expire(ctx context.Context, now time.Time) (n int, err error) {
	least := a.shortest()
	if least == 0 {
		return 0, nil
	}
	next := make(map[string]time.Time)
	for after := ""; ctx.Err() == nil; {
		keys, last, err := a.oldest(ctx, after, now.Add(-least), now)
		if err != nil {
			return n, err
		}
		n += a.expireAll(ctx, keys, now, next)
		if after = last; after == "" {
			break
		}
	}
	delete(next, dayFolder(now.Add(-least))) // of which only the beginning was looked at
	for day, at := range next {
		// What comes to an old day later is not older than now.
		a.due[day] = earlier(at, now.Add(least))
	}
	return n, ctx.Err()
}

// oldest returns keys of content that came before then, of days that are due, and where to go on; "" if those are all.
func (a *Archive) oldest(ctx context.Context, after string, then, now time.Time) (keys []string, last string, err error) {
	stop := errors.New("stop")
	err = a.Store.List(ctx, mediaFolder, after, func(info storage.Info) error {
		day, id := path.Dir(info.Key), streamOf(info.Key)
		u, err := parseID(id)
		switch {
		case err != nil:
			return nil // not ours
		case !ulid.Time(u.Time()).Before(then):
			last = ""
			return stop // all that follow are younger
		case a.due[day].After(now):
			last = day + "/~" // after all of the day
			return stop
		}
		keys, last = append(keys, info.Key), info.Key
		if len(keys) >= expireBatch {
			return stop
		}
		return nil
	})
	switch {
	case errors.Is(err, stop):
		err = nil
	case err == nil:
		last = ""
	}
	return keys, last, err
}

// expireAll looks at keys and deletes the streams that are due; what fails is tried again with the next sweep, and keeps nothing else.
// next is when the rest of each day is.
func (a *Archive) expireAll(ctx context.Context, keys []string, now time.Time, next map[string]time.Time) (n int) {
	due := make([]time.Time, len(keys)) // zero: it is gone
	var group errgroup.Group
	group.SetLimit(readsAtOnce)
	for i, key := range keys {
		group.Go(func() (err error) {
			if due[i], err = a.expireOne(ctx, key, now); err != nil {
				due[i] = now
				if ctx.Err() == nil {
					a.log().Warn("deleting what is too old failed", "object", key, "err", err)
				}
			}
			return nil
		})
	}
	group.Wait()
	for i, key := range keys {
		day := path.Dir(key)
		switch at, seen := next[day]; {
		case due[i].IsZero():
			n++
		case !seen:
			next[day] = due[i]
		default:
			next[day] = earlier(at, due[i])
		}
	}
	return n
}

// never is when streams are due that are kept for ever.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// expireOne deletes the stream whose content has that key if it is due; else it returns when it is.
func (a *Archive) expireOne(ctx context.Context, key string, now time.Time) (due time.Time, err error) {
	content, err := a.Store.Stat(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return due, nil
	}
	if err != nil {
		return never, err
	}
	room := content.Meta["room"]
	keep := a.keep(room)
	if room == "" || keep == 0 { // what has lost its room's name could be of any
		return never, nil
	}
	info := relay.Info{ID: streamOf(key), Room: room}
	due = content.ModTime.Add(keep)
	if !due.After(now) { // some stores date content by when it was begun
		switch manifest, err := a.Store.Stat(ctx, manifestKey(room, info.ID)); {
		case err == nil:
			due = manifest.ModTime.Add(keep)
		case !errors.Is(err, fs.ErrNotExist):
			return never, err
		}
	}
	if due.After(now) || a.wants(key) {
		return due, nil
	}
	if err := a.Delete(ctx, info); err != nil {
		return due, err
	}
	a.log().Info("stream deleted: it is as old as it may be", "room", room, "stream", info.ID)
	if a.Expired != nil {
		a.Expired(room, info.ID)
	}
	return time.Time{}, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// streamOf is the id of the stream that an object is of, if it is one's content.
func streamOf(key string) string {
	id, _, _ := strings.Cut(path.Base(key), ".")
	return id
}
