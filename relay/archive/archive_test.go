package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/goleak"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
	"sluice/storage/dir"
	"sluice/storage/s3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// house is a hub with its archive.
type house struct {
	*testing.T
	folder  string
	store   storage.Store
	archive *Archive
	hub     *relay.Hub
}

// open starts a hub in folder that archives to store, until the test ends or close is called.
func open(t *testing.T, folder string, store storage.Store) *house {
	t.Helper()
	return openWith(t, folder, store, relay.Limits{})
}

func openWith(t *testing.T, folder string, store storage.Store, limits relay.Limits) *house {
	t.Helper()
	h := &house{T: t, folder: folder, store: store}
	h.archive = &Archive{Store: store, Logger: quiet}
	h.hub = &relay.Hub{Dir: filepath.Join(folder, "spool"), Archive: h.archive, Logger: quiet, Limits: limits}
	if err := h.hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func (h *house) close() {
	h.Helper()
	if h.hub == nil {
		return
	}
	if err := errors.Join(h.archive.Close(context.Background()), h.hub.Close()); err != nil {
		h.Error(err)
	}
	h.hub = nil
}

// closeNow does not wait for the store.
func (h *house) closeNow() {
	h.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := errors.Join(h.archive.Close(ctx), h.hub.Close()); err != nil {
		h.Error(err)
	}
	h.hub = nil
}

func openDir(t *testing.T, folder string) *dir.Store {
	t.Helper()
	s, err := dir.Open(filepath.Join(folder, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openS3(t *testing.T, server *lab.S3Server) *s3.Store {
	t.Helper()
	t.Setenv("SSL_CERT_FILE", server.CAFile)
	o, err := s3.ParseURL(server.URL + "&part-size=5&prefix=" + rand.Text())
	if err != nil {
		t.Fatal(err)
	}
	o.Logger = quiet
	s, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// publish publishes content and returns the stream as it has ended.
func (h *house) publish(room, name string, content []byte) *relay.Stream {
	h.Helper()
	w, err := h.hub.Publish(h.Context(), relay.Spec{
		Room: room, Name: name, Meta: json.RawMessage(`{"take":1}`), Who: relay.Identity{ID: "alice"},
	})
	if err != nil {
		h.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		h.Fatal(err)
	}
	if _, err := w.Finish(h.Context(), ""); err != nil {
		h.Fatal(err)
	}
	return w.Stream()
}

// archived waits until the stream is in the store.
func (h *house) archived(st *relay.Stream) relay.Info {
	h.Helper()
	f := st.Follow(0)
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		info := st.Info()
		switch info.State {
		case relay.Archived:
			return info
		case relay.Ended:
		default:
			h.Fatalf("the stream is %s; want it archived", info.State)
		}
		if err := f.Wait(ctx); err != nil {
			h.Fatalf("the stream is still %s: %+v", info.State, h.archive.Stats())
		}
	}
}

func (h *house) keys(prefix string) (keys []string) {
	h.Helper()
	err := h.store.List(context.Background(), prefix, "", func(info storage.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	return keys
}

func (h *house) read(key string) []byte {
	h.Helper()
	r, _, err := h.store.Open(h.Context(), key, 0, -1)
	if err != nil {
		h.Fatalf("Open(%s) = %v", key, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

// film is size bytes that are recognized as WebM.
func film(size int) []byte {
	b := make([]byte, size)
	src := mathrand.NewChaCha8([32]byte{byte(size)})
	_, _ = src.Read(b)
	copy(b, "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm")
	return b
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// stores are the kinds of store that the archive is used with.
func stores(t *testing.T, run func(t *testing.T, folder string, store storage.Store)) {
	t.Run("in a folder", func(t *testing.T) {
		folder := t.TempDir()
		run(t, folder, openDir(t, folder))
	})
	t.Run("in S3", func(t *testing.T) {
		run(t, t.TempDir(), openS3(t, lab.StartS3(t)))
	})
}

func TestAStreamIsArchivedAsTheContractSays(t *testing.T) {
	stores(t, func(t *testing.T, folder string, store storage.Store) {
		h := open(t, folder, store)
		const room = "späte Stunde/../#1"
		content := film(12<<20 + 5)
		info := h.archived(h.publish(room, "Ünïcödé 🎬.webm", content))

		id, err := ulid.ParseStrict(info.ID)
		if err != nil {
			t.Fatal(err)
		}
		day := ulid.Time(id.Time()).UTC().Format("2006/01/02")
		media, manifest := "media/"+day+"/"+info.ID+".webm", "rooms/"+hexSum([]byte(room))+"/"+info.ID+".json"
		if got, want := h.keys(""), []string{media, manifest}; !slices.Equal(got, want) {
			t.Fatalf("the store has %q; want %q", got, want)
		}
		if got := h.read(media); !bytes.Equal(got, content) {
			t.Errorf("the content has %d bytes; want the %d published", len(got), len(content))
		}
		object, err := store.Stat(t.Context(), media)
		if err != nil || object.Type != "video/webm" || object.Meta["room"] != room ||
			object.Meta["name"] != "Ünïcödé 🎬.webm" {
			t.Errorf("the content is %+v, %v; want its type, room and name", object, err)
		}
		_, grown := store.(storage.Grower) // and begun before the hash was known
		if hash := object.Meta["sha256"]; hash != hexSum(content) && !grown {
			t.Errorf("the content's hash is %q; want %q", hash, hexSum(content))
		}
		var stream map[string]any
		if err := json.Unmarshal(h.read(manifest), &stream); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"id": info.ID, "room": room, "name": "Ünïcödé 🎬.webm", "type": "video/webm", "kind": "file",
			"state": "archived", "sha256": hexSum(content), "size": float64(len(content)), "url": "/media/" + info.ID,
		} {
			if stream[name] != want {
				t.Errorf("the manifest says %s: %v; want %v", name, stream[name], want)
			}
		}
	})
}

func TestWhatIsArchivedIsFoundListedReadAndDeleted(t *testing.T) {
	stores(t, func(t *testing.T, folder string, store storage.Store) {
		h := open(t, folder, store)
		var infos []relay.Info
		for i := range 5 {
			infos = append(infos, h.archived(h.publish("lobby", "film.webm", film(100_000+i))))
		}
		other := h.archived(h.publish("elsewhere", "", nil))
		h.close()

		// Another process knows only the store.
		a := &Archive{Store: store, Logger: quiet}
		defer a.Close(t.Context())
		for _, want := range append(infos, other) {
			for range 2 { // from the store, and remembered
				if got, err := a.Find(t.Context(), want.ID); err != nil || !same(got, want) {
					t.Errorf("Find(%s) = %+v, %v; want %+v", want.ID, got, err, want)
				}
			}
		}
		slices.SortFunc(infos, func(x, y relay.Info) int { return strings.Compare(y.ID, x.ID) })
		wantList(t, a, "", 10, infos)
		wantList(t, a, "", 2, infos[:2])
		wantList(t, a, infos[1].ID, 2, infos[2:4])
		wantList(t, a, infos[4].ID, 2, nil)

		content := film(int(*infos[0].Size))
		r, err := a.Open(t.Context(), infos[0], 1000, 50)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); !bytes.Equal(got, content[1000:1050]) || err != nil {
			t.Errorf("read %d bytes, %v; want bytes 1000 to 1050", len(got), err)
		}
		_ = r.Close()

		for range 2 {
			if err := a.Delete(t.Context(), infos[0]); err != nil {
				t.Errorf("Delete() = %v; want nil", err)
			}
		}
		wantGone(t, a, infos[0])
		wantList(t, a, "", 10, infos[1:])
	})
}

func same(a, b relay.Info) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func wantList(t *testing.T, a *Archive, before string, limit int, want []relay.Info) {
	t.Helper()
	got, err := a.List(t.Context(), "lobby", before, limit)
	if err != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("List(before %q, %d) = %d streams, %v; want %d, newest first", before, limit, len(got), err, len(want))
	}
}

func wantGone(t *testing.T, a *Archive, info relay.Info) {
	t.Helper()
	if got, err := a.Find(t.Context(), info.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find of a deleted stream = %+v, %v; want fs.ErrNotExist", got, err)
	}
	if r, err := a.Open(t.Context(), info, 0, -1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a deleted stream = %v; want fs.ErrNotExist", err)
		if err == nil {
			_ = r.Close()
		}
	}
}

func TestNoIDLeadsOutOfTheArchive(t *testing.T) {
	folder := t.TempDir()
	a := &Archive{Store: openDir(t, folder), Logger: quiet}
	defer a.Close(t.Context())
	for _, id := range []string{
		"", "x", "../../../../etc/passwd", strings.Repeat("0", 26), strings.Repeat("8", 26), strings.Repeat("z", 26),
		strings.ToLower(ulid.Make().String()), "0123456789ABCDEFGHJKMNPQR/", ulid.Make().String(),
	} {
		if info, err := a.Find(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Find(%q) = %+v, %v; want fs.ErrNotExist", id, info, err)
		}
	}
}
