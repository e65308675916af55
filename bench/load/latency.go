package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// maxLatency is the longest that is told apart; what takes longer counts as that.
const maxLatency = time.Minute

// Latency is how long messages took, from when they were due until their last byte had come. A message that could not be sent
// in time was due all the same, so that a server that halts is not spared what it held up.
type Latency struct {
	mu    sync.Mutex
	times *hdrhistogram.Histogram // guarded by mu
}

// NewLatency returns one of no messages.
func NewLatency() *Latency {
	const figures = 3
	return &Latency{times: hdrhistogram.New(1, int64(maxLatency), figures)}
}

// Arrived counts a message that was due then and has just arrived; it is what Join and Checker take.
func (l *Latency) Arrived(_ int64, due time.Time) { l.count(time.Since(due)) }

func (l *Latency) count(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times.RecordValue(min(max(int64(took), 1), int64(maxLatency))) // in bounds: no error
}

// Reset forgets all that were counted.
func (l *Latency) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times.Reset()
}

// Count returns how many were counted.
func (l *Latency) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times.TotalCount()
}

// Percentile returns what so many of a hundred did not exceed.
func (l *Latency) Percentile(p float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.times.ValueAtPercentile(p))
}
