package webtransport_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/webtransport"
)

// site serves a Socket.IO server over HTTP and, at the same port of UDP, over WebTransport. It returns its URL and the hash of
// its certificate.
func site(t *testing.T, srv *sio.Server) (url, hash string) {
	t.Helper()
	cert, sum := certificate(t)
	tcp, udp := samePort(t)
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
	return "http://" + tcp.Addr().String(), base64.StdEncoding.EncodeToString(sum[:])
}

// samePort listens at a port that is free both of TCP and of UDP.
func samePort(t *testing.T) (net.Listener, *net.UDPConn) {
	t.Helper()
	for attempts := 0; ; attempts++ {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Addr().(*net.TCPAddr).Port})
		if err == nil {
			return tcp, udp
		}
		tcp.Close()
		if attempts == 20 {
			t.Fatal(err)
		}
	}
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
	for _, transports := range []string{`["webtransport"]`, `["polling", "webtransport"]`, `["websocket"]`, `["polling", "websocket"]`} {
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
