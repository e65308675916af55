package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// made is a small report: two cases at which CPU differs, one peer that failed, and one scenario without CPU.
func made() *Report {
	cpu := func(peer string, figures ...float64) Result {
		r := Result{Peer: peer}
		for _, v := range figures {
			r.Samples = append(r.Samples, Sample{CPU: v, Messages: 25_000 / v})
		}
		return r
	}
	failed := cpu("node")
	failed.Err = "it ended at once\nwhat it printed"
	idle := Case{Name: "10,000", Results: []Result{{Peer: "relay", Samples: []Sample{{MemoryEach: 6}}}, {Peer: "node", Samples: []Sample{{MemoryEach: 15}}}}}
	return &Report{
		Began:   time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC),
		Seconds: 90,
		Command: "go run ./bench <all>",
		Machine: Machine{Processor: "A processor", Cores: 2, Memory: 8 << 30, Kernel: "Linux 6.1", Go: "1.26.8"},
		Peers:   []Peer{{"relay", "ours"}, {"limit", "the limit"}, {"node", "theirs"}},
		Scenarios: []Scenario{
			{Name: "fanout", About: "One to many.", Cases: []Case{
				{Name: "1 KiB x 10", Size: 1 << 10, Count: 10, Results: []Result{cpu("relay", 0.5, 0.4, 0.6), cpu("limit", 0.25, 0.4, 0.3), cpu("node", 10, 11, 12)}},
				{Name: "64 KiB x 10", Size: 64 << 10, Count: 10, Results: []Result{cpu("relay", 0.2), cpu("limit", 0.1), failed}},
				{Name: "1 MiB x 10", Size: 1 << 20, Count: 10, Results: []Result{cpu("relay", 0.3), cpu("limit", 0.2), cpu("node", 0.6)}},
			}},
			{Name: "idle", About: "Nothing.", Cases: []Case{idle}},
		},
	}
}

const wantText = `A processor, 2 cores, 8.00 GiB, Linux 6.1, Go 1.26.8

fanout: One to many.

                CPU  messages     CPU     CPU
               s/GB       1/s  /limit   /node
1 KiB x 10
  relay  0.500 ±20%     50.0k    2.00  0.0500
  limit  0.300 ±33%     83.3k    1.00  0.0250
  node    11.0 ± 9%      2273    40.0    1.00
64 KiB x 10
  relay       0.200      125k    2.00       -
  limit       0.100      250k    1.00       -
  node            -         -       -       -
1 MiB x 10
  relay       0.300     83.3k    1.50   0.500
  limit       0.200      125k    1.00   0.333
  node        0.600     41.7k    3.00    1.00
! 64 KiB x 10, node: it ended at once

idle: Nothing.

              RSS    RSS
         KiB/conn  /node
10,000
  relay      6.00  0.400
  node       15.0   1.00
`

func TestTextIsATableForEachScenarioAndALineForEachFailure(t *testing.T) {
	var got strings.Builder
	if err := Text(&got, made()); err != nil || got.String() != wantText {
		t.Errorf("Text = %v, %s\nwant %s", err, got.String(), wantText)
	}
}

const wantComparison = `
new/old, held against the run of 2026-11-26 01:00; * where no figure of one lies among the other's
old: A processor, 2 cores, 8.00 GiB, Linux 6.1, Go 1.26.8
new: A processor, 2 cores, 8.00 GiB, Linux 6.1, Go 1.26.8

fanout

           CPU     CPU
          s/GB  /limit
1 KiB x 10
  relay  2.00*   2.00
  limit  1.00    1.00
  node   1.00    1.00
1 MiB x 10
  relay  1.00    1.00
  limit  1.00    1.00
  node   1.00    1.00

only in the new one: fanout, 2 MiB x 10
only in the old one: fanout, 64 KiB x 10
only in the old one: idle, 10,000
`

func TestCompareMarksWhatLiesApartAndNamesWhatOnlyOneHas(t *testing.T) {
	now := made()
	now.Scenarios = now.Scenarios[:1]
	cases := now.Scenarios[0].Cases
	cases[1].Name = "2 MiB x 10"
	for _, s := range cases[0].Result("relay").Samples {
		s[CPU] *= 2
	}
	var got strings.Builder
	if err := Compare(&got, made(), now); err != nil || got.String() != wantComparison {
		t.Errorf("Compare = %v, %s\nwant %s", err, got.String(), wantComparison)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	if err := Write(folder, made()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(filepath.Join(folder, "report.json"))
	if err != nil || !reflect.DeepEqual(got.Scenarios[0].Cases[0], made().Scenarios[0].Cases[0]) || got.Machine != made().Machine {
		t.Errorf("Read = %+v, %v", got, err)
	}
	for _, name := range []string{"fanout-10.svg", "idle-memory-each.svg"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for in := xml.NewDecoder(bytes.NewReader(data)); ; {
			if _, err := in.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	var page strings.Builder
	if err := HTML(&page, made()); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<script", "<link", "src=", "url(", "<all>"} {
		if strings.Contains(page.String(), part) {
			t.Errorf("the page holds %s", part)
		}
	}
	for _, part := range []string{"<svg", "prefers-color-scheme", "&lt;all&gt;", "it ended at once"} {
		if !strings.Contains(page.String(), part) {
			t.Errorf("the page does not hold %s", part)
		}
	}
}

func TestReportOfNothingIsShown(t *testing.T) {
	r := made()
	for _, s := range r.Scenarios {
		for _, c := range s.Cases {
			for i := range c.Results {
				c.Results[i] = Result{Peer: c.Results[i].Peer, Err: "it failed"}
			}
		}
	}
	if err := Write(t.TempDir(), r); err != nil {
		t.Error(err)
	}
	if err := Text(io.Discard, r); err != nil {
		t.Error(err)
	}
}

func TestPeersHaveColoursOfTheirOwn(t *testing.T) {
	r := &Report{Peers: []Peer{{Name: "node"}, {Name: "new"}, {Name: "sluice"}}}
	if few := (&Report{Peers: []Peer{{Name: "node"}}}); few.css("node") != r.css("node") {
		t.Error("node has another colour among others")
	}
	if r.css("new") == r.css("node") || r.css("new") == r.css("sluice") {
		t.Error("two peers have one colour")
	}
}

func TestProseIsBrokenBetweenWords(t *testing.T) {
	words := strings.Repeat("a word ", 40)
	for line := range strings.Lines(wrap(words)) {
		if len(strings.TrimSpace(line)) > maxLine {
			t.Errorf("a line of %d", len(line))
		}
	}
	if got := strings.ReplaceAll(wrap(words), "\n", " "); got != strings.TrimSpace(words) {
		t.Errorf("wrap = %q", got)
	}
}
