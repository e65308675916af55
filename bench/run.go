package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"sluice/bench/report"
)

// caseTime bounds one measurement.
const caseTime = 2 * time.Minute

// bench is one run.
type bench struct {
	scenarios []scenario
	peers     []*peer
	repeat    int
	scale     scale
	progress  io.Writer
}

// list prints what would be run.
func (b *bench) list(w io.Writer) {
	for _, s := range b.scenarios {
		fmt.Fprintf(w, "%s: %s\n", s.name, s.about)
		for _, c := range s.cases {
			fmt.Fprintf(w, "\t%s\n", c.name)
		}
	}
	for _, p := range b.peers {
		fmt.Fprintf(w, "peer %s: %s\n", p.Name, p.Title)
	}
}

func (b *bench) run(ctx context.Context) (*report.Report, error) {
	r := &report.Report{Began: time.Now()}
	for _, p := range b.peers {
		fmt.Fprintf(b.progress, "\r\x1b[Kmaking %s", p.Name)
		if err := p.make(ctx); err != nil {
			return nil, err
		}
		r.Peers = append(r.Peers, report.Peer{Name: p.Name, Title: p.Title})
	}
	for _, s := range b.scenarios {
		found := report.Scenario{Name: s.name, About: s.about}
		for _, w := range s.cases {
			c, err := b.measure(ctx, s, w)
			if err != nil {
				return nil, err
			}
			found.Cases = append(found.Cases, c)
		}
		r.Scenarios = append(r.Scenarios, found)
	}
	fmt.Fprint(b.progress, "\r\x1b[K")
	r.Seconds = time.Since(r.Began).Seconds()
	return r, nil
}

// measure measures a case: all peers once, then all once more, so that what disturbs the machine disturbs all. Who is first
// takes turns. A peer that fails is not measured again.
func (b *bench) measure(ctx context.Context, s scenario, w workload) (report.Case, error) {
	c := report.Case{Name: w.name}
	var able []*peer
	for _, p := range b.peers {
		if s.peers(p) {
			able = append(able, p)
			c.Results = append(c.Results, report.Result{Peer: p.Name})
		}
	}
	for round := range b.repeat {
		for i := range able {
			i = (i + round) % len(able)
			result := &c.Results[i]
			if result.Err != "" {
				continue
			}
			fmt.Fprintf(b.progress, "\r\x1b[K%s, %s: %s (%d of %d)", s.name, w.name, able[i].Name, round+1, b.repeat)
			sample, err := b.sample(ctx, able[i], w)
			switch {
			case ctx.Err() != nil:
				return c, ctx.Err()
			case err != nil:
				result.Err = err.Error()
			default:
				result.Samples = append(result.Samples, sample)
			}
		}
	}
	return c, nil
}

func (b *bench) sample(ctx context.Context, p *peer, w workload) (report.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	return w.run(ctx, p, b.scale)
}
