package main

import (
	"context"
	"errors"
	"fmt"

	"sluice/relay"
)

// streamWindow is how many bytes of a stream on its way to standard output the server may be ahead of who reads that: little
// enough that the connection stays alive while nobody does.
const streamWindow = 4 << 20

// Watch is the command that receives.
type Watch struct {
	Remote
	Room   string `xor:"what" required:"" help:"The room to watch."`
	Stream string `xor:"what" required:"" placeholder:"ID" help:"One stream, to standard output unless --out is given."`
	Out    string `placeholder:"DIR" help:"The folder to save in what arrives; without it each stream of a room is only told of, when it has ended."`
	JSON   bool   `name:"json" help:"Print each stream as a JSON object."`
}

// Run watches a room until it is interrupted, or a stream until its end.
func (c *Watch) Run(env *Env) error {
	if c.JSON && c.Stream != "" && c.Out == "" {
		return errors.New("--json: standard output is for the stream")
	}
	w := &watcher{Watch: c, env: env, screen: newScreen(env.Stderr), streams: map[string]*reception{}, over: make(chan error, 1)}
	defer w.screen.close()
	if c.Out != "" {
		var err error
		if w.folder, err = openFolder(c.Out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		defer w.folder.close()
	}
	return w.run(env.Ctx)
}

func (w *watcher) run(ctx context.Context) (err error) {
	if w.client, err = w.Remote.client(w.screen.say, 0); err != nil {
		return err
	}
	w.handle()
	if err := w.connect(ctx, w.client); err != nil {
		return errors.Join(err, w.client.Close())
	}
	select {
	case err = <-w.over:
	case <-w.client.Context().Done():
		err = context.Cause(w.client.Context())
	case <-ctx.Done():
	}
	err = errors.Join(err, w.client.Close())
	// No handler runs any more: what was theirs is ours.
	return errors.Join(err, w.leave(), errors.Join(w.failed...))
}

// leave ends what is in flight, which is then not all that was to be done.
func (w *watcher) leave() error {
	var errs []error
	for _, r := range w.streams {
		if r.to == nil {
			continue
		}
		name, err := r.abandon()
		if err == nil {
			err = fmt.Errorf("%s: broken off after %s", w.label(r.info), size(r.at))
		}
		if name != "" {
			err = fmt.Errorf("%w, kept as %s", err, name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// label is what a stream is called in messages.
func (w *watcher) label(info relay.Info) string {
	if info.Name == "" {
		return printable(info.ID)
	}
	return printable(info.Name)
}
