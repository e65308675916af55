//go:build !race

package sio

import (
	"encoding/json"
	"testing"

	"sluice/sio/engine"
)

func TestAQueueThatIsEmptiedAllocatesNothing(t *testing.T) {
	var q queue
	m := message{engine.Prepare(engine.Outgoing{Data: []byte(`2["news","text"]`)}), 1}
	n := testing.AllocsPerRun(100, func() {
		for range idleQueue {
			q.put(m)
		}
		for range idleQueue {
			q.take()
		}
	})
	if n != 0 {
		t.Errorf("%v times; want 0", n)
	}
}

func TestAttachmentsOfCommonSizesAllocateNothing(t *testing.T) {
	var m memory
	for _, size := range []int{leastPooled, 20_000, 64 << 10, mostPooled} {
		n := testing.AllocsPerRun(100, func() {
			b := m.get(size)
			b.retain()
			b.release()
			b.release()
		})
		if n != 0 {
			t.Errorf("%d bytes: %v times; want 0", size, n)
		}
	}
}

func TestDecodingWhatHoldsNoAttachmentAllocatesAsMuchAsJSON(t *testing.T) {
	raw := json.RawMessage(`"lobby"`)
	args := NewArgs([]json.RawMessage{raw}, [][]byte{{1}})
	var room string
	want := testing.AllocsPerRun(100, func() { json.Unmarshal(raw, &room) })
	if n := testing.AllocsPerRun(100, func() { args.Decode(0, &room) }); n != want || room != "lobby" {
		t.Errorf("%v times, and the room is %q; want %v", n, room, want)
	}
}
