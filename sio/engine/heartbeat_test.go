package engine

import (
	"testing"
	"testing/synctest"
	"time"
)

// beating starts a heartbeat whose pings and end are counted.
func beating(t *testing.T) (h *heartbeat, pings *int, dead *time.Time) {
	pings, dead = new(int), new(time.Time)
	h = &heartbeat{interval: 300 * time.Millisecond, timeout: 200 * time.Millisecond}
	h.ping = func() { *pings++; h.sent() }
	h.expired = func() { *dead = time.Now(); h.stop() }
	h.start()
	t.Cleanup(h.stop)
	return h, pings, dead
}

func TestAMissedPongEndsAtIntervalPlusTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, pings, dead := beating(t)
		time.Sleep(time.Second)
		synctest.Wait()
		if *pings != 1 || dead.Sub(begin) != 500*time.Millisecond {
			t.Errorf("%d pings, dead after %v", *pings, dead.Sub(begin))
		}
	})
}

// Accept, and Shutdown beside it, may close a session before it has begun.
func TestWhatHasEndedIsNotHeldByATimer(t *testing.T) {
	h := &heartbeat{interval: time.Hour, timeout: time.Hour}
	h.stop()
	h.start()
	if h.timer != nil && h.timer.Stop() {
		t.Error("a timer runs after the end")
	}
}

func TestTheTimeIsUpEvenWhenTheTimerIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := beating(t)
		h.timer.Stop()
		time.Sleep(500*time.Millisecond - time.Nanosecond)
		if h.isOver() {
			t.Error("over before interval and timeout")
		}
		time.Sleep(time.Nanosecond)
		if !h.isOver() {
			t.Error("not over after interval and timeout")
		}
		h.pause()
		if h.isOver() {
			t.Error("over while nobody reads")
		}
	})
}

func TestPongsKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, pings, dead := beating(t)
		for range 10 {
			time.Sleep(310 * time.Millisecond)
			synctest.Wait()
			if err := h.pong(); err != nil {
				t.Fatal(err)
			}
		}
		if !dead.IsZero() || *pings != 10 {
			t.Errorf("%d pings, dead %v", *pings, dead)
		}
	})
}

func TestPongsThatNobodyAskedForAreNoLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h, _, dead := beating(t)
		for range 4 {
			time.Sleep(50 * time.Millisecond)
			if err := h.pong(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if dead.Sub(begin) != 500*time.Millisecond {
			t.Errorf("dead after %v", dead.Sub(begin))
		}
		for range maxStrayPongs + 2 { // the first one answers the ping
			if h.pong() != nil {
				return
			}
		}
		t.Error("any number of pongs is taken")
	})
}

func TestAStreamedMessageIsASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, pings, dead := beating(t)
		h.pause()
		for range 100 { // 5 s at 20 KB/s without a pong
			h.resume()
			time.Sleep(50 * time.Millisecond)
			h.streamed(1000)
			h.pause()
		}
		synctest.Wait()
		if !dead.IsZero() || *pings < 15 {
			t.Errorf("%d pings, dead %v", *pings, *dead)
		}
	})
}

func TestADrippingMessageIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h, _, dead := beating(t)
		h.pause()
		for dead.IsZero() && time.Since(begin) < 10*time.Second { // 200 B/s
			h.resume()
			time.Sleep(5 * time.Millisecond)
			h.streamed(1)
			h.pause()
		}
		if after := dead.Sub(begin); dead.IsZero() || after > time.Second {
			t.Errorf("dead after %v", after)
		}
	})
}

func TestTimeInWhichTheServerDoesNotReadIsForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		h, _, dead := beating(t)
		time.Sleep(100 * time.Millisecond)
		h.pause()
		time.Sleep(10 * time.Second)
		h.resume()
		time.Sleep(time.Second)
		synctest.Wait()
		if after := dead.Sub(begin); after != 10*time.Second+500*time.Millisecond {
			t.Errorf("dead after %v", after)
		}
	})
}
