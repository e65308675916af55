package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/webtransport"
)

// clientPage serves a page with the stock client, and the checks as a module.
func clientPage(t *testing.T) string {
	t.Helper()
	client := lab.PackageFile(t, "socket.io-client/dist/socket.io.js")
	mux := http.NewServeMux()
	mux.Handle("/testdata/", http.FileServer(http.Dir(".")))
	mux.HandleFunc("/client.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(client)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>clients</title><script src="/client.js"></script>`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// outcome is what checks.mjs returns.
type outcome struct {
	Done   []string
	Failed string
}

func TestTheStockClientInChromium(t *testing.T) {
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(clientPage(t))); err != nil {
		t.Fatal(err)
	}
	for _, over := range transports {
		t.Run("over "+over, func(t *testing.T) {
			checkInPage(t, ctx, startApplication(t), fmt.Sprintf(`{ transports: %q.split(",") }`, over))
		})
	}
}

func TestTheStockClientInChromiumOverWebTransport(t *testing.T) {
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(clientPage(t))); err != nil {
		t.Fatal(err)
	}
	for _, over := range []string{"webtransport", "polling,webtransport"} {
		t.Run("over "+over, func(t *testing.T) {
			io := newOpenSIOC()
			tcp, udp := lab.SamePort(t)
			door, hash := openDoor(t, io, udp)
			a := serveApplication(t, io, tcp)
			a.door = door
			checkInPage(t, ctx, a, fmt.Sprintf(`{ transports: %q.split(","), transportOptions: { webtransport: {
				serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.from(atob(%q), (c) => c.charCodeAt(0)) }] } } }`, over, hash))
		})
	}
}

// door is where clients come in over WebTransport. It can be shut in their faces, and is then open for others.
type door struct {
	t    *testing.T
	io   *sio.Server
	cert tls.Certificate
	addr *net.UDPAddr

	mu   sync.Mutex
	open *webtransport.Server // guarded by mu
	done chan error           // guarded by mu: how open ended
}

// openDoor serves WebTransport at a socket of UDP. hash is that of its certificate.
func openDoor(t *testing.T, io *sio.Server, udp *net.UDPConn) (d *door, hash string) {
	t.Helper()
	cert, hash := lab.HashedCertificate(t)
	d = &door{t: t, io: io, cert: cert, addr: udp.LocalAddr().(*net.UDPAddr)}
	d.serve(udp)
	t.Cleanup(d.shut)
	return d, hash
}

func (d *door) serve(udp *net.UDPConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	srv := &webtransport.Server{Handler: d.io, TLSConfig: &tls.Config{Certificates: []tls.Certificate{d.cert}}}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(udp) }()
	d.open, d.done = srv, done
}

func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open.Close()
	if err := <-d.done; err != http.ErrServerClosed {
		d.t.Errorf("Serve: %v", err)
	}
}

// cut ends all connections, and lets the clients come again.
func (d *door) cut() {
	d.shut()
	udp, err := net.ListenUDP("udp", d.addr)
	if err != nil {
		d.t.Error(err)
		return
	}
	d.serve(udp)
}

// checkInPage runs the checks in the page that is open, with the stock client and these options of it, in JavaScript.
func checkInPage(t *testing.T, ctx context.Context, a *application, options string) {
	t.Helper()
	script := fmt.Sprintf(`import("/testdata/checks.mjs").then(({ check }) => check({
		io, url: %q, cut: %q, options: %s, bytes: (list) => Uint8Array.from(list).buffer, recovers: true,
	}))`, a.url, a.control, options)
	got, err := chromedp.Run(ctx, chromedp.Evaluate[outcome](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if done := strings.Join(got.Done, ", "); done != all+", recovery" || got.Failed != "" {
		t.Errorf("what worked: %s; %s", done, got.Failed)
	}
}
