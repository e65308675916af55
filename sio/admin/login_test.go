package admin

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"sluice/sio/client"
)

// refused returns what a page was told that was not let in.
func refused(err error) string {
	var refusal *client.ConnectError
	if errors.As(err, &refusal) {
		return refusal.Message
	}
	return fmt.Sprint("not refused: ", err)
}

func TestOnlyWhoKnowsThePasswordIsLetIn(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		auth    any
		in      bool
	}{
		"nobody without a choice":       {Options{}, map[string]any{"username": "", "password": ""}, false},
		"nobody without a choice, auth": {Options{}, map[string]any{"username": "admin", "password": "right"}, false},
		"everybody where it is open":    {Options{Open: true}, nil, true},
		"the right password":            {Options{Authenticate: right}, map[string]any{"username": "admin", "password": "right"}, true},
		"the wrong password":            {Options{Authenticate: right}, map[string]any{"username": "admin", "password": "wrong"}, false},
		"the wrong name":                {Options{Authenticate: right}, map[string]any{"username": "root", "password": "right"}, false},
		"no password":                   {Options{Authenticate: right}, nil, false},
		"a password that is no text":    {Options{Authenticate: right}, map[string]any{"username": "admin", "password": []int{1}}, false},
		"a session that there is not":   {Options{Authenticate: right}, map[string]any{"sessionId": "0123456789abcdef"}, false},
		"no session":                    {Options{Authenticate: right}, map[string]any{"sessionId": nil}, false},
		"an empty session":              {Options{Authenticate: right}, map[string]any{"sessionId": ""}, false},
		"open means nothing beside it":  {Options{Authenticate: right, Open: true}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			inABubble(t, c.options, func(t *testing.T, s *site) {
				_, err := s.visit(c.auth)
				if c.in && err != nil {
					t.Errorf("refused: %v", err)
				}
				if !c.in && refused(err) != "invalid credentials" { // by these words the page asks again
					t.Errorf("told %q", refused(err))
				}
			})
		})
	}
}

func TestASessionLetsAPageComeBackWithoutThePassword(t *testing.T) {
	inABubble(t, Options{Authenticate: right, Namespace: "/secret"}, func(t *testing.T, s *site) {
		v, err := s.visit(map[string]any{"username": "admin", "password": "right"})
		if err != nil {
			t.Fatal(err)
		}
		first := v.next()
		var id string
		if first.decode(t, 0, &id); first.name != "session" || len(id) < 22 {
			t.Fatalf("told %s; want a session with 128 bits", first)
		}
		v.c.Close()
		w, err := s.visit(map[string]any{"sessionId": id})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.next(); got.name != "config" {
			t.Errorf("told %s; want no further session", got)
		}
		w.c.Close()
		time.Sleep(24 * time.Hour) // of the bubble
		if _, err := s.visit(map[string]any{"sessionId": id}); refused(err) != "invalid credentials" {
			t.Errorf("a day later: %v", err)
		}
	})
}

func TestTheOldestSessionIsForgotten(t *testing.T) {
	ss := sessions{lasting: time.Hour}
	first := ss.begin()
	second := ss.begin()
	for range maxSessions - 1 {
		ss.begin()
	}
	if ss.has(first) || !ss.has(second) || len(ss.all) != maxSessions {
		t.Errorf("first %v, second %v, %d in all", ss.has(first), ss.has(second), len(ss.all))
	}
}

func TestPasswordsCannotBeGuessedFast(t *testing.T) {
	inABubble(t, Options{Authenticate: right}, func(t *testing.T, s *site) {
		began := time.Now()
		for range 5 {
			if _, err := s.visit(map[string]any{"username": "admin", "password": "guess"}); refused(err) != "invalid credentials" {
				t.Errorf("told %v", err)
			}
		}
		if took := time.Since(began); took < 4*failurePause || took > 5*failurePause {
			t.Errorf("5 guesses took %v; want %v", took, 4*failurePause)
		}
	})
}

func TestFewMayWaitForTheirTurn(t *testing.T) {
	wait := make(chan struct{})
	inABubble(t, Options{Authenticate: func(string, string) bool { <-wait; return true }}, func(t *testing.T, s *site) {
		wait = make(chan struct{})
		answers := make(chan error, maxWaiting+1)
		for range maxWaiting + 1 {
			go func() {
				_, err := s.visit(map[string]any{"username": "a"})
				answers <- err
			}()
		}
		if got := refused(receive(t, answers)); got != errBusy.Message {
			t.Errorf("told %q", got)
		}
		close(wait)
		for range maxWaiting {
			if err := receive(t, answers); err != nil {
				t.Errorf("refused: %v", err)
			}
		}
	})
}

func TestWhoGoesDoesNotWaitForItsTurn(t *testing.T) {
	d := door{turn: make(chan struct{}, 1)} // it is somebody's
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.try(ctx, func() bool { t.Error("asked"); return true }); err != errBusy || d.waiting.Load() != 0 {
		t.Errorf("%v, %d waiting", err, d.waiting.Load())
	}
}

func TestAPanicOfAuthenticateLetsNobodyInAndNobodyOut(t *testing.T) {
	first := true
	inABubble(t, Options{Authenticate: func(string, string) bool {
		if first {
			first = false
			panic("boom")
		}
		return true
	}}, func(t *testing.T, s *site) {
		if _, err := s.visit(map[string]any{"username": "a"}); err == nil {
			t.Error("let in")
		}
		if _, err := s.visit(map[string]any{"username": "a"}); err != nil {
			t.Errorf("refused: %v", err)
		}
	})
}

func TestFewPagesMayBeOpen(t *testing.T) {
	inABubble(t, Options{Open: true}, func(t *testing.T, s *site) {
		first := s.open()
		for range maxAdmins - 1 {
			s.open()
		}
		synctest.Wait()
		if _, err := s.visit(nil); refused(err) != errFull.Message {
			t.Errorf("told %v", err)
		}
		first.c.Close()
		synctest.Wait()
		s.open()
	})
}

func TestBasicKnowsOneUser(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("changeit"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	basic, err := Basic("admin", string(hash))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		username, password string
		want               bool
	}{{"admin", "changeit", true}, {"admin", "changeit!", false}, {"Admin", "changeit", false}, {"", "", false}} {
		if got := basic(c.username, c.password); got != c.want {
			t.Errorf("%q with %q: %v", c.username, c.password, got)
		}
	}
	if _, err := Basic("admin", "changeit"); err == nil {
		t.Error("a password in place of its hash was taken")
	}
}

func TestEqualComparesWhole(t *testing.T) {
	if !Equal("same", "same") || Equal("same", "sam") || Equal("", "x") || !Equal("", "") {
		t.Error("Equal is wrong")
	}
}
