package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
)

func random(size int) []byte {
	b := make([]byte, size)
	src := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = src.Read(b)
	return b
}

func TestWhoeverNeedsMoreMemoryThanIsLeftWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 12 * mib})
		var held []*part
		for range 2 {
			p, err := ps.get(t.Context(), 5*mib)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, p)
		}
		got := make(chan *part)
		go func() {
			p, err := ps.get(t.Context(), 5*mib)
			if err != nil {
				t.Error(err)
			}
			got <- p
		}()
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("a third part was handed out; want it to wait")
		default:
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := ps.get(ctx, 5*mib); !errors.Is(err, context.Canceled) {
			t.Errorf("get with a cancelled ctx = %v; want context.Canceled", err)
		}
		held[0].release()
		(<-got).release()
		held[1].release()
		if !ps.share.TryAcquire(12 * mib) {
			t.Error("some memory was not given back")
		}
	})
}

func TestAPartLargerThanMemoryLivesInAFileWithoutAName(t *testing.T) {
	folder := t.TempDir()
	ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 1, TempFolder: folder})
	p, err := ps.get(t.Context(), maxMemoryPartBytes+1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	want := random(100_000)
	for rest := want; len(rest) > 0; rest = rest[min(len(rest), 999):] {
		if _, err := p.fill(rest[:min(len(rest), 999)]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // it can be read again
		if got, err := io.ReadAll(p.body()); !bytes.Equal(got, want) || err != nil {
			t.Errorf("read %d bytes, %v; want what was written", len(got), err)
		}
	}
	if left, err := os.ReadDir(folder); len(left) != 0 || err != nil {
		t.Errorf("the folder has %v, %v; want nothing", left, err)
	}
}

func TestAPartTakesNoMoreThanItsLimit(t *testing.T) {
	ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 64 * mib})
	for _, limit := range []int64{1, 1000, firstBytes, firstBytes + 1, 5 * mib, 6 * mib} {
		p, err := ps.get(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		want := random(int(limit) + 10)
		for n := 0; !p.full(); {
			filled, err := p.fill(want[n:min(n+70_001, len(want))])
			if err != nil || filled == 0 {
				t.Fatalf("fill() = %d, %v", filled, err)
			}
			n += filled
		}
		if got, err := io.ReadAll(p.body()); !bytes.Equal(got, want[:limit]) || err != nil {
			t.Errorf("a part of %d bytes holds %d, %v; want the first ones", limit, len(got), err)
		}
		p.release()
	}
}

func TestABodyIsNotReadAfterItsRequest(t *testing.T) {
	ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 5 * mib})
	p, err := ps.get(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.fill([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	b := p.body()
	b.end()
	p.release()
	if n, err := b.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("Read after the end = %d, %v; want an error", n, err)
	}
}
