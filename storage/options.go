package storage

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxMetaBytes bounds the metadata of one object: its names, and its values as EscapeMeta writes them, together. S3
// allows 2 KiB; the rest is for a store's own marks.
const MaxMetaBytes = 1900

// MaxTypeBytes bounds Options.Type.
const MaxTypeBytes = 255

// Options say what an object is.
type Options struct {
	// Type is the media type; empty means application/octet-stream. It is printable ASCII.
	Type string

	// Meta goes with the object. Names are of a to z, 0 to 9 and hyphens; values are any UTF-8.
	Meta map[string]string

	// Size is how many bytes will be written, -1 if that is not known yet. Beware of the zero value: it promises an
	// empty object.
	Size int64

	// Most is how many bytes may come when Size is -1; 0 means any number. A store that cuts objects can do so evenly by it.
	Most int64
}

// OptionsError says which option breaks the rules.
type OptionsError struct {
	Option string // "Type", "Meta", "Size" or "Most"
	Reason string
}

func (e *OptionsError) Error() string { return "storage: " + e.Option + " " + e.Reason }

// Check returns an *OptionsError if o is not fit for every store.
func (o Options) Check() error {
	switch {
	case o.Size < -1:
		return &OptionsError{"Size", fmt.Sprintf("is %d", o.Size)}
	case o.Most < 0:
		return &OptionsError{"Most", fmt.Sprintf("is %d", o.Most)}
	case len(o.Type) > MaxTypeBytes:
		return &OptionsError{"Type", fmt.Sprintf("is longer than %d bytes", MaxTypeBytes)}
	case strings.ContainsFunc(o.Type, notPrintable):
		return &OptionsError{"Type", "is not printable ASCII"}
	}
	return checkMeta(o.Meta)
}

// TypeOrDefault returns Type, or what the empty Type means.
func (o Options) TypeOrDefault() string {
	if o.Type == "" {
		return "application/octet-stream"
	}
	return o.Type
}

func checkMeta(meta map[string]string) error {
	total := 0
	for name, value := range meta {
		if name == "" || strings.ContainsFunc(name, notMetaName) {
			return &OptionsError{"Meta", fmt.Sprintf("name %q is not of a to z, 0 to 9 and hyphens", name)}
		}
		if !utf8.ValidString(value) {
			return &OptionsError{"Meta", fmt.Sprintf("value of %q is not UTF-8", name)}
		}
		total += len(name) + len(EscapeMeta(value))
	}
	if total > MaxMetaBytes {
		return &OptionsError{"Meta", fmt.Sprintf("takes %d bytes, more than %d", total, MaxMetaBytes)}
	}
	return nil
}

// emptyMeta stands for the empty value, which headers lose. PathEscape never writes it.
const emptyMeta = "%"

// EscapeMeta writes a metadata value as the printable ASCII that a header can carry; UnescapeMeta reverses it.
func EscapeMeta(value string) string {
	if value == "" {
		return emptyMeta
	}
	return url.PathEscape(value)
}

// UnescapeMeta is the reverse of EscapeMeta. What EscapeMeta cannot have written is returned as it is.
func UnescapeMeta(escaped string) string {
	if escaped == emptyMeta {
		return ""
	}
	value, err := url.PathUnescape(escaped)
	if err != nil {
		return escaped
	}
	return value
}

func notMetaName(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-')
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }
