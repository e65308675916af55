package report

// limit is the peer that does nothing but the work.
const limit = "limit"

// The peers that others are held against where they were measured.
var references = []string{limit, "node"}

// column is a figure of every row of a scenario's table.
type column struct {
	name, unit string
	bare       bool // shown without its spread
	figures    func(c Case, r Result) []float64
}

// columns returns the metrics that somebody was measured in, then the ratios to the references, pair by pair.
func (s Scenario) columns() []column {
	var metrics, ratios []column
	for _, m := range Metrics {
		if !s.measured("", m) {
			continue
		}
		name, unit := m.Title()
		metrics = append(metrics, column{name, unit, m.follows(), func(_ Case, r Result) []float64 { return r.Figures(m) }})
		for _, reference := range references {
			if m.compared() && s.measured(reference, m) {
				of := func(c Case, r Result) []float64 { return Ratios(r, c.Result(reference), m) }
				ratios = append(ratios, column{name, "/" + reference, true, of})
			}
		}
	}
	return append(metrics, ratios...)
}

// measured reports whether a peer was measured in m in any case; "" is any peer.
func (s Scenario) measured(peer string, m Metric) bool {
	for _, c := range s.Cases {
		for _, r := range c.Results {
			if (peer == "" || peer == r.Peer) && len(r.Figures(m)) > 0 {
				return true
			}
		}
	}
	return false
}
