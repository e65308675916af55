package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/relay"
	"sluice/sio/client"
)

const (
	// sendAttempts bounds how often a lost connection is tried again in a row, which takes about five minutes.
	sendAttempts = 60
	// liveGrace is how long a live stream that is interrupted may take to end properly.
	liveGrace = 10 * time.Second
)

// Send is the command that publishes files.
//
// Every file goes by publish, chunk and finish with a key of its own, small ones too: only that way can it be sent again,
// when the connection was lost, without being there twice.
type Send struct {
	Remote
	Room  string        `required:"" help:"The room to publish in."`
	Live  bool          `help:"Publish standard input as a live stream."`
	Name  string        `help:"What to call the stream; by default a file's own name."`
	JSON  bool          `name:"json" help:"Print each finished stream as a JSON object."`
	Wait  time.Duration `default:"5m" placeholder:"TIME" help:"How long to try again while the server has no room; 0: not at all (${default})."`
	Files []string      `arg:"" name:"file" help:"Files to send; - is standard input."`
}

// Run sends one file after the other. One that fails does not keep the others from being sent.
func (s *Send) Run(env *Env) error {
	if err := s.check(); err != nil {
		return err
	}
	screen := newScreen(env.Stderr)
	defer screen.close()
	c, err := s.client(screen.say, sendAttempts)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.connect(env.Ctx, c); err != nil {
		return err
	}
	var errs []error
	for _, file := range s.Files {
		if err := s.send(env, c, screen, file); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
		if err := context.Cause(c.Context()); err != nil || env.Ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (s *Send) check() error {
	stdin := 0
	for _, file := range s.Files {
		if file == "-" {
			stdin++
		}
	}
	switch {
	case stdin > 1:
		return errors.New("standard input can only be sent once")
	case s.Live && (stdin != 1 || len(s.Files) != 1):
		return errors.New("--live publishes standard input: give - as the only file")
	case s.Name != "" && len(s.Files) > 1:
		return errors.New("--name is for one file")
	}
	return nil
}

// send publishes one file and prints where it is.
func (s *Send) send(env *Env, c *client.Client, screen *screen, file string) error {
	in, err := s.open(env, file)
	if err != nil {
		return err
	}
	defer in.close()
	u := &upload{
		client:  c,
		request: publishRequest{Room: s.Room, Name: in.name, Kind: relay.File, Size: in.size},
		source:  func(piece int64) *source { return newSource(in.content, piece, in.size != nil) },
		meter:   screen.meter(file, in.size),
		wait:    s.Wait,
		say:     screen.say,
	}
	defer u.meter.abort()
	ctx := env.Ctx
	if s.Live {
		var cancel func()
		ctx, cancel = s.live(env, screen, u)
		defer cancel()
	}
	info, err := u.run(ctx)
	switch {
	case err != nil && env.Ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return err
	}
	u.meter.done()
	return s.report(env, screen, info)
}

// live makes u publish a live stream, which an interruption ends rather than breaks, and whose URL is wanted from the
// beginning.
func (s *Send) live(env *Env, screen *screen, u *upload) (context.Context, func()) {
	u.request.Kind = relay.Live
	u.stop = env.Ctx.Done()
	if !s.JSON {
		u.begun = func(info relay.Info) { screen.print(env.Stdout, s.url(info.URL)) }
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(env.Ctx))
	release := context.AfterFunc(env.Ctx, func() { time.AfterFunc(liveGrace, cancel) })
	return ctx, func() {
		release()
		cancel()
	}
}

// report prints the finished stream.
func (s *Send) report(env *Env, screen *screen, info relay.Info) error {
	switch {
	case s.JSON:
		return json.NewEncoder(env.Stdout).Encode(info)
	case !s.Live:
		screen.print(env.Stdout, s.url(info.URL))
	}
	return nil
}

// input is something to send.
type input struct {
	name    string
	size    *int64 // nil: not known before
	content io.Reader
	file    *os.File // nil: standard input
}

func (in *input) close() {
	if in.file != nil {
		_ = in.file.Close() // it was only read
	}
}

func (s *Send) open(env *Env, file string) (*input, error) {
	if file == "-" {
		return &input{name: s.Name, content: env.Stdin}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, reason(err)
	}
	in, err := newInput(f)
	if err != nil {
		_ = f.Close() // it was only opened
		return nil, reason(err)
	}
	if s.Name != "" {
		in.name = s.Name
	}
	return in, nil
}

// newInput describes an open file. Of one that grows, what it holds now is sent.
func newInput(f *os.File) (*input, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in := &input{name: streamName(filepath.Base(f.Name())), content: f, file: f}
	switch {
	case stat.IsDir():
		return nil, errors.New("is a directory")
	case stat.Mode().IsRegular():
		size := stat.Size()
		in.size, in.content = &size, io.LimitReader(f, size)
	}
	return in, nil
}

// reason is err without the file's name, which who reports it has said.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// streamName is a file's name as a server takes it.
func streamName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || c == '\\' || unicode.IsControl(c) {
			return '_'
		}
		return c
	}, name)
	return shorten(name, relay.MaxNameBytes)
}
