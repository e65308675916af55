package hook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// listener is a web server that is told.
type listener struct {
	*httptest.Server
	answer func(r *http.Request, n int) int // the status for the n-th request, from 0 on
	came   chan *http.Request               // that were answered; see body

	mu     sync.Mutex
	count  int
	bodies map[*http.Request][]byte
}

func listen(t *testing.T, answer func(r *http.Request, n int) int) *listener {
	l := &listener{answer: answer, came: make(chan *http.Request, 1000), bodies: map[*http.Request][]byte{}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		l.mu.Lock()
		n := l.count
		l.count++
		l.bodies[r] = body
		l.mu.Unlock()
		w.WriteHeader(answer(r, n))
		l.came <- r
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) body(r *http.Request) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bodies[r]
}

// next returns what comes next.
func (l *listener) next(t *testing.T) *http.Request {
	t.Helper()
	select {
	case r := <-l.came:
		return r
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
		return nil
	}
}

func start(t *testing.T, url, dir string) *Hook {
	t.Helper()
	h := &Hook{URL: url, Secret: []byte("secret"), Dir: dir, Logger: quiet}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func ok(*http.Request, int) int { return http.StatusNoContent }

func stream(id string) relay.Info { return relay.Info{ID: id, Room: "studio", Name: "ä & ö.webm"} }

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWhatIsToldIsSentOnceAndInOrder(t *testing.T) {
	l, dir := listen(t, ok), t.TempDir()
	h := start(t, l.URL, dir)
	events := []relay.Event{relay.EventStream, relay.EventEnd, relay.EventArchived}
	for _, event := range events {
		for _, id := range []string{"A", "B"} {
			h.Tell(event, stream(id))
		}
	}
	came := map[string][]relay.Event{}
	for range 6 {
		r := l.next(t)
		var message struct {
			Type      relay.Event
			Timestamp time.Time
			Data      relay.Info
		}
		if err := json.Unmarshal(l.body(r), &message); err != nil {
			t.Fatal(err)
		}
		id := message.Data.ID
		came[id] = append(came[id], message.Type)
		if r.Method != "POST" || r.Header.Get("webhook-id") != id+"."+string(message.Type) || message.Data.Name != "ä & ö.webm" ||
			time.Since(message.Timestamp) > time.Minute || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s with %v: %s", r.Method, r.Header, l.body(r))
		}
	}
	for id, got := range came {
		if !slices.Equal(got, events) {
			t.Errorf("of stream %s came %v; want %v", id, got, events)
		}
	}
	emptied(t, dir)
}

// emptied waits until nothing waits any more.
func emptied(t *testing.T, dir string) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(10 * time.Second); len(files(t, dir)) > 0; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%q are left", files(t, dir))
		}
	}
}

func TestAMessageIsSentUntilItIsTaken(t *testing.T) {
	statuses := []int{http.StatusInternalServerError, http.StatusFound, http.StatusOK}
	l := listen(t, func(_ *http.Request, n int) int { return statuses[min(n, len(statuses)-1)] })
	h := start(t, l.URL, t.TempDir())
	h.Tell(relay.EventStream, stream("A"))
	first := l.next(t)
	for range statuses[1:] {
		again := l.next(t)
		if again.Header.Get("webhook-id") != first.Header.Get("webhook-id") || !bytes.Equal(l.body(again), l.body(first)) {
			t.Errorf("sent again as %v: %s", again.Header, l.body(again))
		}
	}
}

func TestTheNextProcessSendsWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	away := listen(t, func(*http.Request, int) int { return http.StatusServiceUnavailable })
	h := start(t, away.URL, dir)
	h.Tell(relay.EventEnd, stream("A"))
	h.Tell(relay.EventArchived, stream("A"))
	away.next(t)
	h.Close()
	h.Tell(relay.EventEnd, stream("B")) // too late
	torn := filepath.Join(dir, "0000000000000000001.C.end.json.tmp")
	if err := os.WriteFile(torn, []byte(`{"type"`), 0o600); err != nil {
		t.Fatal(err)
	}

	l := listen(t, ok)
	start(t, l.URL, dir)
	for _, want := range []string{"A.end", "A.archived"} {
		if got := l.next(t).Header.Get("webhook-id"); got != want {
			t.Errorf("came %s; want %s", got, want)
		}
	}
	emptied(t, dir)
}

func TestAWebServerThatHangsDelaysNobody(t *testing.T) {
	hang := make(chan struct{})
	l := listen(t, func(*http.Request, int) int { <-hang; return http.StatusOK })
	defer close(hang)
	h := start(t, l.URL, t.TempDir())
	for i := range 10 * atOnce {
		h.Tell(relay.EventStream, stream(fmt.Sprint(i)))
	}
	h.Close()
}

func TestWhatWaitsIsBounded(t *testing.T) {
	dir := t.TempDir()
	l := listen(t, ok)
	h := start(t, l.URL, dir)
	h.mu.Lock()
	h.count += maxWaiting
	h.mu.Unlock()
	h.Tell(relay.EventStream, stream("A"))
	if names := files(t, dir); len(names) > 0 {
		t.Errorf("%q were written", names)
	}
}

func TestASecretIsTextOrBase64(t *testing.T) {
	for text, want := range map[string]string{"plain": "plain", "whsec_c2VjcmV0": "secret", "": ""} {
		if got, err := ParseSecret(text); err != nil || string(got) != want {
			t.Errorf("ParseSecret(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"whsec_", "whsec_%"} {
		if _, err := ParseSecret(text); err == nil || strings.Contains(err.Error(), "%") {
			t.Errorf("ParseSecret(%q) = %v; want an error that does not tell it", text, err)
		}
	}
	// The example of https://github.com/standard-webhooks/standard-webhooks.
	secret, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed as %s; want %s", got, want)
	}
}

func TestWhatACrashHasCutOffIsNotSent(t *testing.T) {
	dir := t.TempDir()
	m := message{at: time.Now(), stream: "A", event: relay.EventStream}
	if err := os.WriteFile(filepath.Join(dir, m.name()), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := listen(t, ok)
	h := start(t, l.URL, dir)
	h.Tell(relay.EventEnd, stream("A")) // sent after what waits of the stream
	if body := string(l.body(l.next(t))); !strings.Contains(body, `"type":"end"`) {
		t.Errorf("%q was sent; want the end", body)
	}
}

func TestAMessageThatCannotBeWrittenLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	m := message{at: time.Now(), stream: "A", event: relay.EventStream}
	if err := os.MkdirAll(filepath.Join(dir, m.name(), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := m.write(dir, []byte("{}")); err == nil {
		t.Error("write = nil; want an error")
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
}
