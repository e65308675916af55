package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"sluice/internal/lab"
	"sluice/sio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page serves an empty page with what it imports: the client in a folder, or ours; and the scripted server.
func page(t *testing.T, client fs.FS) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/scripted/", &scripted{})
	mux.Handle("/socket.io/", &sio.Server{Client: client})
	mux.Handle("/testdata/", http.FileServer(http.Dir(".")))
	parser := msgpackParser(t)
	mux.HandleFunc("GET /parser.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(parser)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>suite</title><script src="/socket.io/socket.io.js"></script>`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// msgpackParser is npm's, as a module for browsers.
func msgpackParser(t *testing.T) []byte {
	t.Helper()
	esbuild := lab.GoTool(t, "github.com/evanw/esbuild", "cmd/esbuild")
	code, err := exec.Command(esbuild, lab.PackagePath(t, "socket.io-msgpack-parser"), "--bundle", "--format=esm").Output()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// stock is npm's client.
func stock(t *testing.T) fs.FS { return os.DirFS(lab.PackagePath(t, "socket.io-client/dist")) }

// server is one that the suite talks to.
type server struct {
	URL         string `json:"url"`
	Recovering  string `json:"recovering"`            // the URL of one that recovers connections
	Msgpack     string `json:"msgpack"`               // the URL of one that speaks it
	Certificate string `json:"certificate,omitempty"` // the SHA-256 of that of WebTransport
}

// servers are for pages of an origin.
func servers(t *testing.T, origin string) map[string]server {
	node := lab.StartNode(t, "server.mjs")
	var ports [3]string
	for i := range ports {
		ports[i] = "http://127.0.0.1:" + node.Line()
	}
	certificate, hash := newCertificate(t)
	ours := startApplication(t, origin, certificate, nil).url
	recovering := startApplication(t, origin, certificate, &sio.Recovery{}).url
	return map[string]server{
		"our server":    {URL: ours, Recovering: recovering, Msgpack: ours, Certificate: hash},
		"Node's server": {URL: ports[0], Recovering: ports[1], Msgpack: ports[2]},
	}
}

func TestOurClientDoesWhatItMust(t *testing.T) {
	testClient(t, page(t, nil), "connection", "recovery", "events", "ours")
}

// The same tests, but for the few things in which our client is meant to differ.
func TestTheStockClientDoesTheSame(t *testing.T) {
	testClient(t, page(t, stock(t)), "connection", "recovery", "events")
}

// testClient runs the groups of tests on every transport, and those of options once, with each server.
func testClient(t *testing.T, page string, groups ...string) {
	servers := servers(t, page)
	ctx := lab.Chromium(t)
	for name, s := range servers {
		ways := [][]string{{"polling"}, {"websocket"}, {"polling", "websocket"}}
		options := []string{"options", "msgpack"}
		if s.Certificate != "" {
			ways = append(ways, []string{"webtransport"}, []string{"polling", "webtransport"})
			options = append(options, "webtransport")
		}
		for _, transports := range ways {
			t.Run(name+" "+strings.Join(transports, " "), func(t *testing.T) { run(ctx, t, groups, page, s, transports) })
		}
		t.Run(name+" options", func(t *testing.T) { run(ctx, t, options, page, s, nil) })
	}
}

// run runs groups of tests in the page, loaded anew.
func run(ctx context.Context, t *testing.T, groups []string, page string, s server, transports []string) {
	t.Helper()
	with, err := json.Marshal(struct {
		server
		Scripted   string   `json:"scripted"`
		Transports []string `json:"transports,omitempty"`
	}{s, page, transports})
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`(async () => {
		const [client, { run }] = await Promise.all([import("/socket.io/socket.io.esm.js"), import("/testdata/suite/suite.js")]);
		return run(client, %q.split(" "), %s);
	})()`, strings.Join(groups, " "), with)
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	failures, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range failures {
		t.Error(failure)
	}
}

func TestTheClassicScriptDefinesIO(t *testing.T) {
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(page(t, nil))); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[typeof io, typeof io.Manager, io.protocol, typeof Emitter].join()`))
	if want := "function,function,5,undefined"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
