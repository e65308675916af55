package main

import (
	"io"
	"net/http"
	"syscall"
	"testing"

	"sluice/internal/lab"
)

// Without a handler the signal would end the server, which has to end with status 0.
func TestTheServerGoesOnAfterItWasAskedToCollect(t *testing.T) {
	s := lab.Sluice(t)
	for range 3 {
		s.Signal(syscall.SIGUSR2)
		resp, err := http.Get(s.URL + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "ok\n" {
			t.Fatalf("healthz: %q, %v", body, err)
		}
	}
}
