package archive

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"sluice/relay"
	"sluice/storage"
)

// plant writes the manifest of a stream that began at t, and returns its id.
func plant(t *testing.T, a *Archive, room string, at time.Time) string {
	t.Helper()
	id, err := ulid.New(ulid.Timestamp(at), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	info := relay.Info{ID: id.String(), Room: room, State: relay.Archived, Size: &size, Created: at.UTC()}
	if err := a.storeManifest(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	return info.ID
}

// newArchive returns an archive in a folder without a hub.
func newArchive(t *testing.T) (*Archive, string) {
	t.Helper()
	folder := t.TempDir()
	a := &Archive{Store: openDir(t, folder), Logger: quiet}
	a.begin()
	t.Cleanup(func() { _ = a.Close(t.Context()) })
	return a, filepath.Join(folder, "archive")
}

func TestTheNewestAreFoundHoweverOldTheyAre(t *testing.T) {
	a, _ := newArchive(t)
	now := time.Now()
	var all []string
	for _, age := range []time.Duration{
		-time.Hour, 0, time.Second, 59 * time.Second, time.Minute, 90 * time.Second, 20 * time.Minute, 5 * time.Hour,
		day, 4 * day, 49 * day, 50 * day, 700 * day, 800 * day, 30 * 365 * day, 50 * 365 * day,
	} {
		all = append(all, plant(t, a, "lobby", now.Add(-age)))
	}
	plant(t, a, "another", now)
	slices.Sort(all)
	slices.Reverse(all)
	for limit := range len(all) + 2 {
		for i := range len(all) + 1 {
			before := ""
			if i > 0 {
				before = all[i-1]
			}
			got, err := a.newest(t.Context(), "lobby", before, limit)
			if want := all[i:min(i+limit, len(all))]; err != nil || !slices.Equal(got, want) {
				t.Fatalf("newest(before %q, %d) = %q, %v; want %q", before, limit, got, err, want)
			}
		}
	}
	for _, before := range []string{"zzz", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"} {
		if got, err := a.newest(t.Context(), "lobby", before, 100); err != nil || !slices.Equal(got, all) {
			t.Errorf("newest(before %q) = %d ids, %v; want all %d", before, len(got), err, len(all))
		}
	}
	if got, err := a.newest(t.Context(), "lobby", "0", 100); err != nil || len(got) != 0 {
		t.Errorf(`newest(before "0") = %q, %v; want none`, got, err)
	}
}

func TestAListOverDamagedManifestsGoesOn(t *testing.T) {
	a, folder := newArchive(t)
	now := time.Now()
	var good []string
	for i := range 20 {
		id := plant(t, a, "lobby", now.Add(-time.Duration(i)*time.Hour))
		if i%4 == 0 {
			good = append(good, id)
			continue
		}
		a.memo.remove(id)
		file := filepath.Join(folder, manifestKey("lobby", id))
		for _, spoil := range []error{
			[]error{os.Truncate(file, 3), os.WriteFile(file, []byte("{"), 0o600), os.Remove(file)}[i%4-1],
		} {
			if spoil != nil {
				t.Fatal(spoil)
			}
		}
	}
	infos, err := a.List(t.Context(), "lobby", "", 4)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, info := range infos {
		got = append(got, info.ID)
	}
	if !slices.Equal(got, good[:4]) {
		t.Errorf("List() = %q; want the good ones %q", got, good[:4])
	}
}

func TestTheMemoryForManifestsIsBounded(t *testing.T) {
	m := newMemo()
	m.limit = 1000
	for i := range 100 {
		m.put(relay.Info{ID: fmt.Sprint(i)}, 100)
		if _, ok := m.get("0"); !ok {
			t.Fatalf("what is used all the time was forgotten after %d", i)
		}
	}
	if m.bytes > 1000 || len(m.byID) != 10 || m.order.Len() != 10 {
		t.Errorf("%d bytes of %d manifests are remembered; want 1000 of 10", m.bytes, len(m.byID))
	}
	if _, ok := m.get("50"); ok {
		t.Error("what was long not used is still remembered")
	}
	m.put(relay.Info{ID: "0"}, 200)
	m.remove("0")
	m.remove("0")
	if m.bytes != 800 {
		t.Errorf("%d bytes are accounted for; want 800", m.bytes)
	}
	m.put(relay.Info{ID: "huge"}, 2000)
	if m.bytes != 0 {
		t.Errorf("%d bytes are accounted for after one that does not fit; want 0", m.bytes)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"id":"01KG9ZZZZZZZZZZZZZZZZZZZZZ","room":"r","kind":"file","size":1,"offset":1,"state":"archived","url":"/"}`))
	f.Add([]byte(`{"id":"../x","state":"archived","size":0}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := parseManifest(text)
		if err != nil {
			return
		}
		id, err := parseID(info.ID)
		if err != nil || *info.Size < 0 {
			t.Fatalf("parseManifest(%q) = %+v", text, info)
		}
		for _, key := range []string{contentKey(id, info), manifestKey(info.Room, info.ID)} {
			if err := storage.CheckKey(key); err != nil {
				t.Fatalf("%q leads to %v", text, err)
			}
		}
	})
}
