package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handler is what is tested; to make one takes a moment, for it compresses all files.
var handler = sync.OnceValue(Handler)

func get(t *testing.T, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w.Result()
}

func TestEveryResponseIsGuarded(t *testing.T) {
	for _, c := range []struct {
		method, target string
		status         int
	}{
		{"GET", "/", http.StatusOK},
		{"HEAD", "/?room=garden", http.StatusOK},
		{"GET", "/sluice.js", http.StatusOK},
		{"GET", "/page/main.js", http.StatusOK},
		{"GET", "/nothing", http.StatusNotFound},
		{"GET", "/page/", http.StatusNotFound},
		{"GET", "/../web.go", http.StatusNotFound},
		{"POST", "/", http.StatusMethodNotAllowed},
	} {
		res := get(t, c.method, c.target)
		if res.StatusCode != c.status {
			t.Errorf("%s %s: status %d; want %d", c.method, c.target, res.StatusCode, c.status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s %s: %s %q; want %q", c.method, c.target, name, got, want)
			}
		}
	}
}

func TestFilesAreCompressedAndNotSentTwice(t *testing.T) {
	res := get(t, "GET", "/sluice.js", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Error("sluice.js came plain to a browser that can unzip")
	}
	again := get(t, "GET", "/sluice.js", "Accept-Encoding", "gzip", "If-None-Match", res.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d for what the browser has; want 304", again.StatusCode)
	}
}

func TestEveryFileHasAType(t *testing.T) {
	each(t, func(name string, _ []byte) {
		if contentTypes[path.Ext(name)] == "" {
			t.Errorf("%s has no content type", name)
		}
	})
}

func TestThePageHoldsToItsPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<script(?:[^>]*type="module" src)?>|<style|\sstyle=|\son\w+="|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"javascript:`)
	outside := regexp.MustCompile(`["'(]https?://[^"')]*`)
	each(t, func(name string, text []byte) {
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %q, which the policy forbids or injection would like", name, found)
		}
		if found := outside.Find(text); found != nil && !strings.Contains(string(found), "www.w3.org/2000/svg") {
			t.Errorf("%s refers to %s, another server", name, found)
		}
	})
}

func TestEveryImportIsServed(t *testing.T) {
	imports := regexp.MustCompile(`(?m)^(?:import|export) .*from "([^"]+)";`)
	each(t, func(name string, text []byte) {
		for _, match := range imports.FindAllSubmatch(text, -1) {
			target := path.Join("/", path.Dir(name), string(match[1]))
			if strings.HasPrefix(string(match[1]), "/") {
				target = string(match[1])
			}
			if res := get(t, "GET", target); res.StatusCode != http.StatusOK {
				t.Errorf("%s imports %s: status %d", name, target, res.StatusCode)
			}
		}
	})
}

// each calls f with every file that is served.
func each(t *testing.T, f func(name string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		f(name, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
