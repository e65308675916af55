package load

import (
	"context"
	"errors"
	"time"
)

const (
	// connectTries is how often a connect is tried.
	connectTries = 5
	// answerTime is how long one try may take.
	answerTime = 2 * time.Second
)

// connect connects, and tries again if that fails, as every client does. It returns how many tries failed: those belong into the
// report. They are there because of zishang520/socket.io v3.0.2, which sends its open packet before it listens for the
// answer (servers/engine, socket.Construct calls onOpen, and base-server emits "connection" after that), and confirms a
// namespace before it knows the socket (servers/socket, _doConnect): the `40` of a client that is quick is lost about once in
// 200 times on loopback, or its first event has the connection closed.
func connect(ctx context.Context, try func(ctx context.Context) error) (failed int, err error) {
	for ; failed < connectTries; failed++ {
		fault := within(ctx, answerTime, try)
		if fault == nil {
			return failed, nil
		}
		err = errors.Join(err, fault)
		if ctx.Err() != nil {
			break
		}
	}
	return failed, err
}

func within(ctx context.Context, limit time.Duration, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}
