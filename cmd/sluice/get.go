package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/relay"
)

const (
	getAttempts  = 10              // in a row that bring nothing before get gives up
	getPause     = time.Second     // between them
	maxErrorBody = 4 << 10         // bytes that are read of a refusal
	getPatience  = 2 * time.Minute // for the server's answer, not for the content
)

// Get is the command that fetches one stream over HTTP. Of an open stream it follows what comes until the end.
type Get struct {
	Remote
	ID  string `arg:"" help:"The stream."`
	Out string `short:"o" placeholder:"FILE" help:"Where to; - is standard output. By default the stream's own name, made safe and unique, in the current folder."`
}

// Run fetches the stream and prints the name of the file it made one up for.
func (g *Get) Run(env *Env) error {
	screen := newScreen(env.Stderr)
	defer screen.close()
	f := &fetch{remote: &g.Remote, path: "/media/" + url.PathEscape(g.ID), id: g.ID, screen: screen, sum: sha256.New()}
	f.http.Transport = &http.Transport{ResponseHeaderTimeout: getPatience, DisableCompression: true}
	defer f.http.CloseIdleConnections()
	defer func() { f.meter.abort() }()
	if g.Out == "-" {
		f.to = env.Stdout
		return f.run(env.Ctx)
	}
	return g.save(env, f)
}

func (g *Get) save(env *Env, f *fetch) error {
	folder, err := openFolder(filepath.Dir(g.Out)) // of "" that is the current one
	if err != nil {
		return err
	}
	defer folder.close()
	file, err := folder.create()
	if err != nil {
		return err
	}
	f.to, f.restart = file, file.restart
	if err := f.run(env.Ctx); err != nil {
		file.discard()
		return err
	}
	if g.Out != "" {
		return file.replace(filepath.Base(g.Out))
	}
	name, err := file.keep(fileName(f.info))
	if err == nil {
		f.screen.print(env.Stdout, name)
	}
	return err
}

// fetch is a download that goes on where it was broken off.
type fetch struct {
	remote  *Remote
	path    string
	id      string
	http    http.Client
	to      io.Writer
	restart func() error // throws away what came; nil: that cannot be done
	screen  *screen
	meter   *meter

	info relay.Info // name and type
	etag string     // of what came so far
	size int64      // -1: not known
	at   int64      // bytes that came
	sum  hash.Hash  // of them
}

// errFinal is what trying again does not help against.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }

// run fetches until all is there.
func (f *fetch) run(ctx context.Context) error {
	for failures := 0; ; {
		before := f.at
		err := f.attempt(ctx)
		var final errFinal
		switch {
		case err == nil:
			return f.check()
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case errors.As(err, &final):
			return final.error
		}
		if failures++; f.at > before {
			failures = 1
		}
		if failures >= getAttempts || before == 0 && f.at == 0 {
			return err
		}
		f.screen.say(fmt.Sprintf("%v; going on at %s", err, size(f.at)))
		if err := pause(ctx, getPause); err != nil {
			return errors.New("interrupted")
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt asks for what is missing, and takes what comes.
func (f *fetch) attempt(ctx context.Context) error {
	req, err := f.remote.request(ctx, f.path)
	if err != nil {
		return errFinal{err}
	}
	if f.at > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(f.at, 10)+"-")
		req.Header.Set("If-Range", f.etag)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := f.accept(resp); err != nil {
		return err
	}
	return f.copy(resp.Body)
}

// accept decides whether a response goes on where the last one was broken off.
func (f *fetch) accept(resp *http.Response) error {
	switch {
	case f.at > 0 && resp.StatusCode == http.StatusPartialContent:
		if !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", f.at)) {
			return errFinal{errors.New("the server sends another part than was asked for")}
		}
		return nil
	case f.at > 0 && resp.StatusCode == http.StatusOK:
		if err := f.again(); err != nil {
			return err
		}
	case resp.StatusCode != http.StatusOK:
		return refusal(resp)
	}
	f.etag, f.size = resp.Header.Get("ETag"), resp.ContentLength
	f.describe(resp.Header)
	if f.meter == nil {
		var known *int64
		if f.size >= 0 {
			known = &f.size
		}
		f.meter = f.screen.meter(fileName(f.info), known)
	}
	return nil
}

// again begins from the start, since the server cannot go on: the stream was still open, or there is another now.
func (f *fetch) again() error {
	if f.restart == nil {
		return errFinal{errors.New("it was broken off, and cannot be gone on with")}
	}
	f.at = 0
	f.sum.Reset()
	if err := f.restart(); err != nil {
		return errFinal{err}
	}
	return nil
}

// describe takes the stream's name and type from the header.
func (f *fetch) describe(h http.Header) {
	f.info = relay.Info{ID: f.id, Type: h.Get("Content-Type")}
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil {
		f.info.Name = params["filename"]
	}
}

func (f *fetch) copy(body io.Reader) error {
	p := make([]byte, 256<<10)
	for {
		n, err := body.Read(p)
		if _, werr := f.to.Write(p[:n]); werr != nil {
			return errFinal{werr}
		}
		f.sum.Write(p[:n])
		f.at += int64(n)
		f.meter.at(f.at)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// check compares what came with what was promised: the ETag of a finished stream is its SHA-256.
func (f *fetch) check() error {
	if f.size >= 0 && f.at != f.size {
		return fmt.Errorf("%d bytes came of %d", f.at, f.size)
	}
	want := strings.Trim(f.etag, `"`)
	if b, err := hex.DecodeString(want); err == nil && len(b) == sha256.Size && want != hex.EncodeToString(f.sum.Sum(nil)) {
		return errors.New("the content is not what was published: its SHA-256 differs")
	}
	f.meter.done()
	return nil
}

// refusal is the server's answer as an error. Only of one that is overloaded there is hope that it will change its mind.
func refusal(resp *http.Response) error {
	var body struct{ Error *relay.Error }
	err := json.NewDecoder(io.LimitReader(resp.Body, maxErrorBody)).Decode(&body)
	var told error = fmt.Errorf("the server answers %s", resp.Status)
	if err == nil && body.Error != nil {
		told = body.Error
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		return told
	}
	return errFinal{told}
}
