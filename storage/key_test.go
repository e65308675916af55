package storage

import (
	"errors"
	"strings"
	"testing"
)

func TestKeysOfPlainSegmentsAreAllowed(t *testing.T) {
	for _, key := range []string{
		"a",
		"media/2026/01/31/01KG9ZZZ.webm",
		"rooms/" + strings.Repeat("0f", 32) + "/01KG9ZZZ.json",
		"with space/ünïcödé/日本語",
		strings.Repeat("s", MaxSegmentBytes),
		strings.Repeat("s/", MaxKeyBytes/2-1) + "ss",
	} {
		if err := CheckKey(key); err != nil {
			t.Errorf("CheckKey(%q) = %v; want nil", key, err)
		}
	}
}

func TestHostileKeysAreRefused(t *testing.T) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a/./b", ".hidden", "a/.hidden",
		"a\x00b", "a\nb", "a\x7fb", `a\b`, `..\a`, "a\xff", "a\xc0\xafb",
		strings.Repeat("s", MaxSegmentBytes+1),
		strings.Repeat("s/", MaxKeyBytes/2) + "s",
	} {
		var refused *KeyError
		if err := CheckKey(key); !errors.As(err, &refused) {
			t.Errorf("CheckKey(%q) = %v; want a KeyError", key, err)
		}
	}
}

func TestAPrefixIsTheBeginningOfAKey(t *testing.T) {
	for _, prefix := range []string{"", "a", "a/", "a/b", strings.Repeat("s", MaxSegmentBytes)} {
		if err := CheckPrefix(prefix); err != nil {
			t.Errorf("CheckPrefix(%q) = %v; want nil", prefix, err)
		}
	}
	for _, prefix := range []string{"/", "../", "a//", "a/.", ".", "a/../"} {
		if err := CheckPrefix(prefix); err == nil {
			t.Errorf("CheckPrefix(%q) = nil; want a KeyError", prefix)
		}
	}
}

func FuzzCheckKey(f *testing.F) {
	f.Add("media/2026/01/31/01KG9.webm")
	f.Add("a//b")
	f.Add("../x")
	f.Fuzz(func(t *testing.T, key string) {
		if CheckKey(key) != nil {
			return
		}
		for i := range len(key) + 1 {
			// The beginning of a good key is a good prefix, unless it is cut inside a rune.
			if err := CheckPrefix(key[:i]); err != nil && !strings.Contains(err.Error(), "UTF-8") {
				t.Fatalf("CheckPrefix(%q) = %v, yet %q is a key", key[:i], err, key)
			}
		}
		if strings.Contains("/"+key+"/", "/../") || strings.Contains(key, "\x00") || strings.HasPrefix(key, "/") {
			t.Fatalf("CheckKey(%q) = nil", key)
		}
	})
}
