package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/relay"
)

// Ls is the command that lists the streams of a room, newest first.
type Ls struct {
	Remote
	Room string `required:"" help:"The room."`
	JSON bool   `name:"json" help:"Print each stream as a JSON object."`
}

// Run prints the streams as they come, a page at a time.
func (l *Ls) Run(env *Env) (err error) {
	screen := newScreen(env.Stderr)
	defer screen.close()
	c, err := l.client(screen.say, sendAttempts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := l.connect(env.Ctx, c); err != nil {
		return err
	}
	for before := ""; ; {
		page, err := callList.do(env.Ctx, c, listRequest{Room: l.Room, Before: before, Limit: listLimit})
		if err != nil || len(page.Streams) == 0 {
			return err
		}
		if err := l.print(env, page.Streams); err != nil {
			return err
		}
		before = page.Streams[len(page.Streams)-1].ID
	}
}

func (l *Ls) print(env *Env, page []relay.Info) error {
	if l.JSON {
		enc := json.NewEncoder(env.Stdout)
		for _, info := range page {
			if err := enc.Encode(info); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, info := range page {
		fmt.Fprintln(t, strings.Join(row(info), "\t")) // Flush tells its errors
	}
	return t.Flush()
}

// row is a stream in one line of a table.
func row(info relay.Info) []string {
	bytes := info.Offset
	if info.Size != nil {
		bytes = *info.Size
	}
	cells := []string{info.ID, info.Created.Local().Format(time.DateTime), string(info.State), size(bytes), info.Type, info.Name}
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	return cells
}
