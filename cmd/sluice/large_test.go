package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"sluice/internal/lab"
)

const mib = 1 << 20

// large is what large.js prints.
type large struct {
	TookMs    int
	FirstMs   int
	Forwarded int64 // bytes of the sender that had been forwarded when the first chunk reached the watcher
	Reports   int   // of progress
	Transport string
}

// sendLarge has a stock client send size bytes as one event, at so many bytes a second, to a server that pings so often and
// waits 5 s for the answer.
func sendLarge(t *testing.T, transport string, size int64, bytesPerSecond int, pingInterval string) (r large, peak int64) {
	t.Helper()
	s := lab.SluiceAsUsed(t, "--ping-interval", pingInterval, "--ping-timeout", "5s")
	p := startProxy(t, s.Addr, bytesPerSecond)
	out := lab.Node(t, "large.js", "SLUICE_URL="+s.URL, "SENDER_URL="+p.URL, "METER="+p.meter(t),
		"TRANSPORT="+transport, fmt.Sprint("SIZE=", size))
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("large.js printed %q", out)
	}
	_, peak = s.RSS()
	t.Logf("%d MiB over %s: %d ms, first chunk after %d ms and %.1f MiB, %d progress reports, peak RSS %d MiB",
		size/mib, transport, r.TookMs, r.FirstMs, float64(r.Forwarded)/mib, r.Reports, peak/mib)
	return r, peak
}

func TestOneGiBInOneEventPassesInConstantMemory(t *testing.T) {
	const size = 1 << 30
	// It takes 17 s, in which the client cannot answer: before it sends a byte it masks all of them, which takes some of the
	// 15 s that it has.
	r, peak := sendLarge(t, "websocket", size, 60*mib, "10s")
	if r.Forwarded > size/10 {
		t.Errorf("the first chunk came when %d bytes of %d had been sent", r.Forwarded, size)
	}
	if peak > 150*mib {
		t.Errorf("peak RSS %d MiB", peak/mib)
	}
}

func TestASendBeforeTheUpgradeOutlastsThePings(t *testing.T) {
	for _, transport := range []string{"upgrade", "polling"} {
		t.Run(transport, func(t *testing.T) {
			r, peak := sendLarge(t, transport, 64*mib, 8*mib, "2s") // base64 makes it 11 s, of 7 in which to answer
			if peak > 100*mib {
				t.Errorf("peak RSS %d MiB", peak/mib)
			}
			if r.Forwarded > 16*mib || r.Reports == 0 {
				t.Errorf("the first chunk came after %d bytes, with %d reports of progress", r.Forwarded, r.Reports)
			}
			if want := map[string]string{"upgrade": "websocket", "polling": "polling"}[transport]; r.Transport != want {
				t.Errorf("the sender ended on %s", r.Transport)
			}
		})
	}
}
