package main

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"
)

// LiveKeep is how much of a live stream is kept while it goes on: 10m, 500MB, or both as 10m,500MB. What is not said is 0.
type LiveKeep struct {
	Time time.Duration
	Size Bytes
}

// What is not said has no bound.
func (k LiveKeep) time() time.Duration { return cmp.Or(k.Time, math.MaxInt64) }
func (k LiveKeep) size() int64         { return cmp.Or(int64(k.Size), math.MaxInt64) }

const (
	minLiveTime = 10 * time.Second
	minLiveSize = 16 << 20 // viewers who lag read so far behind
)

// UnmarshalText reads a time, a size, or both; see encoding.TextUnmarshaler.
func (k *LiveKeep) UnmarshalText(text []byte) error {
	*k = LiveKeep{}
	for word := range strings.SplitSeq(string(text), ",") {
		word = strings.TrimSpace(word)
		d, err := time.ParseDuration(word)
		switch {
		case err == nil && d > 0 && k.Time == 0:
			k.Time = d
		case err != nil && k.Size == 0 && k.Size.UnmarshalText([]byte(word)) == nil:
		default:
			return fmt.Errorf("%q is no time and no size; write it like 1h, 1GiB, or 1h,1GiB", text)
		}
	}
	switch {
	case k.Time != 0 && k.Time < minLiveTime:
		return fmt.Errorf("%v is too short, it is %v at least", k.Time, minLiveTime)
	case k.Size != 0 && k.Size < minLiveSize:
		return fmt.Errorf("%d bytes are too few, they are %d at least", k.Size, minLiveSize)
	}
	return nil
}
