package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/bench/host"
	"sluice/bench/load"
	"sluice/bench/report"
	"sluice/internal/tools"
)

// peer is a server that can be measured: a folder with a peer.json, which says how it is made and started.
type peer struct {
	Name    string   `json:"-"` // of the folder
	Title   string   `json:"title"`
	Dialect string   `json:"dialect"` // how it is spoken to: raw, pipe, relay, sluice or tus
	Build   []string `json:"build"`   // a command for every time
	Command []string `json:"command"` // starts it; --addr HOST:PORT is added
	Max     string   `json:"max"`     // a flag: how many bytes an event may have; none: any number
	Collect bool     `json:"collect"` // it collects its garbage on SIGUSR2
	Deflate []string `json:"deflate"` // more arguments, that have it negotiate permessage-deflate; none: it cannot

	unmade error         // why it cannot be started
	server *host.Process // that runs; nil: none
	folder string
	work   string // where its program and its data are
}

// makeEndTime is how long a command that makes a peer may take to end when it is interrupted.
const makeEndTime = 10 * time.Second

// findPeers returns what lies in the folders of the benchmark, in the order in which it is shown.
func findPeers(root, work string) ([]*peer, error) {
	var found []*peer
	for _, pattern := range []string{"*/peer.json", "peers/*/peer.json"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			p, err := readPeer(file, work)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b *peer) int { return cmp.Compare(report.Rank(a.Name), report.Rank(b.Name)) })
	return found, nil
}

func readPeer(file, work string) (*peer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(file)
	p := &peer{Name: filepath.Base(folder), folder: folder, work: filepath.Join(work, filepath.Base(folder))}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(p); err != nil {
		return nil, err
	}
	if _, err := p.dialect("file"); err != nil {
		return nil, err
	}
	return p, nil
}

// dialect returns how the peer is spoken to; kind is of sluice's streams. One of tus has none: it takes uploads only.
func (p *peer) dialect(kind string) (load.Dialect, error) {
	switch p.Dialect {
	case "raw", "pipe":
		return load.Raw{}, nil
	case "relay":
		return load.Relay{}, nil
	case "sluice":
		return load.Sluice{Kind: kind}, nil
	case "tus":
		return nil, nil
	}
	return nil, fmt.Errorf("no such dialect: %q", p.Dialect)
}

// make installs and builds the peer.
func (p *peer) make(ctx context.Context) error {
	if err := os.MkdirAll(p.work, 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(p.folder, "package-lock.json")); err == nil {
		if err := tools.Node(ctx, p.folder); err != nil {
			return err
		}
	}
	if len(p.Build) == 0 {
		return nil
	}
	return p.do(ctx, p.Build)
}

// do runs a command in the peer's folder.
func (p *peer) do(ctx context.Context, command []string) error {
	command = p.fill(command)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = p.folder
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go and npm clean up then
	cmd.WaitDelay = makeEndTime
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %s: %w\n%s", p.Name, strings.Join(command, " "), err, out)
	}
	return nil
}

// fill puts in what the words in braces stand for.
func (p *peer) fill(command []string) []string {
	words := strings.NewReplacer("{program}", filepath.Join(p.work, p.Name), "{data}", filepath.Join(p.work, "data"), "{folder}", p.folder)
	filled := slices.Clone(command)
	for i := range filled {
		filled[i] = words.Replace(filled[i])
	}
	return filled
}

// serve starts the peer and returns how it is spoken to as well; see start and dialect.
func (p *peer) serve(ctx context.Context, kind string, more ...string) (*host.Process, load.Dialect, error) {
	d, err := p.dialect(kind)
	if err != nil {
		return nil, nil, err
	}
	server, err := p.start(ctx, more...)
	return server, d, err
}

// start starts the peer anew, with no data left of an earlier time, for one measurement: stop ends it. more are further arguments.
func (p *peer) start(ctx context.Context, more ...string) (*host.Process, error) {
	p.stop()
	data := filepath.Join(p.work, "data")
	if err := os.RemoveAll(data); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	server, err := host.Start(ctx, data, p.fill(append(slices.Clip(p.Command), more...))...)
	p.server = server
	return server, err
}

// stop ends the server that was started last, and returns what it said.
func (p *peer) stop() (said string) {
	if p.server != nil {
		said = p.server.Said()
		p.server.Stop()
	}
	p.server = nil
	return said
}
