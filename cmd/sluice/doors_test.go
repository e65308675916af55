package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sluice/internal/lab"
	"sluice/storage/s3"
)

func TestTokensAreAskedForAtEveryDoor(t *testing.T) {
	const secret = "the secret of this test"
	s := lab.Sluice(t, "--secret", secret)
	token := func(change func(*claims)) string {
		c := goodClaims()
		c.Subject = ""
		change(&c)
		return sign(t, jwt.SigningMethodHS256, []byte(secret), c)
	}
	tokens, err := json.Marshal(map[string]string{
		"none":    "",
		"rubbish": "a.b.c",
		"stale":   token(func(c *claims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Minute)) }),
		"viewer":  token(func(c *claims) { c.Can = []string{"subscribe"} }),
		"sender":  token(func(c *claims) { c.Can = []string{"publish"} }),
		"lister":  token(func(c *claims) { c.Can = []string{"list"} }),
		"other":   token(func(c *claims) { c.Room, c.Can = "else*", []string{"subscribe", "publish", "list", "delete"} }),
		"all":     token(func(c *claims) { c.Can = []string{"subscribe", "publish", "list", "delete"} }),
	})
	if err != nil {
		t.Fatal(err)
	}
	type answers struct {
		Connect, Join, Elsewhere, Publish, Send, Subscribe, List, Delete string
		URL, Rooms                                                       int
	}
	var got map[string]answers
	out := lab.Node(t, "doors.js", "SLUICE_URL="+s.URL, "TOKENS="+string(tokens))
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("doors.js printed %q", out)
	}
	const ok, no, who = "ok", "forbidden", "unauthorized"
	for name, want := range map[string]answers{
		"none":    {ok, who, who, who, who, who, who, who, 401, 401},
		"rubbish": {Connect: who, URL: 401, Rooms: 401},
		"stale":   {Connect: who, URL: 401, Rooms: 401},
		"viewer":  {ok, ok, no, no, no, ok, no, no, 200, 403},
		"sender":  {ok, no, no, ok, ok, no, no, no, 403, 403},
		"lister":  {ok, no, no, no, no, no, ok, no, 403, 200},
		"other":   {ok, no, ok, no, no, no, no, no, 403, 403},
		"all":     {ok, ok, no, ok, ok, ok, ok, ok, 404, 200}, // it has just deleted the stream
	} {
		if got[name] != want {
			t.Errorf("%s: %+v\nwant %+v", name, got[name], want)
		}
	}
}

// get asks for a path with a Host and an Origin of its own; "" leaves them.
func get(t *testing.T, client *http.Client, url, host, origin string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

const handshake = "/socket.io/?EIO=4&transport=polling"

func TestOtherHostsAndOriginsAreRefused(t *testing.T) {
	s := lab.Sluice(t, "--origin", "https://app.example")
	for _, tt := range []struct {
		path, host, origin string
		want               int
	}{
		{"/", "", "", 200},
		{"/", "localhost:80", "", 200},
		{"/", "evil.example", "", 421},
		{handshake, "evil.example", "", 421},
		{handshake, "", "", 200},
		{handshake, "", s.URL, 200},
		{handshake, "", "https://app.example", 200},
		{handshake, "", "https://evil.example", 403},
		{"/rooms/r", "", "https://evil.example", 403},
		{"/rooms/r", "", "https://app.example", 200},
	} {
		resp := get(t, http.DefaultClient, s.URL+tt.path, tt.host, tt.origin)
		if resp.StatusCode != tt.want {
			t.Errorf("GET %s, Host %q, Origin %q = %s; want %d", tt.path, tt.host, tt.origin, resp.Status, tt.want)
		}
		allowed := resp.Header.Get("Access-Control-Allow-Origin")
		if named := tt.origin == "https://app.example"; named && tt.path != "/" && allowed != tt.origin || !named && allowed != "" {
			t.Errorf("GET %s, Origin %q allows %q", tt.path, tt.origin, allowed)
		}
	}
}

func TestServeRefusesWhatIsUnsafe(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--addr", "0.0.0.0:0"}, "--secret"},
		{[]string{"--addr", ":0"}, "--secret"},
		{[]string{"--tls-cert", "x"}, "go together"},
		{[]string{"--webtransport"}, "needs a certificate"},
		{[]string{"--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"}, "no such file"},
		{[]string{"--origin", "app.example"}, "an origin is like"},
		{[]string{"--s3", "ftp://x"}, "--s3"},
		{[]string{"--max-upload", "much"}, "no size"},
		{[]string{"--max-streams", "0"}, "1 at least"},
		{[]string{"--idle-time", "10s"}, "1m0s at least"},
		{[]string{"--hook", "app.example"}, "a hook is like"},
		{[]string{"--hook-secret", "whsec_%"}, "not base64"},
	} {
		args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, tt.flags...)
		err := run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("serve %v: %v; want %q", tt.flags, err, tt.want)
		}
	}
}

// selfSigned writes a certificate for loopback and its key, and returns their files.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sluice test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", raw), write("key.pem", "PRIVATE KEY", rawKey)
}

func TestTheContractHoldsOverTLS(t *testing.T) {
	cert, key := selfSigned(t)
	s := lab.Sluice(t, "--tls-cert", cert, "--tls-key", key)
	lab.Node(t, "contract.js", "SLUICE_URL="+s.URL, "NODE_EXTRA_CA_CERTS="+cert)
}

func TestEverySampleReachesS3(t *testing.T) {
	url, ca := lab.S3(t)
	t.Setenv("SSL_CERT_FILE", ca)
	s := lab.Sluice(t, "--s3", url)
	results := sendSamples(t, s)
	o, err := s3.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	store, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	checkStore(t, store, results)
}

func TestEventsAreCompressedWhereThatIsAskedForAndMediaNever(t *testing.T) {
	for deflate, flags := range map[string][]string{"yes": {"--deflate"}, "no": nil} {
		lab.Node(t, "deflate.js", "SLUICE_URL="+lab.Sluice(t, flags...).URL, "DEFLATE="+deflate)
	}
}
