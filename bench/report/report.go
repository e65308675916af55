// Package report holds what a run of the benchmark has found, and shows it: as text, JSON, HTML and plots, and beside what an
// earlier run has found.
package report

import (
	"encoding/json"
	"math"
	"os"
	"time"
)

// Report is what one run has found. Its encoding as JSON is what report.json holds: fields may come, none goes or changes its
// meaning, so that any two reports can be compared.
type Report struct {
	Began     time.Time  `json:"began"`   // RFC 3339
	Seconds   float64    `json:"seconds"` // it took
	Command   string     `json:"command"`
	Machine   Machine    `json:"machine"`
	Peers     []Peer     `json:"peers"`
	Scenarios []Scenario `json:"scenarios"`
}

// Machine is where it ran. What could not be found out is zero.
type Machine struct {
	Processor string `json:"processor"` // the model's name
	Cores     int    `json:"cores"`
	Memory    int64  `json:"memory"` // bytes
	Kernel    string `json:"kernel"` // "Linux 6.1.0"
	Go        string `json:"go"`     // the version, "1.26.8"
	Node      string `json:"node,omitempty"`
}

// Peer is one of those that were measured.
type Peer struct {
	Name  string `json:"name"`
	Title string `json:"title"` // what it is, with its version
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
	Name    string   `json:"name"`            // "64 KiB x 100"
	Size    int64    `json:"size,omitempty"`  // bytes of a message, where cases differ by it
	Count   int      `json:"count,omitempty"` // of connections, where cases differ by it
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

// Finite reports whether all figures are: what is divided by nothing is no measurement, and JSON cannot hold it.
func (s Sample) Finite() bool {
	for _, v := range s {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

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
	Slower     Metric = "slower"  // times as long as when nobody is slow
	Drained    Metric = "drained" // how long the archive took to catch up, in times of the outage
	Wire       Metric = "wire"    // bytes on the wire per byte delivered
	Failed     Metric = "failed"  // connects that had no answer and were tried again
)

// Metrics are all metrics, in the order in which they are shown.
var Metrics = []Metric{CPU, CPUEach, Throughput, Messages, Rate, Memory, MemoryEach, First, P50, P99, P999, Slower, Drained, Wire, Failed}

// MoreIsBetter reports whether a greater figure is the better one.
func (m Metric) MoreIsBetter() bool { return m == Throughput || m == Messages || m == Rate }

// Read reads a report.json.
func Read(file string) (*Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, &os.PathError{Op: "parse", Path: file, Err: err}
	}
	return r, nil
}

// Scenario returns what was found in a scenario, which is empty if it was not run.
func (r *Report) Scenario(name string) Scenario {
	for _, s := range r.Scenarios {
		if s.Name == name {
			return s
		}
	}
	return Scenario{}
}

// Case returns what was found in a case, which is empty if it was not run.
func (s Scenario) Case(name string) Case {
	for _, c := range s.Cases {
		if c.Name == name {
			return c
		}
	}
	return Case{}
}

// Result returns what a peer did, which is empty if it took no part.
func (c Case) Result(peer string) Result {
	for _, r := range c.Results {
		if r.Peer == peer {
			return r
		}
	}
	return Result{}
}
