package webtransport_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/webtransport"
)

// site serves a Socket.IO server over HTTP and, at the same port of UDP, over WebTransport. It returns its URL and the hash
// of its certificate.
func site(t *testing.T, srv *sio.Server) (url, hash string) {
	t.Helper()
	cert, hash := lab.HashedCertificate(t)
	tcp, udp := lab.SamePort(t)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>webtransport</title>`)
	})
	mux.Handle("/testdata/", http.FileServer(http.Dir(".")))
	web := &http.Server{Handler: mux}
	door := &webtransport.Server{Handler: srv, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	served := make(chan error, 2)
	go func() { served <- web.Serve(tcp) }()
	go func() { served <- door.Serve(udp) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := door.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown of the door: %v", err)
		}
		web.Close()
		for range 2 {
			if err := <-served; err != http.ErrServerClosed {
				t.Errorf("Serve: %v", err)
			}
		}
	})
	return "http://" + tcp.Addr().String(), hash
}

func TestTheStockClientWorksInChromium(t *testing.T) {
	srv := &sio.Server{Client: os.DirFS(lab.PackagePath(t, "socket.io-client/dist")), Deflate: &sio.Deflate{Threshold: 1}}
	ns := srv.Of("/")
	ns.On("echo", func(e *sio.Event) {
		e.Socket.Emit("echo", e.Raw(0), e.Raw(1))
		e.Ack()
	})
	ns.On("reply", func(e *sio.Event) {
		var data []byte
		if err := e.Decode(0, &data); err != nil {
			t.Error(err)
		}
		e.Ack(data, len(data))
	})
	ns.On("leave", func(e *sio.Event) {
		e.Socket.Emit("last", []byte("words"))
		e.Socket.Disconnect(true)
	})
	url, hash := site(t, srv)
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	for _, transports := range []string{
		`["webtransport"]`, `["polling", "webtransport"]`, `["websocket"]`, `["polling", "websocket"]`,
	} {
		t.Run(transports, func(t *testing.T) {
			script := fmt.Sprintf(`import("/testdata/page.js").then(({ run }) => run(%s, %q))`, transports, hash)
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
