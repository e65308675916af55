package engine

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// opening returns the open packet of a new session on polling.
func (s *site) opening(t *testing.T) (o open, h http.Header) {
	t.Helper()
	status, body, h := s.do(t, "GET", "EIO=4&transport=polling", "")
	if status != 200 || body[0] != typeOpen {
		t.Fatalf("handshake = %d %s", status, body)
	}
	if err := json.Unmarshal([]byte(body[1:]), &o); err != nil {
		t.Fatal(err)
	}
	return o, h
}

func TestOnlyTheTransportsNamedAreServed(t *testing.T) {
	s := start(t, &Server{Transports: []string{"polling"}}, false)
	o, _ := s.opening(t)
	if len(o.Upgrades) != 0 {
		t.Errorf("upgrades = %v", o.Upgrades)
	}
	for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + o.SID} {
		if status, body, _ := s.do(t, "GET", query, ""); status != 400 || !strings.Contains(body, "Transport unknown") {
			t.Errorf("%s = %d %s", query, status, body)
		}
	}
	s = start(t, &Server{Transports: []string{"websocket"}}, false)
	if status, _, _ := s.do(t, "GET", "EIO=4&transport=polling", ""); status != 400 {
		t.Errorf("polling = %d", status)
	}
	s.websocket(t)
}

func TestASessionMayBeKeptOnItsTransport(t *testing.T) {
	s := start(t, &Server{NoUpgrades: true}, false)
	o, _ := s.opening(t)
	if len(o.Upgrades) != 0 {
		t.Errorf("upgrades = %v", o.Upgrades)
	}
	_, _, _, err := ws.Dial(t.Context(), "ws://"+s.Listener.Addr().String()+"/engine.io/?EIO=4&transport=websocket&sid="+o.SID)
	if err != ws.StatusError(400) {
		t.Errorf("an upgrade: %v", err)
	}
	if status, _ := s.post(t, o.SID, "4hello"); status != 200 {
		t.Errorf("POST after the attempt = %d", status)
	}
}

func TestACookieTellsTheSessionsId(t *testing.T) {
	for want, cookie := range map[string]*http.Cookie{
		"io=SID; Path=/; HttpOnly; SameSite=Lax":               {},
		"lb=SID; Path=/; HttpOnly; SameSite=Lax":               {Name: "lb"},
		"lb=SID; Path=/x; Max-Age=60; Secure; SameSite=Strict": {Name: "lb", Path: "/x", MaxAge: 60, Secure: true, SameSite: http.SameSiteStrictMode},
	} {
		s := start(t, &Server{Cookie: cookie}, false)
		o, h := s.opening(t)
		if got := strings.ReplaceAll(h.Get("Set-Cookie"), o.SID, "SID"); got != want {
			t.Errorf("Set-Cookie: %s; want %s", got, want)
		}
		if _, _, h := s.do(t, "POST", "EIO=4&transport=polling&sid="+o.SID, "4x"); h.Get("Set-Cookie") != "" {
			t.Errorf("a POST sets %s", h.Get("Set-Cookie"))
		}
		if _, _, h := s.do(t, "GET", "EIO=4&transport=polling&sid="+o.SID, ""); h.Get("Set-Cookie") != "" {
			t.Errorf("a later GET sets %s", h.Get("Set-Cookie"))
		}
	}
}

func TestCORSTellsBrowsersWhatIsConfigured(t *testing.T) {
	const app, other = "https://app.example", "https://other.example"
	named := CORS{Origins: []string{app}, Credentials: true}
	both := CORS{Origins: []string{"*", app}, Credentials: true, ExposedHeaders: []string{"X-One", "X-Two"}}
	for _, tt := range []struct {
		name           string
		cors           CORS
		origin         string
		status         int
		allow, cookies string
		vary           bool
	}{
		{"nothing configured", CORS{}, "", 200, "", "", false},
		{"nothing configured", CORS{}, app, 403, "", "", false},
		{"a name", named, app, 200, app, "true", true},
		{"a name", named, "HTTPS://APP.example", 200, "HTTPS://APP.example", "true", true},
		{"a name", named, other, 403, "", "", true},
		{"a name", named, "null", 403, "", "", true},
		{"a name", named, "*", 403, "", "", true},
		{"a name", named, "", 200, "", "", true},
		{"all", CORS{Origins: []string{"*"}, Credentials: true}, other, 200, "*", "", false},
		{"all", CORS{Origins: []string{"*"}}, "", 200, "*", "", false},
		{"all and a name", both, other, 200, "*", "", true},
		{"all and a name", both, app, 200, app, "true", true},
	} {
		s := start(t, &Server{CORS: tt.cors}, false)
		header := []string{}
		if tt.origin != "" {
			header = []string{"Origin", tt.origin}
		}
		status, _, h := s.do(t, "GET", "EIO=4&transport=polling", "", header...)
		allow, cookies := h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials")
		if status != tt.status || allow != tt.allow || cookies != tt.cookies {
			t.Errorf("%s, Origin %q = %d, allowed %q, credentials %q", tt.name, tt.origin, status, allow, cookies)
		}
		if vary := slices.Contains(h.Values("Vary"), "Origin"); vary != tt.vary {
			t.Errorf("%s, Origin %q: Vary is %q", tt.name, tt.origin, h.Values("Vary"))
		}
		if want := strings.Join(tt.cors.ExposedHeaders, ", "); h.Get("Access-Control-Expose-Headers") != want {
			t.Errorf("%s, Origin %q: exposed %q; want %q", tt.name, tt.origin, h.Get("Access-Control-Expose-Headers"), want)
		}
		d := ws.Dialer{Header: ws.HandshakeHeaderHTTP{}}
		if tt.origin != "" {
			d.Header = ws.HandshakeHeaderHTTP{"Origin": {tt.origin}}
		}
		conn, _, _, err := d.Dial(t.Context(), "ws://"+s.Listener.Addr().String()+"/engine.io/?EIO=4&transport=websocket")
		if tt.status == 403 && err != ws.StatusError(403) || tt.status == 200 && err != nil {
			t.Errorf("%s, Origin %q over WebSocket: %v", tt.name, tt.origin, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

func TestPreflightsAreAnswered(t *testing.T) {
	const app = "https://app.example"
	for _, tt := range []struct {
		cors                   CORS
		origin                 string
		status                 int
		allow, headers, maxAge string
	}{
		{CORS{}, app, 403, "", "", ""},
		{CORS{Origins: []string{app}}, app, 204, app, "x-asked", ""},
		{CORS{Origins: []string{app}}, "https://other.example", 403, "", "", ""},
		{CORS{Origins: []string{"*"}, Headers: []string{"X-A", "X-B"}, MaxAge: time.Hour}, app, 204, "*", "X-A, X-B", "3600"},
		{CORS{Origins: []string{"*"}, Headers: []string{}}, app, 204, "*", "", ""},
	} {
		s := start(t, &Server{CORS: tt.cors}, false)
		status, body, h := s.do(t, "OPTIONS", "EIO=4&transport=polling", "", "Origin", tt.origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-asked")
		if status != tt.status || h.Get("Access-Control-Allow-Origin") != tt.allow ||
			h.Get("Access-Control-Allow-Headers") != tt.headers || h.Get("Access-Control-Max-Age") != tt.maxAge {
			t.Errorf("%+v: %d %s %v", tt.cors, status, body, h)
		}
		if plain, _, _ := s.do(t, "OPTIONS", "EIO=4&transport=polling", ""); (plain == 204) != (len(tt.cors.Origins) > 0) {
			t.Errorf("%+v: OPTIONS without a page = %d", tt.cors, plain)
		}
		if status == 204 && h.Get("Access-Control-Allow-Methods") != "GET, HEAD, PUT, PATCH, POST, DELETE" {
			t.Errorf("methods: %q", h.Get("Access-Control-Allow-Methods"))
		}
	}
}
