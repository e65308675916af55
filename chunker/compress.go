package chunker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// ErrSize is the error of content that does not inflate to exactly the size expected.
var ErrSize = errors.New("chunker: inflated size differs")

var (
	deflaters = sync.Pool{New: func() any { return newDeflater() }}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func newDeflater() *flate.Writer {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is ours
	}
	return w
}

// Deflate appends p to dst as a raw deflate stream (RFC 1951), the deflate-raw of browsers' DecompressionStream, and
// returns the extended slice; nil when p is better sent as it is. Level 1 only: it gives up on media at once where higher
// levels spend a hundred times as long for nothing.
func Deflate(dst, p []byte) []byte {
	if !worthTrying(p) {
		return nil
	}
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	out := &limitedBuffer{b: dst, limit: len(dst) + maxCompressed(len(p))}
	w.Reset(out)
	if _, err := w.Write(p); err != nil {
		return nil
	}
	if err := w.Close(); err != nil {
		return nil
	}
	return out.b
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
	out := zstdEncoder().EncodeAll(p, dst)
	if len(out)-len(dst) > maxCompressed(len(p)) {
		return nil
	}
	return out
}

// Inflate appends to dst what p, a raw deflate stream, holds, which must be size bytes: else ErrSize. It never inflates
// more than that.
func Inflate(dst, p []byte, size int) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(p), nil); err != nil {
		return nil, fmt.Errorf("chunker: inflate: %w", err)
	}
	out, err := readExactly(dst, r, size)
	if err != nil {
		return nil, fmt.Errorf("chunker: inflate: %w", err)
	}
	return out, nil
}

// Unzstd appends to dst what p, a Zstandard frame, holds, which must be size bytes: else ErrSize. It never unpacks more
// than that.
func Unzstd(dst, p []byte, size int) ([]byte, error) {
	if size < 0 {
		return nil, ErrSize
	}
	room := make([]byte, 0, size) // its capacity is the decoder's limit
	room, err := zstdDecoder().DecodeAll(p, room)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, ErrSize
	case err != nil:
		return nil, fmt.Errorf("chunker: unzstd: %w", err)
	case len(room) != size:
		return nil, ErrSize
	}
	return append(dst, room...), nil
}

// readExactly appends size bytes of r to dst and makes sure that there are no more.
func readExactly(dst []byte, r io.Reader, size int) ([]byte, error) {
	if size < 0 {
		return nil, ErrSize
	}
	at := len(dst)
	dst = append(dst, make([]byte, size)...)
	if _, err := io.ReadFull(r, dst[at:]); err != nil {
		if err == io.EOF {
			err = ErrSize
		}
		return nil, err
	}
	var beyond [1]byte
	if n, err := r.Read(beyond[:]); n > 0 {
		return nil, ErrSize
	} else if err != nil && err != io.EOF {
		return nil, err
	}
	return dst, nil
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
