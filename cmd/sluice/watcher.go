package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sluice/relay"
	"sluice/sio/client"
)

// watcher receives streams. Its state is that of the client's handlers, which run one at a time and in order.
type watcher struct {
	// Set once.
	*Watch
	env    *Env
	screen *screen
	folder *folder // nil: nothing is saved
	client *client.Client
	over   chan error // what to end with

	// Owned by the handlers.
	streams map[string]*reception // that have not ended
	newest  string                // the newest stream that was told of
	entered bool                  // there was a connection before this one
	failed  []error               // streams that ended and are not what they should be
}

func (w *watcher) handle() {
	w.client.OnConnect(func() {
		if err := w.enter(w.client.Context()); err != nil && !lost(err) {
			w.end(err)
		}
	})
	w.client.OnDisconnect(func(err error) {
		var d *client.DisconnectError
		if errors.As(err, &d) && d.Reason != client.ClientDisconnect {
			w.screen.say(err.Error())
		}
	})
	on(w, eventStream, func(info relay.Info, _ []byte) error { return w.begin(info) })
	on(w, eventChunk, w.chunk)
	on(w, eventGap, func(g gapEvent, _ []byte) error { return w.gap(g) })
	on(w, eventEnd, func(info relay.Info, _ []byte) error { return w.ended(info) })
}

// on has h called with an event's object and its bytes, if it has some.
func on[T any](w *watcher, event string, h func(v T, data []byte) error) {
	w.client.On(event, func(e *client.Event) {
		var (
			v    T
			data []byte
		)
		err := e.Decode(0, &v)
		if err == nil && e.NumArgs() > 1 {
			err = e.Decode(1, &data)
		}
		if err == nil {
			err = h(v, data)
		}
		if err != nil {
			w.end(fmt.Errorf("%s: %w", event, err))
		}
	})
}

// end has the command end with err. The first word counts.
func (w *watcher) end(err error) {
	select {
	case w.over <- err:
	default:
	}
}

// enter asks for what is wanted, over a new connection. What is in flight is resumed first: the streams of a room that are read
// already are not begun anew when it is joined.
func (w *watcher) enter(ctx context.Context) error {
	for _, r := range w.streams {
		if err := w.resume(ctx, r); err != nil {
			return err
		}
	}
	if w.Room == "" {
		return w.enterStream(ctx)
	}
	return w.enterRoom(ctx)
}

func (w *watcher) enterStream(ctx context.Context) error {
	if len(w.streams) > 0 {
		return nil // it was resumed
	}
	_, err := callSubscribe.do(ctx, w.client, subscribeRequest{Stream: w.Stream, Window: w.window()})
	return err
}

func (w *watcher) enterRoom(ctx context.Context) error {
	newest, from := w.newest, "none"
	if w.folder != nil {
		from = "live"
	}
	j, err := callJoin.do(ctx, w.client, joinRequest{Room: w.Room, From: from})
	if err != nil {
		return err
	}
	open := map[string]bool{}
	for _, info := range j.Streams {
		open[info.ID] = true
		if err := w.begin(info); err != nil {
			return err
		}
	}
	if !w.entered {
		w.entered = true
		return nil
	}
	return w.catchUp(ctx, newest, open)
}

// resume goes on with a stream from where it was left.
func (w *watcher) resume(ctx context.Context, r *reception) error {
	if r.to == nil {
		return nil
	}
	if r.info.Kind == relay.Live && r.at == 0 {
		return w.subscribe(ctx, r, nil)
	}
	from := r.at
	return w.subscribe(ctx, r, &from)
}

func (w *watcher) subscribe(ctx context.Context, r *reception, from *int64) error {
	_, err := callSubscribe.do(ctx, w.client, subscribeRequest{Stream: r.info.ID, From: from, Window: w.window()})
	var refused *relay.Error
	if !errors.As(err, &refused) {
		return err
	}
	// A server that crashed may have less than it had sent; of a file the same will come again.
	if refused.Code == relay.BadRequest && r.info.Kind == relay.File && r.at > 0 && r.restart() {
		return w.resume(ctx, r)
	}
	return w.drop(r, err)
}

// window is how far the server may be ahead; 0: as far as it likes, since a disk takes what comes.
func (w *watcher) window() int64 {
	if w.folder == nil {
		return streamWindow
	}
	return 0
}

// drop gives a stream up that the server does not give any more.
func (w *watcher) drop(r *reception, why error) error {
	delete(w.streams, r.info.ID)
	name, err := r.abandon()
	if name != "" {
		why = fmt.Errorf("%w; what came of it is in %s", why, name)
	}
	w.failed = append(w.failed, fmt.Errorf("%s: %w", w.label(r.info), why))
	if w.Room == "" {
		w.end(nil)
	}
	return err
}

// catchUp looks for streams that came and went while the connection was lost. open are those that go on, newest is the
// newest one known before.
func (w *watcher) catchUp(ctx context.Context, newest string, open map[string]bool) error {
	oldest := newest // that is of interest
	for id, r := range w.streams {
		if r.to == nil && !open[id] {
			oldest = min(oldest, id)
		}
	}
	for before := ""; ; {
		l, err := callList.do(ctx, w.client, listRequest{Room: w.Room, Before: before, Limit: listLimit})
		var refused *relay.Error
		if errors.As(err, &refused) {
			w.screen.say("what came while the connection was lost cannot be seen: " + printable(refused.Error()))
			return nil
		}
		if err != nil || len(l.Streams) == 0 {
			return err
		}
		for _, info := range l.Streams {
			if before = info.ID; before < oldest {
				return nil
			}
			if err := w.missed(ctx, info, newest); err != nil {
				return err
			}
		}
	}
}

// missed takes in a stream that may have ended while the connection was lost.
func (w *watcher) missed(ctx context.Context, info relay.Info, newest string) error {
	known := w.streams[info.ID] != nil
	if !info.Over() || !known && info.ID <= newest {
		return nil
	}
	if w.folder == nil {
		return w.ended(info)
	}
	if known || !info.Whole() {
		return nil // it was resumed; or there is nothing to be had
	}
	if err := w.begin(info); err != nil {
		return err
	}
	var start int64
	return w.subscribe(ctx, w.streams[info.ID], &start)
}

// begin prepares for a stream. What is known already may be known better now.
func (w *watcher) begin(info relay.Info) error {
	if r := w.streams[info.ID]; r != nil {
		r.info = info
		return nil
	}
	r := newReception(info)
	switch {
	case w.folder != nil:
		var err error
		if r.file, err = w.folder.create(); err != nil {
			return err
		}
		r.to = r.file
	case w.Room == "":
		r.to = w.env.Stdout
	}
	if r.to != nil {
		r.meter = w.screen.meter(w.label(info), info.Size)
	}
	w.streams[info.ID] = r
	w.newest = max(w.newest, info.ID)
	return nil
}

func (w *watcher) chunk(c chunkEvent, data []byte) error {
	r := w.streams[c.Stream]
	if r == nil {
		return nil // it was given up
	}
	if err := r.chunk(c, data); err != nil {
		return err
	}
	return w.credit(r)
}

func (w *watcher) gap(g gapEvent) error {
	r := w.streams[g.Stream]
	if r == nil || r.to == nil || !r.gap(g) {
		return nil
	}
	w.screen.say(fmt.Sprintf("%s: bytes %d to %d are missing (%s)", w.label(r.info), g.From, g.To, printable(g.Reason)))
	return w.credit(r)
}

// credit asks for more of a stream on its way to standard output. Nobody waits for the answer, which only keeps the server
// from complaining when the stream is over.
func (w *watcher) credit(r *reception) error {
	if w.window() == 0 || r.at-r.credited < streamWindow/4 {
		return nil
	}
	r.credited = r.at
	_, err := callCredit.start(w.client.Context(), w.client, position{Stream: r.info.ID, Offset: r.at})
	if lost(err) {
		return nil
	}
	return err
}

// ended takes in that a stream has ended.
func (w *watcher) ended(info relay.Info) error {
	r := w.streams[info.ID]
	if r == nil {
		if w.folder != nil {
			return nil
		}
		r = newReception(info)
	}
	r.info = info
	delete(w.streams, info.ID)
	w.newest = max(w.newest, info.ID)
	var (
		name string
		err  error
	)
	if r.to != nil {
		name, err = r.close()
	}
	if w.Room == "" {
		defer w.end(nil)
	}
	switch {
	case err == nil:
		return w.report(info, name)
	case w.Room != "" && !info.Whole():
		w.screen.say(fmt.Sprintf("%s: %v", w.label(info), err)) // not for us to fail: its publisher did
	default:
		w.failed = append(w.failed, fmt.Errorf("%s: %w", w.label(info), err))
	}
	return nil
}

// arrived is what is printed of a stream.
type arrived struct {
	relay.Info
	File string `json:"file,omitempty"`
}

// report prints a stream that has ended, unless standard output was its own.
func (w *watcher) report(info relay.Info, name string) error {
	switch {
	case w.Room == "" && w.folder == nil:
		return nil
	case name != "":
		name = filepath.Join(w.Out, name)
	}
	if w.JSON {
		return json.NewEncoder(w.env.Stdout).Encode(arrived{info, name})
	}
	if name == "" {
		name = strings.Join(row(info), "\t")
	}
	w.screen.print(w.env.Stdout, name)
	return nil
}
