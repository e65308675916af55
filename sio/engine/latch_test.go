package engine

import "testing"

func TestALatchIsClosedForWhoComesBeforeAndAfter(t *testing.T) {
	var l latch
	before := l.done()
	select {
	case <-before:
		t.Fatal("it is closed at once")
	default:
	}
	l.close()
	wait(t, before)
	wait(t, l.done())
}
