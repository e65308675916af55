package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"sluice/relay"
	"sluice/sio/client"
)

// Remote is the server that a command talks to.
type Remote struct {
	Server string `default:"http://127.0.0.1:3000" env:"SLUICE_SERVER" placeholder:"URL" help:"The server (${default})."`
	Token  string `env:"SLUICE_TOKEN" placeholder:"TEXT" help:"A token, where the server asks for one (see sluice token)."`
}

// client returns a client that is not connected yet and prints the server's complaints to env's standard error. It tries
// WebSocket first: all that there is to gain from polling is a way through a proxy that knows no WebSocket.
func (r *Remote) client(report func(string), attempts int) (*client.Client, error) {
	o := client.Options{
		Transports: []string{client.WebSocket, client.Polling},
		Backoff:    client.Backoff{Attempts: attempts},
	}
	if r.Token != "" {
		o.Auth = map[string]string{"token": r.Token}
	}
	c, err := client.New(r.Server, o)
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	c.On(eventProblem, func(e *client.Event) {
		var p relay.Error
		if e.Decode(0, &p) == nil {
			report("the server: " + printable(p.Error()))
		}
	})
	return c, nil
}

// connect makes the first connection.
func (r *Remote) connect(ctx context.Context, c *client.Client) error {
	if err := c.Connect(ctx); err != nil {
		return fmt.Errorf("%s: %w", r.Server, err)
	}
	return nil
}

// url returns the whole URL of a path on the server.
func (r *Remote) url(path string) string {
	u, err := url.Parse(r.Server)
	if err != nil {
		return path
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	return u.Scheme + "://" + u.Host + "/" + strings.TrimPrefix(path, "/")
}

// request returns a GET of a path on the server.
func (r *Remote) request(ctx context.Context, path string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url(path), nil)
	if err == nil && r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	return req, err
}
