package sio

import (
	"fmt"
	"testing"

	"sluice/sio/engine"
)

// Each iteration is a message on its way through a connection's queue.
func BenchmarkQueue(b *testing.B) {
	var q queue
	m := message{engine.Prepare(engine.Outgoing{Data: []byte(`2["news","text"]`)}), 1}
	b.ReportAllocs()
	for b.Loop() {
		q.put(m)
		q.take()
	}
}

// Each iteration is an attachment's memory, which is used again.
func BenchmarkMemory(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			var m memory
			b.ReportAllocs()
			for b.Loop() {
				m.get(size).release()
			}
		})
	}
}
