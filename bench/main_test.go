package main

import (
	"context"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/bench/report"
)

func TestEveryPeerCanBeReadAndSpokenTo(t *testing.T) {
	peers, err := findPeers(".", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sluice", "relay", "limit", "node", "zishang"} {
		if !slices.ContainsFunc(peers, func(p *peer) bool { return p.Name == name }) {
			t.Errorf("peer %s was not found", name)
		}
	}
	for _, p := range peers {
		if p.Title == "" || len(p.Command) == 0 {
			t.Errorf("peer %s lacks a title or a command: %+v", p.Name, p)
		}
	}
}

func TestPeerOfNoDialectIsRefused(t *testing.T) {
	file := t.TempDir() + "/peer.json"
	for text, want := range map[string]string{`{"dialect":"latin"}`: "latin", `{"dialect":"raw","colour":"red"}`: "colour"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readPeer(file, t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("readPeer(%s) = %v; want an error about %s", text, err, want)
		}
	}
}

func TestScenariosAndCasesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		for _, w := range s.cases {
			if name := s.name + ", " + w.name; seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[s.name+", "+w.name] = true
		}
		if !slices.ContainsFunc(s.cases, func(w workload) bool { return w.quick }) {
			t.Errorf("%s has no case for a quick run", s.name)
		}
	}
}

func TestErrorsOfTheCommandLineSayWhatThereIs(t *testing.T) {
	peers := []*peer{{Name: "one"}, {Name: "two"}}
	for _, c := range []struct {
		flags flags
		want  string
	}{
		{flags{Repeat: 1, Scenario: []string{"nope"}}, `no scenario "nope"; there are fanout, `},
		{flags{Repeat: 1, Peer: []string{"nope"}}, `no peer "nope"; there are one, two`},
		{flags{Repeat: 1, Scenario: []string{"fanout"}, Case: "5 TiB"}, `no case of fanout has "5 TiB" in its name`},
		{flags{}, "--repeat 0"},
	} {
		if _, err := c.flags.choose(peers); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("choose = %v; want %q", err, c.want)
		}
	}
}

func TestFlagsChooseWhatIsRun(t *testing.T) {
	peers := []*peer{{Name: "one"}, {Name: "two"}}
	f := flags{Repeat: 2, Quick: true, Scenario: []string{"fanout"}, Peer: []string{"two"}, Case: "64 KiB x 100"}
	b, err := f.choose(peers)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.peers) != 1 || b.peers[0].Name != "two" || len(b.scenarios) != 1 || len(b.scenarios[0].cases) != 1 || b.measurements() != 2 {
		t.Errorf("choose = %+v", b)
	}
	f.Case = "KiB x 100"
	if b, err = f.choose(peers); err != nil || len(b.scenarios[0].cases) != 8 {
		t.Errorf("choose = %+v, %v; want all cases whose names hold %q", b, err, f.Case)
	}
}

// TestOneCaseIsMeasuredFromTheBuildToTheReport runs real servers.
func TestOneCaseIsMeasuredFromTheBuildToTheReport(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("servers are measured on Linux only")
	}
	peers, err := findPeers(".", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := flags{Repeat: 2, Scenario: []string{"fanout"}, Peer: []string{"relay", "limit"}, Case: "1 KiB x 1"}
	b, err := f.choose(peers)
	if err != nil {
		t.Fatal(err)
	}
	b.progress = &progress{out: io.Discard}
	b.scale.during = 20 * time.Millisecond
	r, err := b.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := r.Scenario("fanout").Case("1 KiB x 1")
	for _, name := range []string{"relay", "limit"} {
		result := c.Result(name)
		if got := result.Figures(report.CPU); len(got) != 2 || got[0] <= 0 || result.Err != "" {
			t.Errorf("%s: CPU = %v, %s; want two figures", name, got, result.Err)
		}
	}
	if got := report.Ratios(c.Result("relay"), c.Result("limit"), report.CPU); len(got) != 2 {
		t.Errorf("Ratios = %v; want two", got)
	}
	if err := report.Write(t.TempDir(), r); err != nil {
		t.Error(err)
	}
}

func TestInterruptEndsARun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var asked int
	w := workload{name: "one", run: func(ctx context.Context, _ *peer, _ scale) (report.Sample, error) {
		asked++
		cancel()
		return nil, ctx.Err()
	}}
	p := &peer{Name: "none", work: t.TempDir()}
	b := &bench{
		scenarios: []scenario{{name: "some", peers: relays, cases: []workload{w, w}}},
		peers:     []*peer{p}, repeat: 3, progress: &progress{out: io.Discard},
	}
	if _, err := b.run(ctx); err != context.Canceled || asked != 1 {
		t.Errorf("run = %v after %d measurements; want %v after 1", err, asked, context.Canceled)
	}
}

func TestPeerThatFailsIsNotMeasuredAgain(t *testing.T) {
	for want, run := range map[string]func() (report.Sample, error){
		"invalid argument": func() (report.Sample, error) { return nil, os.ErrInvalid },
		"nothing was done": func() (report.Sample, error) { return report.Sample{report.CPU: math.Inf(1)}, nil },
	} {
		var asked int
		w := workload{name: "one", run: func(context.Context, *peer, scale) (report.Sample, error) {
			asked++
			return run()
		}}
		b := &bench{
			scenarios: []scenario{{name: "some", peers: relays, cases: []workload{w}}},
			peers:     []*peer{{Name: "none", work: t.TempDir()}}, repeat: 3, progress: &progress{out: io.Discard},
		}
		r, err := b.run(t.Context())
		if err != nil || asked != 1 || !strings.HasPrefix(r.Scenarios[0].Cases[0].Results[0].Err, want) {
			t.Errorf("run = %v after %d measurements: %+v; want %q", err, asked, r, want)
		}
	}
}
