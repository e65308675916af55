package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"sluice/bench/host"
	"sluice/bench/report"
)

// caseTime bounds one measurement, longTime one of a long workload.
const (
	caseTime = 4 * time.Minute
	longTime = 12 * time.Minute
)

// bench is one run.
type bench struct {
	scenarios []scenario
	peers     []*peer
	repeat    int
	scale     scale
	progress  *progress
}

// list prints what would be run.
func (b *bench) list(w io.Writer) {
	for _, s := range b.scenarios {
		fmt.Fprintf(w, "%s: %s\n\tby %s\n", s.name, s.about, names(b.able(s, workload{}), func(p *peer) string { return p.Name }))
		for _, c := range s.cases {
			mark := ""
			switch {
			case c.short:
				mark = "  (quick only)"
			case c.quick:
				mark = "  (quick, too)"
			case c.long:
				mark = "  (by its name only)"
			}
			fmt.Fprintf(w, "\t%s%s\n", c.name, mark)
		}
	}
	for _, p := range b.peers {
		fmt.Fprintf(w, "peer %s: %s\n", p.Name, p.Title)
	}
}

// run measures everything.
func (b *bench) run(ctx context.Context) (*report.Report, error) {
	defer b.progress.end()
	r := &report.Report{Began: time.Now(), Machine: report.Machine(host.Describe(ctx))}
	for _, p := range b.peers {
		if !b.needs(p) {
			continue
		}
		b.progress.making(p.Name)
		p.unmade = p.make(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.Peers = append(r.Peers, report.Peer{Name: p.Name, Title: p.Title})
	}
	b.progress.begin(b.measurements())
	for _, s := range b.scenarios {
		b.progress.scenario(s.name)
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
	r.Seconds = time.Since(r.Began).Seconds()
	return r, nil
}

// needs reports whether p takes part in anything.
func (b *bench) needs(p *peer) bool {
	return slices.ContainsFunc(b.scenarios, func(s scenario) bool { return s.peers(p) })
}

// measurements is how many there are to be made.
func (b *bench) measurements() (sum int) {
	for _, s := range b.scenarios {
		for _, w := range s.cases {
			sum += len(b.able(s, w)) * b.repeat
		}
	}
	return sum
}

// able returns the peers that take part in a case.
func (b *bench) able(s scenario, w workload) (able []*peer) {
	for _, p := range b.peers {
		if s.peers(p) && (w.peers == nil || w.peers(p)) {
			able = append(able, p)
		}
	}
	return able
}

// measure measures a case: all peers once, then all once more, so that what disturbs the machine disturbs all. Who is first
// takes turns. A peer that fails is not measured again.
func (b *bench) measure(ctx context.Context, s scenario, w workload) (report.Case, error) {
	c := report.Case{Name: w.name, Size: int64(w.size), Count: w.count}
	able := b.able(s, w)
	for _, p := range able {
		c.Results = append(c.Results, report.Result{Peer: p.Name})
	}
	for round := range b.repeat {
		for i := range able {
			i = (i + round) % len(able)
			b.progress.measuring(fmt.Sprintf("%s, %s: %s (%d of %d)", s.name, w.name, able[i].Name, round+1, b.repeat))
			if err := b.add(ctx, &c.Results[i], able[i], w); err != nil {
				return c, err
			}
			b.progress.measured()
		}
	}
	return c, nil
}

// add adds a sample to a result, or says there why there is none. The error is that of ctx.
func (b *bench) add(ctx context.Context, result *report.Result, p *peer, w workload) error {
	switch {
	case result.Err != "":
		return nil
	case p.unmade != nil:
		result.Err = p.unmade.Error()
		return nil
	}
	sample, err := b.sample(ctx, p, w)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		result.Err = err.Error()
	case !sample.Finite():
		result.Err = fmt.Sprintf("nothing was done: %v", sample)
	default:
		result.Samples = append(result.Samples, sample)
	}
	return nil
}

func (b *bench) sample(ctx context.Context, p *peer, w workload) (report.Sample, error) {
	limit := caseTime
	if w.long {
		limit = longTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sample, err := w.run(ctx, p, b.scale)
	if said := p.stop(); err != nil {
		err = fmt.Errorf("%w\n%s", err, said)
	}
	return sample, err
}
