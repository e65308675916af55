package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/lab"
)

// cutting forwards requests to a server, and breaks every response off after so many bytes of content.
func cutting(t *testing.T, target string, after int64) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.Path, nil)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		if n, _ := io.CopyN(w, resp.Body, after); n == after {
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestGetGoesOnWhereItWasBrokenOff(t *testing.T) {
	s := lab.Sluice(t)
	path, content := randomFile(t, 1_000_000)
	sent, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", "--json", path)
	if err != nil {
		t.Fatal(err)
	}
	id := infos(t, sent)[0].ID
	out, said, err := sluice(t, "get", "--server", cutting(t, s.URL, 400_000), id, "-o", "-")
	if err != nil || out != string(content) {
		t.Errorf("get = %d bytes, %v; want %d", len(out), err, len(content))
	}
	if strings.Count(said, "going on at") != 2 {
		t.Errorf("it said %q; want two interruptions", said)
	}
}

func TestGetSavesUnderASafeAndUniqueName(t *testing.T) {
	s := lab.Sluice(t)
	path, content := randomFile(t, 1000)
	t.Chdir(t.TempDir())
	sent, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", "--json", "--name", "..Жук: \"1\".bin", path)
	if err != nil {
		t.Fatal(err)
	}
	id := infos(t, sent)[0].ID
	for _, want := range []string{"Жук_ _1_.bin", "Жук_ _1_ (2).bin"} {
		out, said, err := sluice(t, "get", "--server", s.URL, id)
		if err != nil || out != want+"\n" || said != "" {
			t.Errorf("get printed %q, %q, %v; want %s", out, said, err, want)
		}
	}
	for range 2 { // a name that was asked for is used
		if _, _, err := sluice(t, "get", "--server", s.URL, id, "-o", "x/y.bin"); err != nil {
			t.Error(err)
		}
	}
	got := files(t, "x")
	if len(got) != 1 || !bytes.Equal(got["y.bin"], content) {
		t.Errorf("in x are %d files", len(got))
	}
}

func TestGetFollowsAnOpenStream(t *testing.T) {
	s := lab.Sluice(t)
	stdin, feed := io.Pipe()
	send := startSluice(t, stdin, "send", "--server", s.URL, "--room", "r", "--live", "-")
	if _, err := io.WriteString(feed, "one "); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it begins", func() bool { return send.out.String() != "" })
	id := filepath.Base(strings.TrimSpace(send.out.String()))
	get := startSluice(t, nil, "get", "--server", s.URL, id, "-o", "-")
	eventually(t, "what there is", func() bool { return get.out.String() == "one " })
	if _, err := io.WriteString(feed, "two"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if err := get.wait(); err != nil || get.out.String() != "one two" {
		t.Errorf("get = %q, %v", get.out.String(), err)
	}
}

func TestGetLeavesNothingBehindWhenItFails(t *testing.T) {
	sum := sha256.Sum256([]byte("right"))
	for name, answer := range map[string]http.HandlerFunc{
		"missing": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"ok":false,"error":{"code":"not_found","message":"no such stream"}}`)
		},
		"no sluice": http.NotFound,
		"altered": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", fmt.Sprintf("%q", hex.EncodeToString(sum[:])))
			io.WriteString(w, "wrong")
		},
		"cut at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"other part": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", "bytes 0-9/10")
				w.WriteHeader(http.StatusPartialContent)
				return
			}
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "12345")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			t.Chdir(t.TempDir())
			if out, _, err := sluice(t, "get", "--server", s.URL, "id"); err == nil || out != "" {
				t.Errorf("get printed %q, %v; want an error", out, err)
			}
			if got := files(t, "."); len(got) != 0 {
				t.Errorf("it left %q", got)
			}
		})
	}
}

func TestGetOfASymbolicLinkDoesNotFollowIt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="trap"`)
		io.WriteString(w, "content")
	}))
	defer s.Close()
	t.Chdir(t.TempDir())
	if err := os.Symlink(filepath.Join(t.TempDir(), "target"), "trap"); err != nil {
		t.Fatal(err)
	}
	out, _, err := sluice(t, "get", "--server", s.URL, "id")
	if err != nil || out != "trap (2)\n" {
		t.Errorf("get printed %q, %v; want trap (2)", out, err)
	}
}
