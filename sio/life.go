package sio

import (
	"context"
	"sync"
)

// life is a context that is made when somebody asks for it, or at its end.
type life struct {
	mu     sync.Mutex
	ctx    context.Context // guarded by mu; nil until then, and then it stays
	cancel context.CancelCauseFunc
}

func (l *life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithCancelCause(context.Background())
	}
	return l.ctx
}

func (l *life) end(why error) {
	l.context()
	l.cancel(why)
}
