package s3

import (
	"bytes"
	"path/filepath"
	"testing"

	"sluice/internal/lab"
	"sluice/storage"
)

// growing is an object of which two parts of three and a bit were sent by a process that was killed.
func growing(t *testing.T, o Options, body []byte) {
	t.Helper()
	killed, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	g, err := killed.Grow(t.Context(), "film", bytes.NewReader(body), storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(t.Context(), 2*MinPartBytes); err != nil {
		t.Fatal(err)
	}
	if err := killed.Close(); err != nil { // and nothing more, as if it were killed
		t.Fatal(err)
	}
	g.(*growth).cancel(t.Context().Err())
}

func TestTheNextProcessSendsOnlyTheRest(t *testing.T) {
	server := lab.StartS3(t)
	body := random(3*MinPartBytes + 5)
	for name, c := range map[string]struct {
		change func(t *testing.T, next *Store, body []byte) // before it goes on
		sent   int                                          // parts
	}{
		"as it was":                    {func(*testing.T, *Store, []byte) {}, 2},
		"with other parts from now on": {func(_ *testing.T, next *Store, _ []byte) { next.options.PartBytes *= 2 }, 2},
		"with another second part":     {func(_ *testing.T, _ *Store, body []byte) { body[MinPartBytes] ^= 1 }, 3},
		"after the server has forgotten it": {func(t *testing.T, next *Store, _ []byte) {
			for id, b := range next.uploads.abandoned() {
				if err := next.core.AbortMultipartUpload(t.Context(), next.options.Bucket, b.name, id); err != nil {
					t.Fatal(err)
				}
			}
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			o := connect(t, server)
			o.Record = filepath.Join(t.TempDir(), "uploads")
			body := bytes.Clone(body)
			growing(t, o, body)
			w := through(t, &o)
			next := open(t, o)
			c.change(t, next, body)
			g, err := next.Grow(t.Context(), "film", bytes.NewReader(body), storage.Options{Size: -1})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Commit(t.Context(), int64(len(body))); err != nil {
				t.Fatal(err)
			}
			want(t, next, "film", body)
			if n := w.count("part"); n != c.sent {
				t.Errorf("%d parts were sent; want %d", n, c.sent)
			}
			if n := openUploadsOf(t, next); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		})
	}
}

func TestWhatGrowsHoldsNoMemoryBetweenTheParts(t *testing.T) {
	o := connect(t, lab.StartS3(t))
	s := open(t, o)
	body := random(MinPartBytes + 5)
	var all []storage.Growth
	for i := range 3 * defaultPartsAtOnce { // more than memory could hold
		g, err := s.Grow(t.Context(), string(rune('a'+i)), bytes.NewReader(body), storage.Options{Size: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Send(t.Context(), int64(len(body))); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	if total := s.parts.total; !s.parts.share.TryAcquire(total) {
		t.Error("memory is held though nothing is on its way")
	} else {
		s.parts.share.Release(total)
	}
	for _, g := range all {
		if err := g.Abort(); err != nil {
			t.Error(err)
		}
	}
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}
