package sluice_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows lists, for each package, the packages of this module that it may import. A new package or arrow begins here.
var arrows = map[string][]string{
	"chunker": {},

	"storage":             {},
	"storage/dir":         {"storage"},
	"storage/s3":          {"storage"},
	"storage/storagetest": {"storage"},

	"sio/packet":               {},
	"sio/internal/conformance": {"sio", "sio/engine", "sio/internal/websocket"},

	"sio/engine":  {"sio/internal/websocket"},
	"sio":         {"sio/browser", "sio/engine", "sio/packet"},
	"sio/siotest": {"sio", "sio/client"},
	"sio/client":  {"sio", "sio/packet"},
	"sio/browser": {"internal/static"},
	"sio/admin":   {"sio"},

	"sio/internal/websocket": {},
	"sio/webtransport":       {},

	"relay/spool":   {},
	"relay":         {"chunker", "relay/spool"},
	"relay/sockets": {"chunker", "relay", "sio"},
	"relay/httpd":   {"chunker", "relay"},
	"relay/hook":    {"relay"},
	"relay/archive": {"chunker", "relay", "storage"},

	"web": {"internal/static", "sio/browser"},

	"cmd/sluice": {
		"chunker", "relay", "relay/archive", "relay/hook", "relay/httpd", "relay/sockets", "sio", "sio/client", "sio/engine", "sio/webtransport",
		"storage", "storage/dir", "storage/s3", "web",
	},

	"bench":        {"bench/host", "bench/load", "bench/report", "internal/tools"},
	"bench/host":   {}, // processes, measured
	"bench/load":   {}, // clients
	"bench/report": {},
	"bench/relay":  {"sio"},
	"bench/limit":  {},

	"internal/faults": {},                 // the test that nothing is lost
	"internal/lab":    {"internal/tools"}, // the real parts that tests start
	"internal/tools":  {},                 // what they are made of
	"internal/static": {},                 // files embedded in the binary, as browsers cache them
}

// outside lists, for each module that is not ours, the packages that may import it. Tests may also import testOnly.
var outside = map[string][]string{
	"github.com/gobwas/ws":                    {"sio/engine", "sio/internal/websocket", "sio/client", "sio/internal/conformance"},
	"github.com/klauspost/compress":           {"chunker", "sio/engine", "sio/internal/websocket"},
	"github.com/gabriel-vasile/mimetype":      {"chunker"},
	"github.com/minio/minio-go/v7":            {"storage/s3"},
	"github.com/oklog/ulid/v2":                {"relay", "relay/archive"},
	"github.com/golang-jwt/jwt/v5":            {"cmd/sluice"},
	"github.com/HdrHistogram/hdrhistogram-go": {"bench/load"},
	"github.com/alecthomas/kong":              {"bench", "cmd/sluice"},
	"github.com/vbauerster/mpb/v8":            {"cmd/sluice"},
	"gonum.org/v1/plot":                       {"bench/report"},
	"github.com/chromedp/chromedp":            {"internal/lab"},
	"github.com/quic-go/quic-go":              {"sio/webtransport"},
	"github.com/quic-go/webtransport-go":      {"sio/webtransport"},
	"golang.org/x/crypto":                     {"sio/admin"}, // bcrypt alone: the passwords of npm's package are hashed by it
	"golang.org/x/sys":                        {"bench/host", "sio/engine", "relay/spool", "storage/dir"},
	"golang.org/x/sync":                       {"bench/load", "relay/archive", "storage/s3"},
	"golang.org/x/term":                       {"bench", "cmd/sluice"},
	"golang.org/x/time":                       {"relay/archive", "relay/sockets", "storage/s3"},
}

var testOnly = []string{
	"go.uber.org/goleak", "github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "github.com/gobwas/ws", "golang.org/x/time",
	"github.com/Shopify/toxiproxy/v2", "github.com/prometheus/client_golang", "github.com/rs/zerolog", // toxiproxy asks for these
}

func TestImportsPointOneWay(t *testing.T) {
	for file, imports := range goFiles(t) {
		pkg := path.Dir(file)
		test := strings.HasSuffix(file, "_test.go")
		if _, known := arrows[pkg]; !known && pkg != "." {
			t.Errorf("%s: package %s has no line in arrows", file, pkg)
		}
		for _, imported := range imports {
			check(t, file, pkg, imported, test)
		}
	}
}

// isModule reports whether a folder is a module of its own.
func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// check holds one import against the lists. Tests import what they like of ours: they use real parts.
func check(t *testing.T, file, pkg, imported string, test bool) {
	if ours, ok := strings.CutPrefix(imported, "sluice/"); ok {
		if !test && !slices.Contains(arrows[pkg], ours) {
			t.Errorf("%s imports %s, which arrows does not allow", file, ours)
		}
		return
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	for module, users := range outside {
		if within(imported, module) && (slices.Contains(users, pkg)) {
			return
		}
	}
	if test && slices.ContainsFunc(testOnly, func(m string) bool { return within(imported, m) }) {
		return
	}
	t.Errorf("%s imports %s, which outside does not allow", file, imported)
}

func within(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

func TestArrowsHaveNoStaleLines(t *testing.T) {
	found := map[string]bool{}
	for file := range goFiles(t) {
		found[path.Dir(file)] = true
	}
	for pkg := range arrows {
		if !found[pkg] {
			t.Errorf("arrows lists %s, which does not exist", pkg)
		}
	}
}

// goFiles returns the imports of every Go file of the module.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() && name != "." && isModule(name):
			return fs.SkipDir // of others' servers, which the benchmark measures
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		files[name] = nil
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			files[name] = append(files[name], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
