package chunker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

const (
	// minCompressBytes is the least that is worth compressing: below it a frame's header outweighs the gain.
	minCompressBytes = 512

	// minGain is the share that compression must save to pay for inflating at the other end: one part in minGain.
	minGain = 16

	// probeBytes is how much of a chunk, from its middle, is tried before all of it is.
	probeBytes = 4 << 10

	// minEstimate is the least compress.Estimate at which trying pays; it calls 0.1 "likely to be compressible".
	minEstimate = 0.1
)

// ErrSize is the error of content that does not unpack to exactly the size expected, or is expected to be more than
// MaxChunkBytes.
var ErrSize = errors.New("chunker: unpacked size differs")

var (
	deflaters = sync.Pool{New: func() any { return newDeflater() }}
	inflaters = sync.Pool{New: func() any { return newInflater() }}
	scratches = sync.Pool{New: func() any { return new([]byte) }}
)

// deflater is a deflate writer and what it has written.
type deflater struct {
	w   *flate.Writer
	out limitedBuffer
}

func newDeflater() *deflater {
	d := &deflater{}
	w, err := flate.NewWriter(&d.out, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is ours
	}
	d.w = w
	return d
}

// Deflate appends p to dst as a raw deflate stream (RFC 1951), the deflate-raw of browsers' DecompressionStream, and
// returns the extended slice; nil when p is better sent as it is. Level 1 only: it gives up on media at once where higher
// levels spend a hundred times as long for nothing.
func Deflate(dst, p []byte) []byte {
	if !worthTrying(p) {
		return nil
	}
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	if err := d.deflate(p); err != nil {
		return nil
	}
	return append(dst, d.out.b...) // no larger than it must be: it is kept as long as its chunk
}

func (d *deflater) deflate(p []byte) error {
	d.out = limitedBuffer{b: d.out.b[:0], limit: maxCompressed(len(p))}
	d.w.Reset(&d.out)
	if _, err := d.w.Write(p); err != nil {
		return err
	}
	return d.w.Close()
}

// zstdEncoder is shared: EncodeAll may be called concurrently.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(MaxChunkBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are ours
	}
	return e
})

// zstdDecoder is shared: DecodeAll may be called concurrently.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // the options are ours
	}
	return d
})

// Zstd appends p to dst as one Zstandard frame (RFC 8878) and returns the extended slice; nil when p is better sent as it
// is.
func Zstd(dst, p []byte) []byte {
	if !worthTrying(p) {
		return nil
	}
	b := scratches.Get().(*[]byte)
	defer scratches.Put(b)
	*b = zstdEncoder().EncodeAll(p, (*b)[:0])
	if len(*b) > maxCompressed(len(p)) {
		return nil
	}
	return append(dst, *b...)
}

// inflater is a deflate reader and what it reads.
type inflater struct {
	r   io.ReadCloser
	src bytes.Reader
}

func newInflater() *inflater {
	f := &inflater{}
	f.r = flate.NewReader(&f.src)
	return f
}

// Inflate appends to dst what p, a raw deflate stream, holds, which must be size bytes: else ErrSize. It never unpacks
// more than that, and nothing may follow the stream. dst may be scribbled on behind its length.
func Inflate(dst, p []byte, size int) ([]byte, error) {
	if size < 0 || size > MaxChunkBytes {
		return nil, ErrSize
	}
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	defer f.src.Reset(nil) // p was lent
	out, err := f.inflate(slices.Grow(dst, size+1), p, size)
	if err != nil {
		return nil, fmt.Errorf("chunker: inflate: %w", err)
	}
	return out, nil
}

// inflate appends to dst, which has room for one byte more than size: it shows that there are too many.
func (f *inflater) inflate(dst, p []byte, size int) ([]byte, error) {
	f.src.Reset(p)
	if err := f.r.(flate.Resetter).Reset(&f.src, nil); err != nil {
		return nil, err
	}
	room := dst[len(dst) : len(dst)+size+1]
	n, err := 0, error(nil)
	for err == nil && n < len(room) {
		var m int
		m, err = f.r.Read(room[n:])
		n += m
	}
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case n != size:
		return nil, ErrSize
	case f.src.Len() > 0:
		return nil, fmt.Errorf("%d bytes follow the end", f.src.Len())
	}
	return dst[:len(dst)+size], nil
}

// Unzstd appends to dst what p, Zstandard frames, holds, which must be size bytes: else ErrSize. It never unpacks more
// than that. dst may be scribbled on behind its length.
func Unzstd(dst, p []byte, size int) ([]byte, error) {
	if size < 0 || size > MaxChunkBytes {
		return nil, ErrSize
	}
	if len(p) == 0 {
		return nil, fmt.Errorf("chunker: unzstd: %w", io.ErrUnexpectedEOF)
	}
	dst = slices.Grow(dst, size)
	room := dst[len(dst) : len(dst) : len(dst)+size] // its capacity is the decoder's limit
	out, err := zstdDecoder().DecodeAll(p, room)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), err == nil && len(out) != size:
		return nil, ErrSize
	case err != nil:
		return nil, fmt.Errorf("chunker: unzstd: %w", err)
	}
	return append(dst, out...), nil // nothing moves, unless the decoder wanted more room to work in
}

// worthTrying takes a cheap look at the middle of p, where no header flatters it.
func worthTrying(p []byte) bool {
	if len(p) < minCompressBytes {
		return false
	}
	probe := p[(len(p)-min(len(p), probeBytes))/2:]
	return compress.Estimate(probe[:min(len(probe), probeBytes)]) >= minEstimate
}

// maxCompressed is the size from which on n bytes are better sent as they are.
func maxCompressed(n int) int { return n - n/minGain }

var errNoGain = errors.New("does not compress")

// limitedBuffer is a buffer that refuses to grow past limit, so that what does not compress is given up early.
type limitedBuffer struct {
	b     []byte
	limit int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if len(l.b)+len(p) > l.limit {
		return 0, errNoGain
	}
	l.b = append(l.b, p...)
	return len(p), nil
}
