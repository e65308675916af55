package client

import (
	"testing"
	"time"
)

func TestBackoffGrowsToItsLimitWithinItsJitter(t *testing.T) {
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second, Jitter: 0.5}
	for attempt, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		want *= time.Millisecond
		for range 100 {
			if d := b.delay(attempt); d < want/2 || d > want*3/2 {
				t.Fatalf("delay(%d) = %v; want %v, more or less by half", attempt, d, want)
			}
		}
	}
	if d := (Backoff{Jitter: -1}).delay(0); d != DefaultBackoffMin {
		t.Errorf("delay without jitter = %v; want %v", d, DefaultBackoffMin)
	}
}

func TestAnAddressIsOfAServer(t *testing.T) {
	for address, want := range map[string]string{
		"http://h:3000":     "http://h:3000/socket.io/?EIO=4&transport=polling",
		"wss://h/elsewhere": "https://h/socket.io/?EIO=4&transport=polling",
		"https://h?a=b":     "https://h/socket.io/?EIO=4&a=b&transport=polling",
	} {
		o := Options{}.withDefaults()
		e, err := newEndpoint(address, &o)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := e.address(Polling, "").String(); got != want {
			t.Errorf("%s = %s; want %s", address, got, want)
		}
	}
	for _, address := range []string{"", "h:3000", "ftp://h", "http://", "http://%zz"} {
		if _, err := New(address, Options{}); err == nil {
			t.Errorf("New(%q) = nil; want an error", address)
		}
	}
}
