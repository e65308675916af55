package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
)

// accepted is what sioc answers a CONNECT with.
type accepted struct{ SID, PID string }

// joinSIOC joins "/" over WebSocket.
func (s *site) joinSIOC(t *testing.T, connect string) (*socket, accepted) {
	t.Helper()
	c := s.open(t)
	c.send("40" + connect)
	return c, wantAccepted(t, c.text(), "40")
}

func wantAccepted(t *testing.T, packet, prefix string) (a accepted) {
	t.Helper()
	text, ok := strings.CutPrefix(packet, prefix)
	if !ok || json.Unmarshal([]byte(text), &a) != nil || a.SID == "" || a.PID == "" {
		t.Fatalf("got %s; want %s with a sid and a pid", packet, prefix)
	}
	return a
}

var offset = regexp.MustCompile(`,"[^"]{1,64}"\]$`)

// event returns the next event without its offset, which it must have.
func (c *socket) event() string {
	c.t.Helper()
	text := c.text()
	if !offset.MatchString(text) {
		c.t.Fatalf("got %s; want an event with an offset", text)
	}
	return offset.ReplaceAllString(text, "]")
}

func TestSIOCReacts(t *testing.T) {
	c, _ := start(t, sioc).joinSIOC(t, "")
	const bin = `{"_placeholder":true,"num":0}`
	for _, r := range []struct {
		sent   string
		binary []string
		want   []string // events without offsets, acks as they are
		back   []string // attachments
	}{
		{sent: `42["hi"]`, want: []string{`42["hi"]`}},
		{sent: `425["echo",{"a":1}]`, want: []string{`435[{"a":1}]`}},
		{sent: `42["false"]`, want: []string{`42["false",false]`}},
		{sent: `42["getUtf8"]`, want: []string{`42["takeUtf8","てすと"]`, `42["takeUtf8","Я Б Г Д Ж Й"]`, `42["takeUtf8","Ä ä Ü ü ß"]`,
			`42["takeUtf8","utf8 — string"]`, `42["takeUtf8","utf8 — string"]`}},
		{sent: `42["doge"]`, want: []string{`451-["doge",` + bin + `]`}, back: []string{"asdfasdf"}},
		{sent: `42["getbin"]`, want: []string{`451-["takebin",` + bin + `]`}, back: []string{"asdfasdf"}},
		{sent: `451-["buffa",` + bin + `]`, binary: []string{"x"}, want: []string{`42["buffack"]`}},
		{sent: `42["buffa","no binary"]`},
		{sent: `451-["jsonbuff",{"hello":"lol","message":` + bin + `,"goodbye":"gotcha"}]`, binary: []string{"x"}, want: []string{`42["jsonbuff-ack"]`}},
		{sent: `42["jsonbuff",{"hello":"lol","message":"x","goodbye":"gotcha"}]`},
		{sent: `451-["jsonblob",{"hello":"lol","message":` + bin + `,"goodbye":"gotcha"}]`, binary: []string{"x"}, want: []string{`42["jsonblob-ack"]`}},
		{sent: `42["abuff2"]`},
		{sent: `451-["abuff1",` + bin + `]`, binary: []string{"x"}},
		{sent: `42["abuff2"]`, want: []string{`42["abuff2-ack"]`}},
		{sent: `451-["blob",` + bin + `]`, binary: []string{"xyz"}, want: []string{`451-["back",` + bin + `]`}, back: []string{"xyz"}},
		{sent: `451-["blob3",` + bin + `]`, binary: []string{"x"}},
		{sent: `451-["blob1",` + bin + `]`, binary: []string{"x"}},
		{sent: `42["blob2","second"]`},
		{sent: `451-["blob3",` + bin + `]`, binary: []string{"x"}, want: []string{`42["blob3-ack"]`}},
		{sent: `429["something else"]`},
	} {
		c.send(r.sent)
		for _, b := range r.binary {
			c.sendBinary(b)
		}
		for _, want := range r.want {
			got := ""
			if strings.HasPrefix(want, "43") {
				got = c.text()
			} else {
				got = c.event()
			}
			if got != want {
				t.Fatalf("%s: got %s; want %s", r.sent, got, want)
			}
		}
		for _, want := range r.back {
			c.wantBinary(want)
		}
	}
	c.send(`420["echo","all was answered"]`) // and nothing else came
	c.want(`430["all was answered"]`)
}

func TestSIOCAsksForAnAck(t *testing.T) {
	s := start(t, sioc)
	for answer, good := range map[string]bool{`[5,{"test":true}]`: true, `[5,{"test":1}]`: true, `[4,{"test":true}]`: false, `[5,{}]`: false} {
		c, _ := s.joinSIOC(t, "")
		c.send(`42["ack"]`)
		id, ok := strings.CutSuffix(strings.TrimPrefix(c.text(), "42"), `["ack"]`) // without an offset
		if !ok || id == "" {
			t.Fatalf("got %q; want an event that asks for an ack", id)
		}
		c.send("43" + id + answer)
		if good && c.event() != `42["got it"]` {
			t.Errorf("%s: not accepted", answer)
		}
		c.send(`421["echo","after"]`)
		c.want(`431["after"]`)
	}
}

func TestSIOCAsksForAnAckThatNeverComesAgain(t *testing.T) {
	c, _ := start(t, sioc).joinSIOC(t, "")
	for range 4 {
		c.send(`42["ack"]`)
		if text := c.text(); !strings.HasSuffix(text, `["ack"]`) {
			t.Fatalf("got %q; want an event that asks for an ack", text)
		}
	}
}

func TestSIOCTellsTheTime(t *testing.T) {
	c, _ := start(t, sioc).joinSIOC(t, "")
	iso := regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)
	for sent, want := range map[string]string{
		`42["getDate"]`:             `42["takeDate",NOW]`,
		`42["getDateObj"]`:          `42["takeDateObj",{"date":NOW}]`,
		`422["getAckDate",{"x":0}]`: `432[NOW]`,
	} {
		c.send(sent)
		got := c.text()
		if strings.HasPrefix(got, "42") {
			got = offset.ReplaceAllString(got, "]")
		}
		now := strings.Trim(iso.FindString(got), `"`)
		if at, err := time.Parse(time.RFC3339, now); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("%s: got %s; want the time", sent, got)
		}
		if got = iso.ReplaceAllString(got, "NOW"); got != want {
			t.Errorf("%s: got %s; want %s", sent, got, want)
		}
	}
}

func TestSIOCNamespaces(t *testing.T) {
	s := start(t, sioc)
	c := s.open(t)
	for _, name := range []string{"/foo", "/timeout_socket", "/valid", "/asd"} {
		c.send("40" + name + ",")
		a := wantAccepted(t, c.text(), "40"+name+",")
		if name == "/foo" {
			c.send(`42/foo,0["getId"]`)
			c.want(`43/foo,0["` + a.SID + `"]`)
		}
	}
	c.send("40/no,")
	c.want(`44/no,{"message":"Auth failed (custom namespace)"}`)
	c.send("40/unknown,")
	c.want(`44/unknown,{"message":"Invalid namespace"}`)
}

func TestSIOCRefusesByQuery(t *testing.T) {
	s := start(t, sioc)
	c := s.dial(t, "EIO=4&transport=websocket&fail=1")
	decodeOpen(t, c.text())
	c.send("40")
	c.want(`44{"message":"Auth failed (main namespace)"}`)
}

// handshake is what Node's server knows of a client's introduction.
type handshake struct {
	Headers map[string]string
	Time    string
	Address string
	XDomain *bool
	Secure  *bool
	Issued  int64
	URL     string
	Query   map[string]any
	Auth    map[string]any
}

func TestSIOCTellsTheHandshake(t *testing.T) {
	s := start(t, sioc)
	c := s.dial(t, "EIO=4&transport=websocket&key1=1&key2=2&token=query")
	sid := decodeOpen(t, c.text()).SID
	c.send(`40/abc,{"token":"auth"}`)
	a := wantAccepted(t, c.text(), "40/abc,")
	if a.SID == sid {
		t.Error("the socket has the id of the connection")
	}
	event := strings.TrimSuffix(strings.TrimPrefix(c.event(), `42/abc,["handshake",`), "]")
	var h handshake
	if err := json.Unmarshal([]byte(event), &h); err != nil {
		t.Fatalf("%v in %s", err, event)
	}
	if h.Headers["host"] != s.addr || h.Headers["upgrade"] != "websocket" || h.Time == "" || h.Address == "" ||
		h.XDomain == nil || *h.XDomain || h.Secure == nil || *h.Secure || !strings.HasPrefix(h.URL, "/socket.io/?EIO=4&") {
		t.Errorf("got %s", event)
	}
	if at := time.UnixMilli(h.Issued); time.Since(at).Abs() > time.Minute {
		t.Errorf("issued %v", at)
	}
	if h.Query["key1"] != "1" || h.Query["key2"] != "2" || h.Query["token"] != "query" || h.Query["transport"] != "websocket" {
		t.Errorf("query %v; want a string for each", h.Query)
	}
	if len(h.Auth) != 1 || h.Auth["token"] != "auth" {
		t.Errorf("auth %v", h.Auth)
	}
	c.send(`40`)
	wantAccepted(t, c.text(), "40")
	c.send(`420["getHandshake"]`)
	if got := c.text(); !strings.HasPrefix(got, `430[{`) || !strings.Contains(got, `"auth":{}`) {
		t.Errorf("getHandshake: %s", got)
	}
}

func TestSIOCRecoversAConnection(t *testing.T) {
	s := start(t, sioc)
	c, a := s.joinSIOC(t, "")
	c.send(`42["hi"]`)
	text := c.text()
	last := strings.Trim(strings.TrimSuffix(offset.FindString(text), "]"), `,"`)
	// Two events that this client will not have seen when it comes back: it says so by an older offset.
	c.send(`42["doge"]`, `42["false"]`)
	c.event()
	c.wantBinary("asdfasdf")
	c.event()
	c.conn.Close()
	again := s.recover(t, a, last)
	if got := again.event(); got != `451-["doge",{"_placeholder":true,"num":0}]` {
		t.Errorf("first missed event %s", got)
	}
	again.wantBinary("asdfasdf")
	if got := again.event(); got != `42["false",false]` {
		t.Errorf("second missed event %s", got)
	}
	again.send(`420["getId"]`)
	again.want(`430["` + a.SID + `"]`)
}

// recover reconnects until the server has seen the end of the old connection, and takes the session over.
func (s *site) recover(t *testing.T, a accepted, last string) *socket {
	t.Helper()
	connect := `{"pid":"` + a.PID + `","offset":"` + last + `"}`
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c, b := s.joinSIOC(t, connect)
		if b == a {
			return c
		}
		c.conn.Close()
	}
	t.Fatal("the session was not recovered")
	return nil
}

func TestSIOCDoesNotRecoverWhatItDoesNotKnow(t *testing.T) {
	s := start(t, sioc)
	c, a := s.joinSIOC(t, "")
	c.send(`42["hi"]`)
	c.event()
	c.send("41")
	c.send("40" + `{"pid":"` + a.PID + `","offset":"x"}`)
	b := wantAccepted(t, c.text(), "40")
	if b.SID == a.SID || b.PID == a.PID {
		t.Error("a client that left got its session back")
	}
	if _, other := s.joinSIOC(t, `{"pid":"nobody","offset":"x"}`); other.SID == a.SID {
		t.Error("a stranger got the session")
	}
}

func TestSIOCAdmitsAfterAWhile(t *testing.T) {
	s := start(t, sioc)
	began := time.Now()
	s.poll(t)
	if took := time.Since(began); took < 10*time.Millisecond {
		t.Errorf("admitted after %v", took)
	}
}

func TestOpenSIOCAllowsPagesOfAnyOriginAndVersionThree(t *testing.T) {
	s := start(t, openSIOC)
	r := s.do(t.Context(), "GET", "EIO=4&transport=polling", "", "Origin", "http://elsewhere.example")
	if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "*" || r.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v %v", r, r.header)
	}
	s.poll3(t, true).mustPost("1:1")
	closed := start(t, sioc)
	r = closed.do(t.Context(), "GET", "EIO=4&transport=polling", "", "Origin", "http://elsewhere.example")
	if r.status != 403 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("sioc itself: %v %v; want 403 and no CORS", r, r.header)
	}
}

func TestOpenSIOCJoinsClientsOfVersionThreeByItself(t *testing.T) {
	s := start(t, openSIOC)
	s.version = "3"
	c := s.open(t)
	c.want("40")
	c.send(`420["echo","x"]`)
	c.want(`430["x"]`)
	c.send(`42["hi"]`)
	c.want(`42["hi"]`) // without an offset: it cannot be recovered
}
