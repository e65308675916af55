package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sluice/relay"
	"sluice/relay/archive"
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

// KeepRule is how long the streams of some rooms are kept: 30d, or studio*=7d.
type KeepRule archive.Rule

// minKeep is well over what is done with a stream right after it was archived.
const minKeep = time.Hour

// UnmarshalText reads a rule; see encoding.TextUnmarshaler.
func (k *KeepRule) UnmarshalText(text []byte) error {
	rooms, keep := "*", string(text)
	if at := strings.LastIndexByte(keep, '='); at >= 0 {
		rooms, keep = keep[:at], keep[at+1:]
	}
	d, err := parseDays(keep)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no time; write it like 30d, 12h or 0, with rooms before it like studio*=7d", text)
	case d != 0 && d < minKeep:
		return fmt.Errorf("%v is too short, it is %v at least, or 0 for ever", d, minKeep)
	case rooms == "" || len(rooms) > relay.MaxNameBytes:
		return fmt.Errorf("%q names no room", text)
	}
	*k = KeepRule{rooms, d}
	return nil
}

// parseDays is time.ParseDuration that knows days, too: 30d.
func parseDays(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		d, err := time.ParseDuration(text)
		if d < 0 {
			err = strconv.ErrRange
		}
		return d, err
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * 24 * time.Hour, err
}
