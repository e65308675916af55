package sio

import (
	"errors"

	"sluice/sio/engine"
)

// Refused is called by the engine when it is about to end the connection for what the client sent. See engine.Refuser.
func (c *conn) Refused(err error) bool {
	if errors.Is(err, engine.ErrTooLarge) {
		err = &LimitError{What: "a message", Limit: int64(c.server.maxEventBytes())}
	}
	c.server.counters.invalid.Add(1)
	c.server.log().Info("sio: invalid input", "sid", c.session.ID(), "err", err)
	if !c.tellInvalid(err) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	c.changed.broadcast()
	return true
}
