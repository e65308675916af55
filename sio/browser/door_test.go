package browser_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"sluice/sio"
	"sluice/sio/webtransport"
)

// handler is the application's server as its door for WebTransport has it: what comes in is remembered, so that it can be cut.
type handler struct {
	*sio.Server
	app *application
}

func (h handler) ServeStream(c net.Conn, r *http.Request) {
	h.app.remember(c)
	h.Server.ServeStream(c, r)
}

// openDoor lets clients of WebTransport come to the port of UDP that has the number of addr's.
func (a *application) openDoor(t *testing.T, addr net.Addr, certificate tls.Certificate, server *sio.Server) {
	t.Helper()
	tcp := addr.(*net.TCPAddr)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: tcp.IP, Port: tcp.Port})
	if err != nil {
		t.Fatal(err)
	}
	door := &webtransport.Server{Handler: handler{server, a}, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	ended := make(chan error, 1)
	go func() { ended <- door.Serve(conn) }()
	t.Cleanup(func() {
		if err := door.Close(); err != nil {
			t.Errorf("close the door: %v", err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the door: %v", err)
		}
	})
}

// newCertificate makes one that browsers take by its SHA-256, in hex: with ECDSA, and for less than 14 days.
func newCertificate(t *testing.T) (certificate tls.Certificate, hash string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "suite"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hex.EncodeToString(sum[:])
}
