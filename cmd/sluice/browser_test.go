package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

func TestTheStockClientWorksInABrowserOnEveryTransport(t *testing.T) {
	s := lab.Sluice(t)
	sendInBrowser(t, s.URL, 9, `"", { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] }`)
}

func TestTheStockClientWorksInABrowserOverWebTransport(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	cert, key, hash := hashed(t)
	s := lab.Sluice(t, "--webtransport", "--tls-cert", cert, "--tls-key", key, "--origin", page.URL)
	sendInBrowser(t, page.URL, 1, fmt.Sprintf(`%q, { webtransport: ["webtransport"] }, { transportOptions: { webtransport: {
		serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.from(atob(%q), (c) => c.charCodeAt(0)) }] } } }`, s.URL, hash))
}

// sendInBrowser runs browser.js in a page, with the arguments it takes, and wants so many ways to have been gone.
func sendInBrowser(t *testing.T, page string, ways int, args string) {
	t.Helper()
	stock := lab.PackageFile(t, "socket.io-client/dist/socket.io.js")
	script, err := os.ReadFile("testdata/browser.js")
	if err != nil {
		t.Fatal(err)
	}
	ctx := lab.Chromium(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](string(stock)+"; null")); err != nil {
		t.Fatal(err)
	}
	call := fmt.Sprintf("(%s)(%s)", script, args)
	results, err := chromedp.Run(ctx, chromedp.Evaluate[map[string]bool](call, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for path, same := range results {
		if !same {
			t.Errorf("%s: other bytes came", path)
		}
	}
	if len(results) != ways {
		t.Errorf("%d ways of %d were tried: %v", len(results), ways, results)
	}
}

// hashed writes a certificate that browsers take by its hash, and its key, and returns their files.
func hashed(t *testing.T) (cert, key, hash string) {
	t.Helper()
	c, hash := lab.HashedCertificate(t)
	private, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key, hash
}
