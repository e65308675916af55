package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// choose returns the run that the flags ask for.
func (f *flags) choose(peers []*peer) (*bench, error) {
	b := &bench{repeat: f.Repeat, scale: fullScale, progress: newProgress(os.Stderr)}
	if f.Repeat < 1 {
		return nil, fmt.Errorf("--repeat %d: it is to be 1 at least", f.Repeat)
	}
	if f.Quick {
		b.scale = quickScale
	}
	var err error
	if b.peers, err = pick("peer", f.Peer, peers, func(p *peer) string { return p.Name }); err != nil {
		return nil, err
	}
	chosen, err := pick("scenario", f.Scenario, scenarios, func(s scenario) string { return s.name })
	if err != nil {
		return nil, err
	}
	for _, s := range chosen {
		if f.Quick && len(f.Peer) == 0 && s.quick != nil {
			able, quick := s.peers, s.quick
			s.peers = func(p *peer) bool { return able(p) && quick(p) }
		}
		s.cases = f.cases(s)
		if len(s.cases) > 0 {
			b.scenarios = append(b.scenarios, s)
		}
	}
	if len(b.scenarios) == 0 {
		return nil, fmt.Errorf("no case of %s has %q in its name; --list names them", names(chosen, func(s scenario) string { return s.name }), f.Case)
	}
	return b, nil
}

// cases returns those that are to be run: with Case that of this name, or if there is none those whose names hold it, save for
// long ones.
func (f *flags) cases(s scenario) []workload {
	exact := slices.ContainsFunc(s.cases, func(w workload) bool { return w.name == f.Case })
	return slices.DeleteFunc(slices.Clone(s.cases), func(w workload) bool {
		switch {
		case exact:
			return w.name != f.Case
		case f.Case != "":
			return !strings.Contains(w.name, f.Case) || w.long
		}
		if f.Quick {
			return !w.quick
		}
		return (w.short || w.long) && !f.List
	})
}

// pick returns those of all that were asked for by name, in the order of all; if none was, all.
func pick[T any](kind string, asked []string, all []T, name func(T) string) ([]T, error) {
	for _, a := range asked {
		if !slices.ContainsFunc(all, func(v T) bool { return name(v) == a }) {
			return nil, fmt.Errorf("no %s %q; there are %s", kind, a, names(all, name))
		}
	}
	if len(asked) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !slices.Contains(asked, name(v)) }), nil
}

func names[T any](all []T, name func(T) string) string {
	var list []string
	for _, v := range all {
		list = append(list, name(v))
	}
	return strings.Join(list, ", ")
}
