package storage

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOptionsOutsideTheRulesAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"a negative size":     {Size: -2},
		"a negative most":     {Size: -1, Most: -1},
		"a type with a break": {Type: "text/plain\r\nX-Injected: 1"},
		"a type not in ASCII": {Type: "text/plän"},
		"an endless type":     {Type: strings.Repeat("t", MaxTypeBytes+1)},
		"a name in capitals":  {Meta: map[string]string{"Room": "x"}},
		"an empty name":       {Meta: map[string]string{"": "x"}},
		"a value not UTF-8":   {Meta: map[string]string{"room": "\xff"}},
		"too much metadata":   {Meta: map[string]string{"room": strings.Repeat("x", MaxMetaBytes)}},
		"too much if escaped": {Meta: map[string]string{"room": strings.Repeat("é", MaxMetaBytes/5)}},
	} {
		var refused *OptionsError
		if err := o.Check(); !errors.As(err, &refused) {
			t.Errorf("%s: Check() = %v; want an OptionsError", name, err)
		}
	}
	good := Options{Type: "video/webm; codecs=vp9", Size: -1, Meta: map[string]string{"room": "ünï\r\n 日本語%41"}}
	if err := good.Check(); err != nil {
		t.Errorf("Check() = %v; want nil", err)
	}
}

func FuzzMetaSurvivesItsHeaderForm(f *testing.F) {
	f.Add("")
	f.Add("%")
	f.Add("plain")
	f.Add(" spaces ")
	f.Add("100% ünïcödé\r\n日本語")
	f.Fuzz(func(t *testing.T, value string) {
		if !utf8.ValidString(value) {
			return
		}
		escaped := EscapeMeta(value)
		if strings.ContainsFunc(escaped, func(r rune) bool { return notPrintable(r) || r == ' ' }) {
			t.Fatalf("EscapeMeta(%q) = %q; want printable ASCII without spaces", value, escaped)
		}
		if got := UnescapeMeta(escaped); got != value {
			t.Fatalf("UnescapeMeta(EscapeMeta(%q)) = %q", value, got)
		}
	})
}
