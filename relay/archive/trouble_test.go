package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
	"sluice/storage/dir"
)

var errAway = errors.New("the store is away")

// moody is a store in which something happens before an object is begun.
type moody struct {
	storage.Store
	mu     sync.Mutex
	before func(ctx context.Context, key string) error
}

func (m *moody) Create(ctx context.Context, key string, o storage.Options) (storage.Writer, error) {
	m.mu.Lock()
	before := m.before
	m.mu.Unlock()
	if before != nil {
		if err := before(ctx, key); err != nil {
			return nil, err
		}
	}
	return m.Store.Create(ctx, key, o)
}

func (m *moody) set(before func(ctx context.Context, key string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = before
}

func TestStreamsWaitForAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		store := &moody{Store: openDir(t, folder)}
		store.set(func(context.Context, string) error { return errAway })
		h := open(t, folder, store)
		defer h.close()
		var streams []*relay.Stream
		for i := range 20 {
			streams = append(streams, h.publish("lobby", "film.webm", film(1000+i)))
		}
		time.Sleep(30 * time.Minute)
		stats := h.archive.Stats()
		if stats.Waiting != 20 || stats.Archived != 0 || stats.Failures < 20*20 || stats.Failures > 20*100 {
			t.Errorf("after half an hour: %+v; want 20 waiting, each tried about every minute", stats)
		}
		store.set(nil)
		back := time.Now()
		for _, st := range streams {
			h.archived(st)
		}
		if took := time.Since(back); took > longPause {
			t.Errorf("all were archived %v after the store was back; want the first within %v and the rest at once", took, longPause)
		}
		synctest.Wait()
		if stats := h.archive.Stats(); stats.Waiting+stats.Running != 0 || stats.Archived != 20 {
			t.Errorf("in the end: %+v; want 20 archived", stats)
		}
		if keys := h.keys(""); len(keys) != 40 {
			t.Errorf("the store has %d objects; want 20 contents and 20 manifests", len(keys))
		}
	})
}

func TestStreamsWaitForAServerThatIsAway(t *testing.T) {
	server := lab.StartS3(t)
	h := open(t, t.TempDir(), openS3(t, server))
	server.Kill()
	var streams []*relay.Stream
	for i := range 5 {
		streams = append(streams, h.publish("lobby", "film.webm", film(7<<20+i)))
	}
	server.Start()
	for _, st := range streams {
		info := h.archived(st)
		keys := h.keys(contentPrefix(ulid.MustParse(info.ID)))
		if len(keys) != 1 || hexSum(h.read(keys[0])) != info.SHA256 {
			t.Errorf("the content of %s is at %q; want it once, as it was published", info.ID, keys)
		}
	}
}

func TestNoMoreStreamsAreWrittenAtOnceThanAllowed(t *testing.T) {
	folder := t.TempDir()
	store := &moody{Store: openDir(t, folder)}
	var mu sync.Mutex
	running, most := 0, 0
	store.set(func(context.Context, string) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		defer func() {
			mu.Lock()
			running--
			mu.Unlock()
		}()
		_, err := store.Stat(context.Background(), "takes/a/while")
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	h := open(t, folder, store)
	h.archive.AtOnce = 3
	var streams []*relay.Stream
	for i := range 30 {
		streams = append(streams, h.publish("lobby", "", film(100+i)))
	}
	for _, st := range streams {
		h.archived(st)
	}
	mu.Lock()
	defer mu.Unlock()
	if most > 3 {
		t.Errorf("%d streams were written at once; want at most 3", most)
	}
}

func TestWhatTheSpoolHasDamagedIsNotArchived(t *testing.T) {
	for name, gated := range map[string]func(disk *dir.Store, wait func()) storage.Store{
		"taken over": func(disk *dir.Store, wait func()) storage.Store {
			return adopting{disk, func(string) { wait() }}
		},
		"copied": func(disk *dir.Store, wait func()) storage.Store {
			return &moody{Store: disk, before: func(context.Context, string) error { wait(); return nil }}
		},
	} {
		folder := t.TempDir()
		gate := make(chan struct{})
		h := open(t, folder, gated(openDir(t, folder), func() { <-gate }))
		h.archive.AtOnce = 1
		// The first stream keeps the only worker busy until the second one is damaged.
		first := h.publish("lobby", "first", film(1000))
		second := h.publish("lobby", "second", film(9<<20)) // more than memory holds
		third := h.publish("lobby", "third", film(1001))
		flip(t, second.Path(), 100)
		close(gate)
		h.archived(first)
		h.archived(third)
		h.close()
		if stats := h.archive.Stats(); stats.Archived != 2 || stats.Failures != 1 || stats.Waiting != 1 {
			t.Errorf("%s: %+v; want two archived and one failure", name, stats)
		}
		if keys := h.keys(""); len(keys) != 4 {
			t.Errorf("%s: the store has %q; want the good streams alone", name, keys)
		}
		if state := second.Info().State; state != relay.Ended {
			t.Errorf("%s: the damaged stream is %s; want it ended, and kept in the spool", name, state)
		}
	}
}

func flip(t *testing.T, file string, at int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func TestDeleteEndsTheArchivingOfAStream(t *testing.T) {
	for _, where := range []string{mediaFolder, roomsFolder} {
		folder := t.TempDir()
		store := &moody{Store: openDir(t, folder)}
		begun := make(chan struct{}, 10)
		store.set(func(ctx context.Context, key string) error {
			if key[:len(where)] != where {
				return nil
			}
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		h := open(t, folder, store)
		st := h.publish("lobby", "film.webm", film(100_000))
		<-begun
		if err := h.hub.Delete(t.Context(), st.ID(), relay.Identity{ID: "alice"}); err != nil {
			t.Errorf("Delete while %s is written = %v; want nil", where, err)
		}
		h.close()
		if keys := h.keys(""); len(keys) != 0 {
			t.Errorf("the store has %q; want nothing", keys)
		}
		if stats := h.archive.Stats(); stats.Waiting+stats.Running != 0 {
			t.Errorf("%+v; want nothing to do", stats)
		}
	}
}

func TestDeleteForgetsAStreamThatWaitsForTheStore(t *testing.T) {
	folder := t.TempDir()
	store := &moody{Store: openDir(t, folder)}
	failed := make(chan struct{}, 100)
	store.set(func(context.Context, string) error {
		failed <- struct{}{}
		return errAway
	})
	h := open(t, folder, store)
	st := h.publish("lobby", "film.webm", film(100_000))
	<-failed
	if err := h.hub.Delete(t.Context(), st.ID(), relay.Identity{ID: "alice"}); err != nil {
		t.Errorf("Delete() = %v; want nil", err)
	}
	if stats := h.archive.Stats(); stats.Waiting+stats.Running != 0 {
		t.Errorf("%+v; want nothing to do", stats)
	}
}

func TestWhatIsNotArchivedAtTheEndIsTakenUpByTheNextProcess(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		folder := t.TempDir()
		store := &moody{Store: openDir(t, folder)}
		store.set(func(ctx context.Context, _ string) error {
			if hangs {
				<-ctx.Done()
			}
			return errAway
		})
		h := open(t, folder, store)
		content := film(300_000)
		id := h.publish("lobby", "film.webm", content).ID()
		h.closeNow()

		store.set(nil)
		next := open(t, folder, store)
		st, err := next.hub.Stream(t.Context(), id, relay.Identity{})
		if err != nil {
			t.Fatal(err)
		}
		if info := next.archived(st); info.SHA256 != hexSum(content) {
			t.Errorf("hangs=%v: archived as %+v; want the content's hash", hangs, info)
		}
	}
}

func TestAProcessKilledAfterTheManifestDoesNotCopyAgain(t *testing.T) {
	folder := t.TempDir()
	store := &moody{Store: openDir(t, folder)}
	// The spool as it was before the stream was archived.
	store.set(func(context.Context, string) error { return errAway })
	h := open(t, folder, store)
	st := h.publish("lobby", "film.webm", film(300_000))
	h.closeNow()
	info := st.Info()

	// The same stream archived by a process that is killed before the spool lets go of it.
	store.set(nil)
	done := &Archive{Store: store, Logger: quiet}
	done.begin()
	info.State = relay.Archived
	if err := done.storeManifest(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	_ = done.Close(t.Context())

	store.set(func(context.Context, string) error { return errAway })
	next := open(t, folder, store)
	again, err := next.hub.Stream(t.Context(), info.ID, relay.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	if got := next.archived(again); !same(got, info) {
		t.Errorf("archived as %+v; want %+v", got, info)
	}
}

func TestAFolderTakesTheSpoolsFileOver(t *testing.T) {
	folder := t.TempDir()
	disk := openDir(t, folder)
	var linked os.FileInfo
	h := open(t, folder, adopting{disk, func(path string) {
		linked, _ = os.Stat(path)
	}})
	info := h.archived(h.publish("lobby", "film.webm", film(300_000)))
	keys := h.keys(mediaFolder)
	if len(keys) != 1 {
		t.Fatalf("the store has %q; want one content", keys)
	}
	stored, err := os.Stat(filepath.Join(folder, "archive", keys[0]))
	if err != nil || linked == nil || !os.SameFile(stored, linked) || stored.Size() != *info.Size {
		t.Errorf("the content is another file than the spool's, %v; want it linked", err)
	}
}

// adopting tells what is adopted.
type adopting struct {
	*dir.Store
	saw func(path string)
}

func (a adopting) Adopt(ctx context.Context, key, path string, o storage.Options) (storage.Info, error) {
	a.saw(path)
	return a.Store.Adopt(ctx, key, path, o)
}

func TestAnArchiveThatDidNothingCloses(t *testing.T) {
	a := &Archive{Store: sweeping{swept: make(chan struct{}, 1)}, Logger: quiet}
	if err := a.Close(t.Context()); err != nil {
		t.Errorf("Close() = %v; want nil", err)
	}
}

func TestTheStoreIsSweptSoonAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := sweeping{swept: make(chan struct{}, 100)}
		a := &Archive{Store: store, Logger: quiet}
		a.Start()
		time.Sleep(3*time.Hour + time.Minute)
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(store.swept); n != 4 {
			t.Errorf("swept %d times in three hours; want 4", n)
		}
	})
}

type sweeping struct {
	storage.Store
	swept chan struct{}
}

func (s sweeping) Sweep(context.Context, func(string) bool) (int, error) {
	s.swept <- struct{}{}
	return 0, errAway
}
