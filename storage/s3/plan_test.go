package s3

import (
	"errors"
	"fmt"
	"testing"

	"sluice/storage"
)

const (
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// walk returns how many parts an object of size bytes gets, how many of them have the size of the first, and the
// largest.
func walk(p plan, size int64) (parts, equal int, largest int64, err error) {
	for size > 0 {
		parts++
		n := p.size(parts)
		if n == 0 {
			return parts, equal, largest, errors.New("no part is left")
		}
		if n == p.part {
			equal++
		}
		n = min(n, size)
		largest = max(largest, n)
		size -= n
	}
	return parts, equal, largest, nil
}

func TestAPlanReachesFiveTebibytesInTenThousandParts(t *testing.T) {
	unknown := func(o Options) Options { return o.withDefaults() }
	for _, c := range []struct {
		options Options
		known   bool
		size    int64
		parts   int
		largest int64
	}{
		{Options{}, false, 1, 1, 1},
		{Options{}, false, 8 * mib, 1, 8 * mib},
		{Options{}, false, 8*mib + 1, 2, 8 * mib},
		{Options{}, false, 16 * gib, 2048, 8 * mib},
		{Options{}, false, 5000 * 8 * mib, 5000, 8 * mib},
		{Options{}, false, 5000*8*mib + 1, 5001, 8 * mib},
		{Options{}, false, 100 * gib, 6550, 128 * mib},
		{Options{}, false, 1 * tib, 8493, 1 * gib},
		{Options{}, false, 5 * tib, 9718, 5 * gib},
		{Options{PartBytes: 5 * mib}, false, 4 * tib, 9816, 5 * gib},
		{Options{EqualParts: true}, false, 10_000 * 8 * mib, 10_000, 8 * mib},
		{Options{}, true, 1 * gib, 128, 8 * mib},
		{Options{}, true, 10_000 * 8 * mib, 10_000, 8 * mib},
		{Options{}, true, 10_000*8*mib + 1, 8889, 9 * mib},
		{Options{}, true, 1 * tib, 9987, 105 * mib},
		{Options{}, true, 5 * tib, 9987, 525 * mib},
		{Options{MaxParts: 1000}, true, 1 * tib, 1000, 1049 * mib},
		{Options{MaxParts: 20, PartBytes: 5 * mib}, false, 100 * mib, 13, 20 * mib},
		{Options{MaxParts: 20, PartBytes: 5 * mib}, true, 200 * mib, 20, 10 * mib},
		{Options{MaxParts: 20, PartBytes: 5 * mib}, true, 100 * gib, 20, 5 * gib},
	} {
		name := fmt.Sprintf("%d parts of %d, %d bytes known=%v", c.options.MaxParts, c.options.PartBytes, c.size, c.known)
		size := int64(-1)
		if c.known {
			size = c.size
		}
		p, err := newPlan(unknown(c.options), size, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		parts, equal, largest, err := walk(p, c.size)
		if err != nil || parts != c.parts || largest != c.largest {
			t.Errorf("%s: %d parts, the largest %d, %v; want %d and %d", name, parts, largest, err, c.parts, c.largest)
		}
		if c.known && equal != parts {
			t.Errorf("%s: %d of %d parts are planned as large as the first; want all", name, equal, parts)
		}
	}
}

func TestPartsAreEqualAsLongAsPossibleAndNeverShrink(t *testing.T) {
	for _, parts := range []int{1, 2, 3, 20, 1000, 10_000} {
		p, err := newPlan(Options{MaxParts: parts}.withDefaults(), -1, 0)
		if err != nil {
			t.Fatal(err)
		}
		last := p.size(1)
		for n := 1; n <= parts; n++ {
			size := p.size(n)
			if size < last || size > maxPartBytes || n <= parts/2 && size != p.part {
				t.Fatalf("of %d parts, number %d has %d bytes after one of %d", parts, n, size, last)
			}
			last = size
		}
		if p.size(parts+1) != 0 {
			t.Errorf("of %d parts, there is one more", parts)
		}
	}
}

func TestWhatNoPlanCanHoldIsTooLarge(t *testing.T) {
	for _, c := range []struct {
		options Options
		size    int64
	}{
		{Options{}, 5*tib + 1},
		{Options{MaxParts: 20}, 101 * gib},
	} {
		if _, err := newPlan(c.options.withDefaults(), c.size, 0); !errors.Is(err, storage.ErrTooLarge) {
			t.Errorf("newPlan(%d parts, %d bytes) = %v; want ErrTooLarge", c.options.MaxParts, c.size, err)
		}
	}
}

func TestAPlanOfAnUnknownSizeIsEvenUpToTheMostThatMayCome(t *testing.T) {
	for _, c := range []struct {
		options Options
		most    int64
		part    int64
		equal   bool
	}{
		{Options{}, 16 * gib, 8 * mib, true},
		{Options{}, 100 * gib, 11 * mib, true},
		{Options{}, 5 * tib, 525 * mib, true},
		{Options{}, 6 * tib, 8 * mib, false}, // more than the store can have: as if it were not known
		{Options{MaxParts: 20}, 16 * gib, 820 * mib, true},
		{Options{EqualParts: true}, 100 * gib, 11 * mib, true},
		{Options{}, 0, 8 * mib, false},
	} {
		p, err := newPlan(c.options.withDefaults(), -1, c.most)
		if err != nil || p.part != c.part || p.equal != c.equal {
			t.Errorf("up to %d with %+v: %+v, %v; want parts of %d, equal: %v", c.most, c.options, p, err, c.part, c.equal)
		}
	}
}
