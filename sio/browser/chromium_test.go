package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"sluice/internal/lab"
	"sluice/sio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page serves an empty page with what it imports, and the scripted server.
func page(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/scripted/", &scripted{})
	mux.Handle("/socket.io/", &sio.Server{})
	mux.Handle("/testdata/", http.FileServer(http.Dir(".")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>suite</title><script src="/socket.io/socket.io.js"></script>`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestTheClientDoesWhatItMust(t *testing.T) {
	here := page(t)
	servers := map[string]string{
		"ours":   startApplication(t).url,
		"Node's": "http://127.0.0.1:" + lab.StartNode(t, "server.mjs").Line(),
	}
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(here)); err != nil {
		t.Fatal(err)
	}
	for name, url := range servers {
		for _, transports := range []string{`["polling"]`, `["websocket"]`, `["polling", "websocket"]`} {
			t.Run(name+" "+transports, func(t *testing.T) {
				script := fmt.Sprintf(`(async () => {
					const [{ io }, { run }] = await Promise.all([import("/socket.io/socket.io.esm.js"), import("/testdata/suite.js")]);
					return run(io, { url: %q, scripted: %q, transports: %s });
				})()`, url, here, transports)
				failures, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](script, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				for _, failure := range failures {
					t.Error(failure)
				}
			})
		}
	}
}

func TestTheClassicScriptDefinesIO(t *testing.T) {
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(page(t))); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[typeof io, typeof io.Manager, io.protocol, typeof Emitter].join()`))
	if want := "function,function,5,undefined"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
