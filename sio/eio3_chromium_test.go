package sio_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

// In a browser a client of Socket.IO 2 sends and takes bytes over polling, which in Node it does not.
func TestClientsOfSocketIO2WorkInChromium(t *testing.T) {
	srv := oldServer(t)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/dist/", http.StripPrefix("/dist/", http.FileServer(http.Dir(lab.PackagePath(t, "socket.io-client-2/dist")))))
	mux.Handle("/testdata/", http.FileServer(http.Dir(".")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><script src="/dist/socket.io.js"></script><script src="/testdata/page2.js"></script>`)
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	defer srv.Shutdown(t.Context())
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(web.URL)); err != nil {
		t.Fatal(err)
	}
	for _, transports := range []string{`["polling"]`, `["websocket"]`, `["polling", "websocket"]`} {
		for _, base64 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,base64=%v", transports, base64), func(t *testing.T) {
				script := fmt.Sprintf(`run({ transports: %s, forceBase64: %v })`, transports, base64)
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
