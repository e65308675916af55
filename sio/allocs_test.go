// Where there is no writing without waiting, a goroutine writes to each.
//go:build linux && !race

package sio_test

import (
	"math"
	"testing"

	"sluice/sio"
)

// forEach returns how often each recipient makes the server allocate: what a hundred do more than ten.
func forEach(t *testing.T, srv func() *sio.Server, prepare func(*room), do func(testing.TB, *room)) float64 {
	const few, many = 10, 100
	measure := func(clients int) float64 {
		r := newRoom(t, srv(), clients)
		defer r.close()
		prepare(r)
		return testing.AllocsPerRun(20, func() { do(t, r) })
	}
	return math.Round((measure(many) - measure(few)) / (many - few))
}

func TestSendingToManyAllocatesNothingForEach(t *testing.T) {
	plain := func() *sio.Server { return &sio.Server{} }
	kept := func() *sio.Server { return &sio.Server{Recovery: &sio.Recovery{}} }
	broadcast := func(_ testing.TB, r *room) { r.ns.Emit("news", "text") }
	round := func(tb testing.TB, r *room) { r.round(tb) }
	for what, tt := range map[string]struct {
		srv     func() *sio.Server
		prepare func(*room)
		do      func(testing.TB, *room)
	}{
		"a broadcast":              {plain, func(*room) {}, broadcast},
		"a broadcast that is kept": {kept, func(*room) {}, broadcast},
		"a client's event":         {plain, func(r *room) { r.say(1) }, round},
		"a burst of 64":            {plain, func(r *room) { r.say(64) }, round},
		"a forwarded event":        {plain, func(r *room) { r.pass(20_000) }, round},
	} {
		t.Run(what, func(t *testing.T) {
			if n := forEach(t, tt.srv, tt.prepare, tt.do); n != 0 {
				t.Errorf("%v times for each; want 0", n)
			}
		})
	}
}
