package sio

import (
	"errors"
	"io"
	"net/http"

	"sluice/sio/engine"
)

// refusedError is what a connection ends with when sio, and not the engine, found fault with what the client sent: Node's server
// tells the two apart.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

// refuse ends the connection for m, which the client should not have sent. What OnInvalid's handlers have to say goes first; a
// POST is refused all the same.
func (c *conn) refuse(err error, m engine.Message) error {
	told := c.tellInvalid(err)
	err = refusedError{err}
	if !told {
		return err
	}
	c.drain(err)
	if m.Request.Method == http.MethodPost {
		return err
	}
	return discard(m)
}

// Refused gives OnInvalid's handlers the last word when it is the engine that found fault. See engine.Refuser.
func (c *conn) Refused(err error) bool {
	if errors.Is(err, engine.ErrTooLarge) {
		err = &LimitError{What: "a message", Limit: int64(c.server.maxEventBytes())}
	}
	told := c.tellInvalid(err)
	if told {
		c.finish()
	}
	return told
}

// tellInvalid calls OnInvalid of the sockets' namespaces, and reports whether there was any.
func (c *conn) tellInvalid(err error) (told bool) {
	c.server.counters.invalid.Add(1)
	c.server.log().Info("sio: invalid input", "sid", c.session.ID(), "err", err)
	for _, s := range c.all() {
		h := inheritedOne(s.ns, func(ns *Namespace) *slot[func(*Socket, error)] { return &ns.handlers.invalid })
		if h != nil && s.Connected() {
			told = true
			c.server.guard(s, "OnInvalid", func() { h(s, err) })
		}
	}
	return told
}

// discard reads what comes after the connection was told to end, so that the client can still read what it was told.
func discard(m engine.Message) error {
	if m.Body == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, m.Body)
	return err
}
