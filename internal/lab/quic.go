package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"testing"
	"time"
)

// HashedCertificate makes a certificate that browsers accept over WebTransport when they are told its hash (serverCertificateHashes):
// of ECDSA, and valid for less than 14 days. hash is in base64.
func HashedCertificate(t testing.TB) (cert tls.Certificate, hash string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])
}

// samePortTries is how many ports of TCP are tried until one is free of UDP, too.
const samePortTries = 20

// SamePort listens at a port of loopback that is free both of TCP and of UDP. It is the caller's to close both.
func SamePort(t testing.TB) (net.Listener, *net.UDPConn) {
	t.Helper()
	for tries := 0; ; tries++ {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := ListenUDP(tcp)
		if err == nil {
			return tcp, udp
		}
		tcp.Close()
		if tries == samePortTries {
			t.Fatal(err)
		}
	}
}

// ListenUDP listens at the port of UDP that tcp has of TCP.
func ListenUDP(tcp net.Listener) (*net.UDPConn, error) {
	return net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Addr().(*net.TCPAddr).Port})
}
