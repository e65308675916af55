//go:build unix

package spool

import (
	"crypto/sha256"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPartsOfAnUpload shows what each part of an upload costs in processor time per GB, in records of 64 KiB: what the
// figures of an upload in bench/ are made of, beside sockets and packets.
func BenchmarkPartsOfAnUpload(b *testing.B) {
	record := make([]byte, 64<<10)
	b.Run("SHA-256", func(b *testing.B) {
		sum := sha256.New()
		cost(b, len(record), func() { sum.Write(record) })
	})
	b.Run("CRC-32C", func(b *testing.B) {
		cost(b, len(record), func() { checksum(record) })
	})
	b.Run("append", func(b *testing.B) { benchmarkAppend(b, record, 0) })
	for _, each := range []int{1, 4, 40} { // a sync is shared by what was appended before it
		b.Run(fmt.Sprintf("append, a sync for %d", each), func(b *testing.B) { benchmarkAppend(b, record, each) })
	}
}

// benchmarkAppend appends records, and syncs after so many; 0: never.
func benchmarkAppend(b *testing.B, record []byte, each int) {
	const most = 4096 // records of a log: the disk is not to be filled
	s := open(b, b.TempDir())
	var l *Log
	n := 0
	cost(b, len(record), func() {
		if n%most == 0 {
			if l != nil {
				must(b, l.Remove())
			}
			l = create(b, s, fmt.Sprint(n))
		}
		n++
		must(b, l.Append(record, 0))
		if each > 0 && n%each == 0 {
			must(b, l.Sync())
		}
	})
	must(b, s.Close())
}

// cost measures the processor time of do, which handles size bytes.
func cost(b *testing.B, size int, do func()) {
	b.SetBytes(int64(size))
	before := processorTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric((processorTime(b)-before).Seconds()/(float64(b.N)*float64(size)/1e9), "cpu-s/GB")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
