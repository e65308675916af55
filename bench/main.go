// Command bench measures sluice, its peers and the physical limit at the same work, in turn, in one run.
//
// The figure that counts is the processor time a server takes per GB it delivers: the clients share its machine, so that what
// it delivers per second says as much of them. See README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"sluice/bench/report"
)

// flags are the command line.
type flags struct {
	Scenario []string `arg:"" optional:"" help:"Scenarios to run (all)."`

	Quick   bool     `help:"Fewer cases, and shorter: under 3 minutes in all."`
	Case    string   `placeholder:"TEXT" help:"Only the case of this name, like '64 KiB x 100', or those whose names hold it."`
	Peer    []string `placeholder:"NAME" help:"Only these peers; repeat it for more."`
	Repeat  int      `default:"5" placeholder:"N" help:"How often each case is measured (${default})."`
	Out     string   `placeholder:"DIR" help:"Write report.json, report.html and plots here."`
	Compare string   `placeholder:"FILE" help:"Print ratios to an earlier run's report.json."`
	From    string   `placeholder:"FILE" help:"Show an earlier run's report.json anew, and run nothing."`
	List    bool     `help:"List scenarios, cases and peers, and run nothing."`
}

func main() {
	var f flags
	parser := kong.Must(&f, kong.Name("bench"), kong.Description("Measure sluice, its peers and the physical limit at the same work."))
	_, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := f.main(ctx); {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "bench: interrupted; nothing is left running")
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (f *flags) main(ctx context.Context) error {
	old, err := f.before()
	if err != nil {
		return err
	}
	if f.From != "" {
		r, err := report.Read(f.From)
		if err != nil {
			return err
		}
		return f.show(r, old)
	}
	r, err := f.run(ctx)
	if r == nil {
		return err
	}
	r.Command = strings.Join(append([]string{"go run ./bench"}, os.Args[1:]...), " ")
	return f.show(r, old)
}

// run measures what the flags ask for. With List it only says what that is, and there is no report.
func (f *flags) run(ctx context.Context) (*report.Report, error) {
	root, err := folder(ctx)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	peers, err := findPeers(root, work)
	if err != nil {
		return nil, err
	}
	b, err := f.choose(peers)
	if err != nil {
		return nil, err
	}
	if f.List {
		b.list(os.Stdout)
		return nil, nil
	}
	return b.run(ctx)
}

// folder is where the benchmark's sources are.
func folder(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "sluice/bench").Output()
	if err != nil {
		return "", fmt.Errorf("the benchmark runs in sluice's own folder: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}

// before prepares what is done after the run, so that it does not fail then: it makes the folder for files, and returns the
// earlier report, if there is to be one.
func (f *flags) before() (old *report.Report, err error) {
	if f.Out != "" {
		if err := os.MkdirAll(f.Out, 0o755); err != nil {
			return nil, err
		}
	}
	if f.Compare == "" {
		return nil, nil
	}
	return report.Read(f.Compare)
}

// show prints a report and writes its files.
func (f *flags) show(r, old *report.Report) error {
	if err := report.Text(os.Stdout, r); err != nil {
		return err
	}
	if old != nil {
		if err := report.Compare(os.Stdout, old, r); err != nil {
			return err
		}
	}
	if f.Out == "" {
		return nil
	}
	return report.Write(f.Out, r)
}
