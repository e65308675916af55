package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sluice/relay"
)

var testAccess = access{secret: []byte("a secret of this test")}

func sign(t *testing.T, method jwt.SigningMethod, key any, c jwt.Claims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func goodClaims() claims {
	return claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: "ann", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour))},
		Name:             "Ann", Room: "studio*", Can: []string{"publish", "subscribe"},
	}
}

func TestTokensGrantWhatTheySay(t *testing.T) {
	who, err := testAccess.identify(context.Background(), sign(t, jwt.SigningMethodHS256, testAccess.secret, goodClaims()))
	if err != nil || who.Subject != "ann" || who.Name != "Ann" {
		t.Fatalf("identify = %+v, %v", who, err)
	}
	for _, tt := range []struct {
		request relay.Request
		want    relay.Code
	}{
		{relay.Request{Action: relay.Join, Room: "studio1"}, ""},
		{relay.Request{Action: relay.Publish, Room: "studio"}, ""},
		{relay.Request{Action: relay.Subscribe, Room: "stud"}, relay.Forbidden},
		{relay.Request{Action: relay.List, Room: "studio"}, relay.Forbidden},
		{relay.Request{Action: relay.Delete, Room: "studio"}, relay.Forbidden},
		{relay.Request{Action: relay.Delete, Room: "studio", Own: true}, ""},
	} {
		tt.request.Identity = who
		var got relay.Code
		var e *relay.Error
		if err := testAccess.authorize(context.Background(), tt.request); errors.As(err, &e) {
			got = e.Code
		}
		if got != tt.want {
			t.Errorf("%s in %s: %q; want %q", tt.request.Action, tt.request.Room, got, tt.want)
		}
	}
	if err := testAccess.authorize(context.Background(), relay.Request{Action: relay.Join, Room: "studio"}); relay.AsError(err).Code != relay.Unauthorized {
		t.Errorf("a stranger: %v", err)
	}
}

func TestForgedAndStaleTokensAreRefused(t *testing.T) {
	good := sign(t, jwt.SigningMethodHS256, testAccess.secret, goodClaims())
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	stale, endless := goodClaims(), goodClaims()
	stale.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Second))
	endless.ExpiresAt = nil
	forged := []string{
		sign(t, jwt.SigningMethodHS256, []byte("another secret"), goodClaims()),
		sign(t, jwt.SigningMethodHS512, testAccess.secret, goodClaims()),
		sign(t, jwt.SigningMethodHS384, testAccess.secret, goodClaims()),
		sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, goodClaims()),
		sign(t, jwt.SigningMethodHS256, testAccess.secret, stale),
		sign(t, jwt.SigningMethodHS256, testAccess.secret, endless),
		head + "." + body + ".", "." + body + "." + signature, head + ".." + signature, "x", "..", strings.Repeat(".", 8000),
		strings.Repeat("a", maxTokenBytes+1), good + "." + good, " " + good + "x",
	}
	for i := range 100 {
		b := []byte(good)
		at := rand.IntN(len(b) - 2) // the last character holds bits that no decoder reads
		b[at] ^= byte(1 + i%127)
		forged = append(forged, string(b))
	}
	for _, token := range forged {
		if token == good {
			continue
		}
		if who, err := testAccess.identify(context.Background(), token); err == nil {
			t.Errorf("%.80q was accepted as %+v", token, who)
		} else if relay.AsError(err).Code != relay.Unauthorized {
			t.Errorf("%.80q: %v", token, err)
		}
	}
}

func TestTokensEndWhileInUse(t *testing.T) {
	c := goodClaims()
	c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Minute))
	err := testAccess.authorize(context.Background(), relay.Request{Action: relay.Join, Room: "studio", Identity: relay.Identity{Token: &c}})
	if relay.AsError(err).Code != relay.Unauthorized {
		t.Errorf("authorize = %v", err)
	}
}

func TestHostsOfThisMachine(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:3000": true, "LOCALHOST": true, "127.0.0.1:3000": true, "127.1.2.3": true, "[::1]:3000": true,
		"::1": true, "a.localhost:1": true, "localhost.": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "10.0.0.1": false, "127.0.0.1.nip.example": false, "0.0.0.0": false,
	} {
		if got := isLocal(host); got != want {
			t.Errorf("isLocal(%q) = %v; want %v", host, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	g := &guard{origins: []string{"https://app.example"}}
	for origin, want := range map[string]bool{
		"": true, "http://sluice.example:3000": true, "https://app.example": true, "https://app.example:444": false,
		"https://evil.example": false, "null": false, "http://sluice.example": false,
	} {
		r := httptest.NewRequest("GET", "http://sluice.example:3000/", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if got := g.allows(r); got != want {
			t.Errorf("allows(%q) = %v; want %v", origin, got, want)
		}
	}
}

func TestHeadersAreCountedByLine(t *testing.T) {
	g := &guard{next: http.NotFoundHandler()}
	for n, want := range map[int]int{maxHeaders: 404, maxHeaders + 1: 431} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["X-Same"] = make([]string, n)
		w := httptest.NewRecorder()
		if g.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%d headers of one name: %d; want %d", n, w.Code, want)
		}
	}
}
