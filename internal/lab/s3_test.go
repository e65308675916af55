package lab

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"
)

func TestTheS3ServerAnswersUnderItsOwnAuthority(t *testing.T) {
	s := StartS3(t)
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, life := range []string{"first", "second"} {
		answer, err := client.Get("https://" + s.Address + "/" + s3Bucket)
		if err != nil {
			t.Fatalf("in its %s life: %v", life, err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("in its %s life an unsigned request gets %d; want 403", life, answer.StatusCode)
		}
		transport.CloseIdleConnections()
		s.Kill()
		s.Start()
	}
}
