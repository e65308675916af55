package chunker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// encoding is one way to compress, and back.
type encoding struct {
	name   string
	pack   func(dst, p []byte) []byte
	unpack func(dst, p []byte, size int) ([]byte, error)
	always func(p []byte) []byte // compresses whether it pays or not, by the library's own defaults
}

var encodings = []encoding{
	{"deflate-raw", Deflate, Inflate, deflateAlways},
	{"zstd", Zstd, Unzstd, zstdAlways},
}

// eachEncoding runs a test of either.
func eachEncoding(t *testing.T, test func(t *testing.T, e encoding)) {
	for _, e := range encodings {
		t.Run(e.name, func(t *testing.T) { test(t, e) })
	}
}

func deflateAlways(p []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.DefaultCompression)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

func zstdAlways(p []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(p, nil)
}

// text returns n bytes that compress about as well as a log does.
func text(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "2026-01-02T03:04:05Z level=INFO msg=\"stream ended\" stream=%016x bytes=%d\n", random.Uint64(), i)
	}
	return []byte(b.String()[:n])
}

// noise returns n bytes that do not compress at all.
func noise(n int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	random.Read(b)
	return b
}

// hopeless returns noise that has text where it is probed.
func hopeless() []byte {
	b := noise(200_000)
	copy(b[(len(b)-probeBytes)/2:], text(probeBytes))
	return b
}

func TestTextComesBackFromCompression(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		for _, n := range []int{minCompressBytes, minCompressBytes + 1, 4 << 10, 65_537, MaxChunkBytes} {
			plain := text(n)
			packed := e.pack(nil, plain)
			if packed == nil || len(packed) > maxCompressed(n) {
				t.Fatalf("%d bytes of text became %d; want them smaller", n, len(packed))
			}
			got, err := e.unpack(nil, packed, n)
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes came back as %d, %v", n, len(got), err)
			}
		}
	})
}

func TestWhatIsAppendedLeavesThePrefix(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		plain := text(10_000)
		for _, room := range []int{0, 100, 50_000} {
			prefix := append(make([]byte, 0, len("prefix")+room), "prefix"...)
			packed := bytes.Clone(e.pack(prefix, plain)) // which may lie where the prefix goes on
			if !bytes.HasPrefix(packed, prefix) {
				t.Fatalf("packed begins with %q; want the prefix", packed[:6])
			}
			got, err := e.unpack(prefix, packed[len(prefix):], len(plain))
			if err != nil || string(got[:6]) != "prefix" || !bytes.Equal(got[6:], plain) {
				t.Errorf("unpacked behind a prefix with room for %d more: %d bytes, %v", room, len(got), err)
			}
		}
	})
}

func TestWhatDoesNotPayIsNotCompressed(t *testing.T) {
	for name, plain := range map[string][]byte{
		"nothing":                       nil,
		"too little":                    text(minCompressBytes - 1),
		"noise":                         noise(MaxChunkBytes),
		"a photo":                       sample(t, "photo.jpg"),
		"film":                          sample(t, "vp9_opus.webm"),
		"sound":                         sample(t, "tone.aac"),
		"noise with text in the middle": hopeless(),
	} {
		eachEncoding(t, func(t *testing.T, e encoding) {
			if packed := e.pack(nil, plain); packed != nil {
				t.Errorf("%s: %d bytes became %d; want nil", name, len(plain), len(packed))
			}
		})
	}
}

func TestWhatDoesNotPayLeavesTheNextAlone(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		for range 3 {
			e.pack(nil, hopeless()) // given up midway
			plain := text(5000)
			if got, err := e.unpack(nil, e.pack(nil, plain), len(plain)); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("text after noise: %d bytes, %v; want it back", len(got), err)
			}
		}
	})
}

func TestOtherEncodersAreUnderstood(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		for _, plain := range [][]byte{{}, {1}, noise(3000), text(MaxChunkBytes), make([]byte, MaxChunkBytes)} {
			got, err := e.unpack(nil, e.always(plain), len(plain))
			if err != nil && !(len(plain) == 0 && e.name == "zstd") { // nothing at all is no frame
				t.Errorf("%d bytes: %v", len(plain), err)
			}
			if !bytes.Equal(got, plain) {
				t.Errorf("%d bytes came back as %d others", len(plain), len(got))
			}
		}
	})
}

func TestAnotherSizeIsRefused(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		plain := text(10_000)
		packed := e.always(plain)
		for _, size := range []int{-1, 0, 1, len(plain) - 1, len(plain) + 1, MaxChunkBytes, MaxChunkBytes + 1, 1 << 62} {
			if got, err := e.unpack(nil, packed, size); !errors.Is(err, ErrSize) || got != nil {
				t.Errorf("unpacked as %d bytes: %d, %v; want ErrSize", size, len(got), err)
			}
		}
		large := make([]byte, MaxChunkBytes+1)
		if _, err := e.unpack(nil, e.always(large), len(large)); !errors.Is(err, ErrSize) {
			t.Errorf("more than a chunk holds: %v; want ErrSize", err)
		}
	})
}

func TestTruncatedInputIsRefused(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		plain := text(1000)
		packed := e.pack(nil, plain)
		for n := range packed {
			got, err := e.unpack(nil, packed[:n], len(plain))
			if !errors.Is(err, io.ErrUnexpectedEOF) || got != nil {
				t.Errorf("the first %d of %d bytes: %d, %v; want io.ErrUnexpectedEOF", n, len(packed), len(got), err)
			}
		}
	})
}

func TestWhatFollowsTheEndIsRefused(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		plain := text(1000)
		for _, more := range []string{"x", "more than a few bytes"} {
			packed := append(e.pack(nil, plain), more...)
			if got, err := e.unpack(nil, packed, len(plain)); err == nil {
				t.Errorf("with %q behind: %d bytes; want an error", more, len(got))
			}
		}
	})
}

func TestNonsenseIsRefused(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		for _, p := range [][]byte{{0xff}, []byte("<html>"), bytes.Repeat([]byte{0xff}, 1000), []byte("\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")} {
			if got, err := e.unpack(nil, p, 100); err == nil || got != nil {
				t.Errorf("%q: %d bytes, %v; want an error", p, len(got), err)
			}
		}
	})
}

func TestBombsTakeNoMoreMemoryThanTheirSizeClaims(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		bomb := e.always(make([]byte, 16<<20))
		const size, often = 1000, 10
		e.unpack(nil, bomb, size) // what is allocated once
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range often {
			if _, err := e.unpack(nil, bomb, size); !errors.Is(err, ErrSize) {
				t.Fatalf("a bomb of %d bytes: %v; want ErrSize", len(bomb), err)
			}
		}
		runtime.ReadMemStats(&after)
		// The race detector empties pools at random; then a reader of some 45 KB is made anew.
		if each := (after.TotalAlloc - before.TotalAlloc) / often; each > MaxChunkBytes {
			t.Errorf("%d bytes were allocated to unpack %d", each, size)
		}
	})
}

func TestCompressionMayBeUsedConcurrently(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				plain := text(2000 + 1000*i)[i:]
				broken := e.always(plain)[:100]
				for range 20 {
					packed := e.pack(nil, plain)
					if got, err := e.unpack(nil, packed, len(plain)); err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%d bytes came back as %d, %v", len(plain), len(got), err)
						return
					}
					if _, err := e.unpack(nil, broken, len(plain)); err == nil {
						t.Error("broken input was taken")
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestCompressedBytesTakeNoMoreRoomThanTheyNeed(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e encoding) {
		packed := e.pack(nil, bytes.Repeat(text(1000), 200))
		if room := cap(packed); room > len(packed)+len(packed)/4 {
			t.Errorf("%d bytes are kept in %d", len(packed), room)
		}
	})
}

// fuzzUnpack feeds anything to unpack; what it takes must be as long as was said, and come back from compression.
func fuzzUnpack(f *testing.F, e encoding) {
	for _, c := range []struct {
		plain []byte
		size  int
	}{{text(600), 600}, {text(5000), 4000}, {make([]byte, 300_000), 1000}, {noise(700), 700}, {sample(f, "photo.jpg"), 8625}, {nil, 0}} {
		f.Add(e.always(c.plain), c.size)
	}
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		got, err := e.unpack([]byte("prefix"), p, size)
		if err != nil {
			if got != nil {
				t.Fatalf("%d bytes and an error: %v", len(got), err)
			}
			return
		}
		plain, ok := bytes.CutPrefix(got, []byte("prefix"))
		if !ok || len(plain) != size || size > MaxChunkBytes {
			t.Fatalf("%d bytes as %d; want as many, behind the prefix", len(plain), size)
		}
		if packed := e.pack(nil, plain); packed != nil {
			if again, err := e.unpack(nil, packed, size); err != nil || !bytes.Equal(again, plain) {
				t.Fatalf("%d bytes came back as %d, %v", size, len(again), err)
			}
		}
	})
}

func FuzzInflate(f *testing.F) { fuzzUnpack(f, encodings[0]) }

func FuzzUnzstd(f *testing.F) { fuzzUnpack(f, encodings[1]) }

func BenchmarkCompress(b *testing.B) {
	for _, c := range []struct {
		name  string
		plain []byte
	}{{"text", text(MaxChunkBytes)}, {"wav", sample(b, "tone.wav")}, {"film", sample(b, "vp9_opus.webm")}, {"noise", noise(MaxChunkBytes)}} {
		for _, e := range encodings {
			b.Run(e.name+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(c.plain)))
				b.ReportAllocs()
				var packed []byte
				for b.Loop() {
					packed = e.pack(packed[:0], c.plain)
				}
				b.ReportMetric(float64(len(packed))/float64(len(c.plain)), "ratio")
			})
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	plain := text(MaxChunkBytes)
	for _, e := range encodings {
		b.Run(e.name, func(b *testing.B) {
			packed := e.pack(nil, plain)
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out, _ = e.unpack(out[:0], packed, len(plain))
			}
		})
	}
}
