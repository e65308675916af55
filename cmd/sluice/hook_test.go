package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sluice/internal/lab"
	"sluice/relay"
)

func TestAWebServerIsToldOfStreams(t *testing.T) {
	type message struct {
		Type      string
		Data      relay.Info
		signature string
	}
	came := make(chan message, 10)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m := message{signature: r.Header.Get("webhook-signature")}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("came %s: %v", body, err)
		}
		came <- m
	}))
	defer web.Close()
	s := lab.Sluice(t, "--hook", web.URL, "--hook-secret", "whsec_c2VjcmV0")
	path, content := randomFile(t, 100_000)
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	if _, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", path); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		event string
		state relay.State
		sum   string
	}{{"stream", relay.Open, ""}, {"end", relay.Ended, sum}, {"archived", relay.Archived, sum}} {
		select {
		case m := <-came:
			if m.Type != want.event || m.Data.State != want.state || m.Data.SHA256 != want.sum || m.Data.Room != "r" || m.signature == "" {
				t.Errorf("came %+v; want %+v, signed", m, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("nothing came; want %s", want.event)
		}
	}
}
