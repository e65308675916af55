package load

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestTogetherEndsWhenThereIsNoMoreToDo(t *testing.T) {
	var left atomic.Int64
	left.Store(100)
	var did atomic.Int64
	err := Together(t.Context(), 7, func(context.Context) (more bool, err error) {
		if left.Add(-1) < 0 {
			return false, nil
		}
		did.Add(1)
		return true, nil
	})
	if err != nil || did.Load() != 100 {
		t.Errorf("Together did %d, %v; want 100", did.Load(), err)
	}
}

func TestTheFirstErrorEndsWhatIsDoneTogether(t *testing.T) {
	fault := errors.New("a fault")
	err := Together(t.Context(), 3, func(context.Context) (more bool, err error) { return true, fault })
	if err != fault {
		t.Errorf("Together() = %v; want %v", err, fault)
	}
}

func TestACrowdNoticesWhoHasLeft(t *testing.T) {
	staying, leaving := &rawConn{ended: make(chan struct{})}, &rawConn{ended: make(chan struct{})}
	crowd := &Crowd{conns: []Conn{staying, leaving}}
	if err := crowd.Check(); err != nil {
		t.Fatal(err)
	}
	leaving.err = errors.New("cut off")
	close(leaving.ended)
	if err := crowd.Check(); !errors.Is(err, leaving.err) {
		t.Errorf("Check() = %v; want %v", err, leaving.err)
	}
}
