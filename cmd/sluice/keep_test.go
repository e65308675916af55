package main

import (
	"testing"
	"time"
)

func TestHowLongALiveStreamIsKeptIsATimeOrASizeOrBoth(t *testing.T) {
	for text, want := range map[string]LiveKeep{
		"1h,1GiB": {time.Hour, 1 << 30}, "500MB, 90s": {90 * time.Second, 500e6}, "10m": {Time: 10 * time.Minute}, "16MiB": {Size: 16 << 20},
	} {
		var k LiveKeep
		if err := k.UnmarshalText([]byte(text)); err != nil || k != want {
			t.Errorf("%q = %+v, %v; want %+v", text, k, err, want)
		}
	}
	for _, text := range []string{"", "1h,1h", "1GiB,1GiB", "long", "1h,", "1s", "-1h", "1MiB", "0"} {
		if err := new(LiveKeep).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken; want an error", text)
		}
	}
}

func TestRoomsAreKeptByRules(t *testing.T) {
	for text, want := range map[string]KeepRule{
		"30d": {"*", 720 * time.Hour}, "studio*=7d": {"studio*", 168 * time.Hour}, "a=b=12h": {"a=b", 12 * time.Hour}, "lobby=0": {"lobby", 0},
	} {
		var k KeepRule
		if err := k.UnmarshalText([]byte(text)); err != nil || k != want {
			t.Errorf("%q = %+v, %v; want %+v", text, k, err, want)
		}
	}
	for _, text := range []string{"", "30", "d", "-1d", "1m", "=7d", "x=", "99999999d", "-5h"} {
		if err := new(KeepRule).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken; want an error", text)
		}
	}
}
