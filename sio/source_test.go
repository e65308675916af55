package sio_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"sluice/sio"
)

// list is a Source of prepared events; it must be waited for when slow.
type list struct {
	mu     sync.Mutex
	events []*sio.Prepared // guarded by mu
	slow   bool            // guarded by mu: what there is must be waited for
	asked  int             // guarded by mu
}

func (l *list) add(events ...*sio.Prepared) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, events...)
}

func (l *list) Next(wait bool) (*sio.Prepared, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if len(l.events) == 0 {
		return nil, false
	}
	if l.slow && !wait {
		return nil, true
	}
	e := l.events[0]
	l.events = l.events[1:]
	return e, len(l.events) > 0
}

// joined returns a client of the namespaces and its sockets there.
func joined(t *testing.T, io *sio.Server, namespaces ...string) (*peer, []*sio.Socket) {
	t.Helper()
	for _, name := range namespaces {
		io.Of(name)
	}
	p := dial(t, serve(t, io))
	var sockets []*sio.Socket
	for _, name := range namespaces {
		p.send(strings.TrimSuffix("0"+name+",", "/,"))
		p.next()
		sockets = append(sockets, io.Of(name).Sockets()...)
	}
	return p, sockets
}

func TestASourceIsPulledAfterWake(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/")
	s, src := sockets[0], &list{}
	src.add(sio.Prepare("one"), sio.Prepare("two", []byte("x")))
	s.SetSource(src)
	s.Emit("control")
	p.expect(`2["control"]`)
	s.Wake()
	p.expect(`2["one"]`, `51-["two",{"_placeholder":true,"num":0}]`, `b:x`)
	src.add(sio.Prepare("three"))
	s.Wake()
	p.expect(`2["three"]`)
}

func TestASlowSourceIsWaitedFor(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/")
	src := &list{slow: true}
	src.add(sio.Prepare("one"), sio.Prepare("two"))
	sockets[0].SetSource(src)
	sockets[0].Wake()
	p.expect(`2["one"]`, `2["two"]`)
}

func TestSourcesOfAConnectionTakeTurns(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/", "/b", "/c")
	sources := make([]*list, len(sockets))
	for i, s := range sockets {
		sources[i] = &list{}
		s.SetSource(sources[i])
	}
	for range 3 {
		for _, src := range sources {
			src.add(sio.Prepare("x", strings.Repeat("x", 256<<10))) // too much to be sent at once
		}
	}
	for _, s := range sockets {
		s.Wake()
	}
	var turns []string
	for range 9 {
		turns = append(turns, p.next()[1:3])
	}
	counts := map[string]int{}
	for _, turn := range turns[3:6] { // the first may have gone out before the others were woken
		counts[turn]++
	}
	if len(counts) < 2 {
		t.Errorf("turns %q", turns)
	}
}

func TestWhatIsEmittedOvertakesASource(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/")
	s, src := sockets[0], &list{}
	const events = 200
	for range events {
		src.add(sio.Prepare("film", make([]byte, 256<<10)))
	}
	s.SetSource(src)
	s.Wake()
	if err := s.Emit("control"); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		switch text := p.next(); {
		case text == `2["control"]`:
			if i > events {
				t.Errorf("control came after %d messages", i)
			}
			return
		case i == 2*events:
			t.Fatal("control never came")
		}
	}
}

func TestASourceEndsWithItsSocket(t *testing.T) {
	_, sockets := joined(t, &sio.Server{}, "/")
	s, src := sockets[0], &list{}
	s.SetSource(src)
	s.Disconnect(false)
	src.add(sio.Prepare("one"))
	s.Wake()
	src.mu.Lock()
	defer src.mu.Unlock()
	if src.asked != 0 {
		t.Errorf("asked %d times after the end", src.asked)
	}
}

func TestASourceCanBeTakenAway(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/", "/b")
	for _, s := range sockets {
		s.SetSource(&list{})
	}
	sockets[0].SetSource(nil)
	sockets[0].Wake()
	src := &list{}
	src.add(sio.Prepare("one"))
	sockets[1].SetSource(src)
	sockets[1].Wake()
	p.expect(`2/b,["one"]`)
}

type brokenSource struct{ t *testing.T }

func (brokenSource) Next(bool) (*sio.Prepared, bool) { panic("broken") }

func TestAPanicOfASourceEndsItsConnection(t *testing.T) {
	p, sockets := joined(t, &sio.Server{Logger: quiet()}, "/")
	sockets[0].SetSource(brokenSource{t})
	sockets[0].Wake()
	p.expectClosed()
}

func TestEventsOfASourceThatCannotBeSentAreLeftOut(t *testing.T) {
	p, sockets := joined(t, &sio.Server{Logger: quiet()}, "/")
	src := &list{}
	src.add(sio.Prepare("disconnect"), sio.Prepare("x", func() {}), sio.Prepare("good"))
	sockets[0].SetSource(src)
	sockets[0].Wake()
	p.expect(`2["good"]`)
}

func TestManyMaySendAtOnce(t *testing.T) {
	p, sockets := joined(t, &sio.Server{}, "/")
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for j := range 100 {
				for {
					err := sockets[0].Emit("n", i, j)
					if err == nil {
						break
					}
					if !errors.Is(err, sio.ErrQueueFull) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	next := make(map[int]int)
	for range 800 {
		var i, j int
		if _, err := fmt.Sscanf(p.next(), `2["n",%d,%d]`, &i, &j); err != nil {
			t.Fatal(err)
		}
		if next[i] != j {
			t.Fatalf("of sender %d came %d; want %d", i, j, next[i])
		}
		next[i]++
	}
	senders.Wait()
}
