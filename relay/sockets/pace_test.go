package sockets

import (
	"testing"
	"testing/synctest"
	"time"

	"sluice/relay"
)

func TestWhoPublishesTooFastIsToldAndReadNoFaster(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		bytes  int
		least  time.Duration
		limit  float64
	}{
		"bytes":  {Limits{ByteRate: 100_000}, 50_000, 4 * time.Second, 100_000}, // 500,000 in all, of which a second's at once
		"chunks": {Limits{ChunkRate: 2}, 10, 4 * time.Second, 2},
		"within": {Limits{ByteRate: 1_000_000, ChunkRate: 100}, 50_000, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := open(t, &relay.Hub{}, c.limits)
				publisher, other := p.connect(t), p.connect(t)
				st := publisher.must("publish", object{"room": "studio"}).Stream
				began := time.Now()
				for i := range 10 {
					publisher.must("chunk", object{"stream": st.ID, "offset": i * c.bytes}, make([]byte, c.bytes))
				}
				took := time.Since(began)
				if took < c.least || took > c.least+time.Second {
					t.Errorf("10 chunks of %d bytes took %v; want %v", c.bytes, took, c.least)
				}
				publisher.must("finish", object{"stream": st.ID})
				problems := 0
				for range len(publisher.told) {
					if n := <-publisher.told; n.event == "problem" && n.head.Code == string(relay.TooMany) && n.head.Slowed {
						problems++
						if n.head.Limit != c.limit {
							t.Errorf("the limit is said to be %v; want %v", n.head.Limit, c.limit)
						}
					}
				}
				if want := min(c.limit, 1); float64(problems) != want {
					t.Errorf("told %d times; want %v", problems, want)
				}
				began = time.Now()
				st = other.must("publish", object{"room": "studio"}).Stream
				other.must("chunk", object{"stream": st.ID, "offset": 0}, make([]byte, c.bytes))
				if took := time.Since(began); took > 100*time.Millisecond {
					t.Errorf("another socket waited %v", took)
				}
				other.must("cancel", object{"stream": st.ID})
			})
		})
	}
}

func TestASendThatIsTooFastIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, &relay.Hub{}, Limits{ByteRate: 100_000})
		publisher := p.connect(t)
		began := time.Now()
		publisher.must("send", object{"room": "studio"}, make([]byte, 500_000))
		if took := time.Since(began); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("500,000 bytes took %v; want 4 s", took)
		}
		if n, _ := publisher.until("problem"); n.head.Limit != 100_000 {
			t.Errorf("the limit is said to be %v", n.head.Limit)
		}
	})
}

func TestWhoBeginsStreamsTooFastIsSlowedDown(t *testing.T) {
	for event, begin := range map[string]func(*peer){
		"send": func(p *peer) { p.must("send", object{"room": "studio"}, []byte("x")) },
		"publish": func(p *peer) {
			p.must("cancel", object{"stream": p.must("publish", object{"room": "studio"}).Stream.ID})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			publisher := open(t, &relay.Hub{}, Limits{ChunkRate: 2}).connect(t)
			began := time.Now()
			for range 10 {
				begin(publisher)
			}
			if took := time.Since(began); took < 4*time.Second || took > 5*time.Second {
				t.Errorf("10 of %q took %v; want 4 s", event, took)
			}
			if n, _ := publisher.until("problem"); n.head.Limit != 2 || n.head.Event != event {
				t.Errorf("told %+v", n.head)
			}
		})
	}
}

func TestWhoIsSlowedDownLosesNoStreamByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, &relay.Hub{Limits: relay.Limits{IdleTime: time.Minute}}, Limits{ByteRate: 100_000})
		publisher := p.connect(t)
		live := publisher.must("publish", object{"room": "studio", "kind": "live"}).Stream
		args, err := publisher.start("send", object{"room": "studio"}, make([]byte, 20_000_000)).Wait(t.Context()) // for 200 s
		if err != nil || !publisher.read(args).OK {
			t.Fatalf("the ack is %v, %v", args, err)
		}
		publisher.must("chunk", object{"stream": live.ID, "offset": 0}, []byte("x"))
		publisher.must("finish", object{"stream": live.ID})
	})
}
