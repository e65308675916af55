package tools

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files that Certificates writes beside the authority's.
const (
	CertFile = "cert.pem"
	KeyFile  = "key.pem"
)

// Certificates makes an authority of its own for one server on loopback, and the server's certificate and key, in a folder. It returns
// the file of the authority, for SSL_CERT_FILE. They are good for a day.
func Certificates(folder string) (authorityFile string, err error) {
	authority, authorityKey, err := certificate(nil, nil)
	if err != nil {
		return "", err
	}
	server, serverKey, err := certificate(authority, authorityKey)
	if err != nil {
		return "", err
	}
	key, err := x509.MarshalECPrivateKey(serverKey)
	if err != nil {
		return "", err
	}
	authorityFile = filepath.Join(folder, "ca.pem")
	return authorityFile, errors.Join(
		writePEM(authorityFile, "CERTIFICATE", authority.Raw),
		writePEM(filepath.Join(folder, CertFile), "CERTIFICATE", server.Raw),
		writePEM(filepath.Join(folder, KeyFile), "EC PRIVATE KEY", key))
}

// certificate signs a new key with the authority's, or with itself if there is none.
func certificate(authority *x509.Certificate, authorityKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "sluice lab"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if authority == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		authority, authorityKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(raw)
	return cert, key, err
}

func writePEM(path, kind string, raw []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600)
}
