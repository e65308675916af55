package storage

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// MaxKeyBytes bounds a key. It leaves S3's 1,024 bytes room for a prefix.
	MaxKeyBytes = 768

	// MaxSegmentBytes bounds what stands between two slashes. It leaves a file name's 255 bytes room for a store's
	// own marks.
	MaxSegmentBytes = 240
)

// KeyError says why a key is refused.
type KeyError struct {
	Key    string
	Reason string
}

func (e *KeyError) Error() string { return fmt.Sprintf("storage: key %.100q %s", e.Key, e.Reason) }

// CheckKey returns a *KeyError unless key is segments joined by single slashes, each of 1 to MaxSegmentBytes bytes of
// UTF-8 without control characters or backslashes, none beginning with a dot.
//
// A key must also not lie under another key (a/b beside a): the stores that are file systems refuse it, the others
// do not notice.
func CheckKey(key string) error {
	if len(key) > MaxKeyBytes {
		return &KeyError{key, fmt.Sprintf("is longer than %d bytes", MaxKeyBytes)}
	}
	for segment := range strings.SplitSeq(key, "/") {
		if reason := checkSegment(segment); reason != "" {
			return &KeyError{key, reason}
		}
	}
	return checkText(key)
}

// CheckPrefix returns a *KeyError unless prefix is empty or begins a key that CheckKey allows.
func CheckPrefix(prefix string) error {
	if prefix == "" || CheckKey(prefix) == nil {
		return nil
	}
	// Whatever begins a longer key becomes one with a letter.
	if err := CheckKey(prefix + "x"); err != nil {
		return &KeyError{prefix, err.(*KeyError).Reason}
	}
	return nil
}

func checkSegment(segment string) (reason string) {
	switch {
	case segment == "":
		return "has an empty segment"
	case segment[0] == '.':
		return "has a segment that begins with a dot"
	case len(segment) > MaxSegmentBytes:
		return fmt.Sprintf("has a segment longer than %d bytes", MaxSegmentBytes)
	}
	return ""
}

func checkText(key string) error {
	if !utf8.ValidString(key) {
		return &KeyError{key, "is not UTF-8"}
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return &KeyError{key, "has a control character or a backslash"}
	}
	return nil
}
