package engine

import (
	"testing"
	"testing/synctest"
	"time"
)

// quietWith returns how long awaitQuiet waits for a quiet of 100 ms, while POSTs that take so long come 50 ms after each other,
// until some time has passed.
func quietWith(t *testing.T, takes, until time.Duration) (waited time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{server: &Server{}, beat: heartbeat{interval: 3 * time.Second, timeout: time.Second}}
		began := time.Now()
		quiet := make(chan bool, 1)
		s.lastPost = began
		go func() {
			quiet <- s.awaitQuiet(100 * time.Millisecond)
			waited = time.Since(began)
		}()
		for time.Since(began) < until {
			time.Sleep(50 * time.Millisecond)
			p := &post{began: time.Now(), done: make(chan struct{})}
			s.addPost(p)
			time.Sleep(takes)
			s.removePost(p)
		}
		if !<-quiet {
			t.Error("the session has ended")
		}
		synctest.Wait()
	})
	return waited
}

func TestShortPOSTsPutAnUpgradeOffForAWhile(t *testing.T) {
	if waited := quietWith(t, time.Millisecond, 5*time.Second); waited < 300*time.Millisecond || waited > 500*time.Millisecond {
		t.Errorf("%v; want three times the quiet, and what is left of the pause", waited)
	}
}

func TestLongPOSTsPutAnUpgradeOffAsLongAsTheyCome(t *testing.T) {
	if waited := quietWith(t, 600*time.Millisecond, 5*time.Second); waited < 5*time.Second {
		t.Errorf("%v, in the middle of what took 5s; want until it was quiet", waited)
	}
}
