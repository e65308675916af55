// Package report holds what a run of the benchmark has found, and shows it: as text, JSON, HTML and plots, and beside what an
// earlier run has found.
package report

import (
	"slices"
	"time"
)

// Report is what one run has found.
type Report struct {
	Began     time.Time  `json:"began"`
	Seconds   float64    `json:"seconds"` // it took
	Command   string     `json:"command"`
	Machine   Machine    `json:"machine"`
	Peers     []Peer     `json:"peers"`
	Scenarios []Scenario `json:"scenarios"`
}

// Machine is where it ran.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory"` // bytes
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	Node      string `json:"node,omitempty"`
}

// Peer is one of those that were measured.
type Peer struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Scenario is a kind of work.
type Scenario struct {
	Name  string `json:"name"`
	About string `json:"about"` // one sentence
	Cases []Case `json:"cases"`
}

// Case is a scenario at one size. The samples of its peers were taken in turn, so that sample i of one is to be compared with
// sample i of another.
type Case struct {
	Name    string   `json:"name"` // "64 KiB x 100"
	Results []Result `json:"results"`
}

// Result is what one peer did.
type Result struct {
	Peer    string   `json:"peer"`
	Samples []Sample `json:"samples"`
	Err     string   `json:"error,omitempty"` // why there are no more samples
}

// Sample is one measurement: figures by metric. A metric that does not apply is not there.
type Sample map[Metric]float64

// Metric is something that is measured.
type Metric string

// The metrics, in the order in which they are shown.
const (
	CPU        Metric = "cpu"         // s of the server's processor time, user and system, per GB delivered
	CPUEach    Metric = "cpu-each"    // us of it per connection
	Throughput Metric = "throughput"  // MB/s delivered
	Messages   Metric = "messages"    // delivered per second
	Rate       Metric = "rate"        // connections per second
	Memory     Metric = "memory"      // MiB resident at most, over what was resident before
	MemoryEach Metric = "memory-each" // KiB resident per connection
	First      Metric = "first"       // ms until the first chunk has come
	P50        Metric = "p50"         // ms from when a message was due until it has come
	P99        Metric = "p99"
	P999       Metric = "p99.9"
	Wire       Metric = "wire"   // bytes on the wire per byte delivered
	Failed     Metric = "failed" // connects that had no answer and were tried again
)

// Metrics are all metrics, in the order in which they are shown.
var Metrics = []Metric{CPU, CPUEach, Throughput, Messages, Rate, Memory, MemoryEach, First, P50, P99, P999, Wire, Failed}

// MoreIsBetter reports whether a greater figure is the better one.
func (m Metric) MoreIsBetter() bool { return m == Throughput || m == Messages || m == Rate }

// Spread is the median of figures, the least and the greatest.
type Spread struct{ Median, Least, Most float64 }

// SpreadOf returns the spread of figures; of none it is zero.
func SpreadOf(figures []float64) Spread {
	if len(figures) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{median, sorted[0], sorted[len(sorted)-1]}
}

// Figures returns what was measured of m, one figure a sample.
func (r Result) Figures(m Metric) (figures []float64) {
	for _, s := range r.Samples {
		if v, ok := s[m]; ok {
			figures = append(figures, v)
		}
	}
	return figures
}

// Ratios returns by how much a differs from b, pair by pair.
func Ratios(a, b Result, m Metric) (ratios []float64) {
	for i := range min(len(a.Samples), len(b.Samples)) {
		x, ok := a.Samples[i][m]
		y, too := b.Samples[i][m]
		if ok && too && y != 0 {
			ratios = append(ratios, x/y)
		}
	}
	return ratios
}
