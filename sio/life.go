package sio

import (
	"context"
	"sync/atomic"
)

// life is a context that is made when somebody asks for it, or at its end.
type life struct {
	made atomic.Pointer[lifetime] // nil until then, and then it stays
}

type lifetime struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (l *life) get() *lifetime {
	if t := l.made.Load(); t != nil {
		return t
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	l.made.CompareAndSwap(nil, &lifetime{ctx, cancel})
	return l.made.Load()
}

func (l *life) context() context.Context { return l.get().ctx }

func (l *life) end(why error) { l.get().cancel(why) }
