package s3

import (
	"fmt"
	"math"

	"sluice/storage"
)

const (
	maxPartBytes   = 5 << 30 // of S3
	maxObjectBytes = 5 << 40 // of S3

	// growthSteps is how often parts double in the second half of an object whose size nobody knew.
	growthSteps = 10
)

// plan says how an object is cut into parts.
type plan struct {
	part  int64 // bytes of the first part
	parts int   // how many there may be
	equal bool  // all parts but the last have the same size
}

// newPlan cuts an object of size bytes, -1 if that is not known, and of most at most, 0 if any number. All parts are equal where size or
// most are known. Otherwise the
// first half of the possible parts is equal and the rest doubles in steps: with 10,000 parts of 8 MiB at first, all
// are equal up to 39 GiB, and the last ones reach 5 TiB.
func newPlan(o Options, size, most int64) (plan, error) {
	p := plan{part: o.PartBytes, parts: o.MaxParts, equal: o.EqualParts}
	if size < 0 && most > 0 {
		if even, err := newPlan(o, most, 0); err == nil {
			return even, nil
		}
	}
	if size < 0 {
		return p, nil
	}
	p.equal = true
	if needed := ceilDiv(size, int64(p.parts)); needed > p.part {
		p.part = ceilDiv(needed, 1<<20) << 20
	}
	if p.part > maxPartBytes || size > maxObjectBytes {
		return plan{}, fmt.Errorf("%d bytes in %d parts: %w", size, p.parts, storage.ErrTooLarge)
	}
	return p, nil
}

// size returns how many bytes part n has, from 1 on; 0 if there can be no such part.
func (p plan) size(n int) int64 {
	if n > p.parts {
		return 0
	}
	half := p.parts / 2
	if p.equal || n <= half {
		return p.part
	}
	step := 1 + (n-half-1)*growthSteps/(p.parts-half)
	if p.part > math.MaxInt64>>step {
		return maxPartBytes
	}
	return min(p.part<<step, maxPartBytes)
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }
