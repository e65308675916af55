package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressIsALineThatFitsATerminal(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out, width: 20}
	p.begin(4)
	p.scenario("fanout")
	p.measuring("a case whose name is long")
	p.end()
	if got, want := out.String(), "\r\x1b[K0/4  a case whose n\r\x1b[K"; got != want {
		t.Errorf("printed %q; want %q", got, want)
	}
}

func TestProgressElsewhereIsALineForEachScenario(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out}
	p.making("a peer")
	p.begin(4)
	p.scenario("fanout")
	p.measuring("a case")
	p.measured()
	p.end()
	p.began = time.Now().Add(-time.Minute)
	p.scenario("idle")
	const want = "bench: fanout (0 of 4 measurements done)\nbench: idle (1 of 4 measurements done, 3m0s left)\n"
	if out.String() != want {
		t.Errorf("printed %q; want %q", out.String(), want)
	}
}
