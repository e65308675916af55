// Command bench measures sluice, its peers and the physical limit at the same work, in turn, in one run.
//
// The figure that counts is the processor time a server takes per GB it delivers: the clients share its machine, so that what
// it delivers per second says as much of them. See README.md.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"sluice/bench/report"
)

// flags are the command line.
type flags struct {
	Scenario []string `arg:"" optional:"" help:"Scenarios to run (all)."`

	Quick   bool     `help:"Fewer cases, and shorter: under 3 minutes in all."`
	Case    string   `placeholder:"TEXT" help:"Only cases whose name holds this, like '64 KiB x 100'."`
	Peer    []string `placeholder:"NAME" help:"Only these peers; repeat it for more."`
	Repeat  int      `default:"5" placeholder:"N" help:"How often each case is measured (${default})."`
	Out     string   `placeholder:"DIR" help:"Write report.json, report.html and plots here."`
	Compare string   `placeholder:"FILE" help:"Print ratios to an earlier run's report.json."`
	List    bool     `help:"List scenarios, cases and peers, and run nothing."`
}

func main() {
	var f flags
	parser := kong.Must(&f, kong.Name("bench"), kong.Description("Measure sluice, its peers and the physical limit at the same work."))
	_, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := f.main(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (f *flags) main(ctx context.Context) error {
	root, err := folder(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	peers, err := findPeers(root, work)
	if err != nil {
		return err
	}
	b, err := f.choose(peers)
	if err != nil {
		return err
	}
	if f.List {
		b.list(os.Stdout)
		return nil
	}
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	return f.show(r)
}

// folder is where the benchmark's sources are.
func folder(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "sluice/bench").Output()
	if err != nil {
		return "", fmt.Errorf("the benchmark runs in sluice's own folder: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}

// choose returns what the flags ask for.
func (f *flags) choose(peers []*peer) (*bench, error) {
	b := &bench{repeat: max(f.Repeat, 1), scale: fullScale, progress: os.Stderr}
	if f.Quick {
		b.scale = quickScale
	}
	for _, name := range f.Scenario {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == name }) {
			return nil, fmt.Errorf("no scenario %q", name)
		}
	}
	for _, name := range f.Peer {
		if !slices.ContainsFunc(peers, func(p *peer) bool { return p.Name == name }) {
			return nil, fmt.Errorf("no peer %q", name)
		}
	}
	for _, p := range peers {
		if len(f.Peer) == 0 || slices.Contains(f.Peer, p.Name) {
			b.peers = append(b.peers, p)
		}
	}
	for _, s := range scenarios {
		if len(f.Scenario) > 0 && !slices.Contains(f.Scenario, s.name) {
			continue
		}
		s.cases = slices.DeleteFunc(slices.Clone(s.cases), func(w workload) bool {
			return f.Quick && f.Case == "" && !w.quick || !strings.Contains(w.name, f.Case)
		})
		if len(s.cases) > 0 {
			b.scenarios = append(b.scenarios, s)
		}
	}
	return b, nil
}

// show prints a report and writes its files.
func (f *flags) show(r *report.Report) error {
	r.Command = strings.Join(append([]string{"go run ./bench"}, os.Args[1:]...), " ")
	if err := report.Text(os.Stdout, r); err != nil {
		return err
	}
	if f.Out == "" {
		return nil
	}
	if err := os.MkdirAll(f.Out, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.Out, "report.json"), append(data, '\n'), 0o644)
}
