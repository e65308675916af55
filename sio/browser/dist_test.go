package browser_test

import (
	"bytes"
	"flag"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/browser"
)

var update = flag.Bool("update", false, "write dist anew")

// banner is the first line of what is served.
const banner = "// Sluice's Socket.IO client for browsers, minified (Apache-2.0). To read it: sio/browser/io.js in Sluice's source.\n"

// made says which module each file of dist is made from, and in which format.
var made = map[string][]string{
	"socket.io.esm.js": {"io.js", "--format=esm"},
	"socket.io.js":     {"script.js", "--format=iife"},
}

func TestWhatIsServedIsMadeFromTheModules(t *testing.T) {
	esbuild := lab.GoTool(t, "github.com/evanw/esbuild", "cmd/esbuild")
	for name, args := range made {
		args = append(args, "--bundle", "--minify", "--line-limit=120", "--target=es2022", "--legal-comments=none", "--charset=utf8",
			"--log-level=warning")
		cmd := exec.Command(esbuild, args...)
		cmd.Stderr = t.Output()
		code, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte(banner), code...)
		file := filepath.Join("dist", name)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the modules make (%v): run go generate ./sio/browser", file, err)
		}
	}
}

func TestTheClientIsUnder8KB(t *testing.T) {
	const most = 8 * 1024
	for name := range made {
		r := httptest.NewRequest("GET", "/socket.io/"+name, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		new(sio.Server).ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= most {
			t.Errorf("%s: status %d, %d bytes, encoding %q; want less than %d, gzipped",
				name, w.Code, w.Body.Len(), w.Header().Get("Content-Encoding"), most)
		}
		t.Logf("%s: %d bytes gzipped", name, w.Body.Len())
	}
}

func TestTheFirstLineSaysWhatItIs(t *testing.T) {
	for name := range made {
		data, err := fs.ReadFile(browser.FS, name)
		if err != nil || !strings.HasPrefix(string(data), banner) {
			t.Errorf("%s begins %.40q, %v; want %q", name, data, err, banner)
		}
	}
}

func TestEveryModuleIsPartOfWhatIsServed(t *testing.T) {
	served, err := fs.ReadDir(browser.FS, ".")
	if err != nil || len(served) != len(made) {
		t.Errorf("%d files are served, %v; want %d", len(served), err, len(made))
	}
}
