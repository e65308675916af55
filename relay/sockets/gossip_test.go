package sockets

import (
	"testing"
	"time"

	"sluice/relay"
)

func TestManyWhoComeAtOnceAreToldOfTogetherAndNobodyOfHimself(t *testing.T) {
	p := open(t, &relay.Hub{}, Limits{})
	const n = 20
	watcher := p.connect(t)
	watcher.must("join", object{"room": "studio"})
	shard := p.io.Of("/").Socket(watcher.ID()).Data().(*client).door.gossip.shard("studio")
	shard.telling.Lock() // somebody is telling just now
	var comers []*peer
	for range n {
		c := p.connect(t)
		comers = append(comers, c)
		c.start("join", object{"room": "studio"})
	}
	for heard := 0; heard < n; time.Sleep(time.Millisecond) {
		shard.mu.Lock()
		heard = len(shard.heard)
		shard.mu.Unlock()
	}
	shard.telling.Unlock()
	last := p.connect(t)
	last.must("join", object{"room": "studio"})

	for _, c := range append(comers, watcher) {
		heard := map[string]int{} // of whom, how often
		for heard[last.ID()] == 0 {
			e, _ := c.until("member")
			heard[e.head.ID]++
		}
		for _, o := range comers {
			if times := heard[o.ID()]; o == c && times > 0 || o != c && times == 0 {
				t.Errorf("%s hears of %s %d times", c.ID(), o.ID(), times)
			}
			if c == watcher && heard[o.ID()] != 1 {
				t.Errorf("who was there before hears of %s %d times; want once", o.ID(), heard[o.ID()])
			}
		}
	}
	first := comers[0].ID()
	comers[0].Close()
	if e, _ := watcher.until("member"); e.head.ID != first || e.head.Event != "leave" {
		t.Errorf("then came %+v; want that the first has left", e.head)
	}
}
