package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
)

// asked counts what the store is asked about objects.
type asked struct {
	storage.Store
	stats atomic.Int64
}

func (a *asked) Stat(ctx context.Context, key string) (storage.Info, error) {
	a.stats.Add(1)
	return a.Store.Stat(ctx, key)
}

// plantWhole plants a stream with its content.
func plantWhole(t *testing.T, a *Archive, room string, at time.Time) string {
	t.Helper()
	id := plant(t, a, room, at)
	key := contentKey(ulid.MustParseStrict(id), relay.Info{})
	w, err := a.Store.Create(t.Context(), key, storage.Options{Meta: map[string]string{"room": room}})
	if err == nil {
		_, err = w.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestTheClosestRuleSaysHowLongARoomIsKept(t *testing.T) {
	a := &Archive{Rules: []Rule{{"studio*", 7 * day}, {"*", 30 * day}, {"studio-b*", 0}, {"studio-b1", day}, {"s*", 9 * day}}}
	for room, want := range map[string]time.Duration{
		"lobby": 30 * day, "studio": 7 * day, "studio-a": 7 * day, "studio-b": 0, "studio-b1": day, "studio-b12": 0, "s": 9 * day, "*": 30 * day,
	} {
		if got := a.keep(room); got != want {
			t.Errorf("%s is kept for %v; want %v", room, got, want)
		}
	}
	if got := a.shortest(); got != day {
		t.Errorf("the shortest is %v; want %v", got, day)
	}
	a.Rules = []Rule{{"a", 0}}
	if a.keep("b") != 0 || a.shortest() != 0 {
		t.Error("what no rule names is not kept for ever")
	}
}

func TestWhatIsTooOldIsDeleted(t *testing.T) {
	for name, store := range map[string]func(t *testing.T) storage.Store{
		"dir": func(t *testing.T) storage.Store { return openDir(t, t.TempDir()) },
		"s3":  func(t *testing.T) storage.Store { return openS3(t, lab.StartS3(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &asked{Store: store(t)}
			var told atomic.Int64
			a := &Archive{
				Store: s, Logger: quiet, Rules: []Rule{{"*", 30 * day}, {"short*", 7 * day}, {"ever", 0}},
				Expired: func(string, string) { told.Add(1) },
			}
			a.begin()
			t.Cleanup(func() { _ = a.Close(t.Context()) })
			now := time.Now()
			var all, rooms []string
			for _, age := range []time.Duration{0, day, 40 * day} {
				for _, room := range []string{"lobby", "short", "ever"} {
					rooms = append(rooms, room)
					all = append(all, plantWhole(t, a, room, now.Add(-age))) // archived just now, however long it took
				}
			}
			is := func(when string, at time.Time, gone int, want ...int) {
				t.Helper()
				n, err := a.expire(t.Context(), at)
				if err != nil || n != gone || told.Swap(0) != int64(gone) {
					t.Fatalf("%s: expire = %d, %v; want %d, and as many told of", when, n, err, gone)
				}
				for i, id := range all {
					_, manifest := a.readManifest(t.Context(), rooms[i], id)
					keys, err := a.contentKeys(t.Context(), ulid.MustParseStrict(id))
					if err != nil {
						t.Fatal(err)
					}
					if kept := slices.Contains(want, i); kept != (manifest == nil) || kept != (len(keys) == 1) {
						t.Errorf("%s: stream %d: manifest %v, content %q; kept: %v", when, i, manifest, keys, kept)
					} else if !kept && !errors.Is(manifest, fs.ErrNotExist) {
						t.Errorf("%s: manifest %d: %v", when, i, manifest)
					}
				}
			}
			nameless, err := s.Create(t.Context(), "media/2020/01/01/01DXF6DT000000000000000000.bin", storage.Options{})
			if err == nil {
				_, err = nameless.Commit(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			is("at once", now, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
			is("after six days", now.Add(6*day), 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
			is("after a week", now.Add(8*day), 3, 0, 2, 3, 5, 6, 8)
			before := s.stats.Load()
			is("right after", now.Add(8*day+time.Hour), 0, 0, 2, 3, 5, 6, 8)
			if n := s.stats.Load() - before; n > 0 {
				t.Errorf("the store was asked about %d objects of days that are not due", n)
			}
			rooms = append(rooms, "short")
			all = append(all, plantWhole(t, a, "short", now.Add(-40*day))) // to a day that was looked at
			a.Rules[0].Keep = 0
			is("after another week", now.Add(16*day), 1, 0, 2, 3, 5, 6, 8)
			a.Rules[0].Keep = 30 * day
			is("after a month", now.Add(31*day), 3, 2, 5, 8)
			if _, err := s.Stat(t.Context(), "media/2020/01/01/01DXF6DT000000000000000000.bin"); err != nil {
				t.Errorf("what names no room: %v", err)
			}
			a.Rules = nil
			is("without rules", now.Add(1000*day), 0, 2, 5, 8)
		})
	}
}

// begunAt is a store that dates what it has by when that was begun, as Amazon S3 does with uploads of parts.
type begunAt struct {
	storage.Store
	begun time.Time
}

func (b begunAt) Stat(ctx context.Context, key string) (storage.Info, error) {
	info, err := b.Store.Stat(ctx, key)
	if strings.HasPrefix(key, mediaFolder) {
		info.ModTime = b.begun
	}
	return info, err
}

func TestWhatTookLongToArchiveIsNotTooOldAtOnce(t *testing.T) {
	begun := time.Now().Add(-25 * time.Hour)
	a := &Archive{Store: begunAt{openDir(t, t.TempDir()), begun}, Logger: quiet, Rules: []Rule{{"*", day}}}
	a.begin()
	defer a.Close(t.Context())
	plantWhole(t, a, "lobby", begun)
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {25 * time.Hour, 1}} {
		if n, err := a.expire(t.Context(), time.Now().Add(c.at)); n != c.want || err != nil {
			t.Errorf("%v after it was archived: expire = %d, %v; want %d", c.at, n, err, c.want)
		}
	}
}

func TestWhatCannotBeDeletedKeepsNothingElse(t *testing.T) {
	folder := t.TempDir()
	a := &Archive{Store: openDir(t, folder), Logger: quiet, Rules: []Rule{{"*", day}}}
	a.begin()
	defer a.Close(t.Context())
	old := time.Now().Add(-100 * time.Hour)
	bad := plantWhole(t, a, "lobby", old)
	for i := range 40 {
		plantWhole(t, a, "lobby", old.Add(time.Duration(i+1)*time.Minute))
	}
	key := contentKey(ulid.MustParseStrict(bad), relay.Info{})
	if err := os.WriteFile(filepath.Join(folder, "archive", key), []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := a.expire(t.Context(), time.Now().Add(2*day)); n != 40 || err != nil {
		t.Errorf("expire = %d, %v; want the 40 others", n, err)
	}
}
