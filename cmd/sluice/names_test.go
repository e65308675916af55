package main

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/relay"
)

func TestNamesAreMadeSafe(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for name, want := range map[string]string{
		"film.mp4":               "film.mp4",
		"Жук и мёд.webm":         "Жук и мёд.webm",
		"../../etc/passwd":       "_.._etc_passwd",
		`..\..\boot.ini`:         `_.._boot.ini`,
		"C:\\x":                  "C__x",
		"/":                      "_",
		"..":                     "",
		".":                      "",
		" . . ":                  "",
		".bashrc":                "bashrc",
		"a\x00b\x1b[31mc\n.txt":  "ab[31mc.txt",
		"right\u202egpj.exe":     "rightgpj.exe", // shown backwards
		"bad\xff\xfeutf8":        "badutf8",
		"NUL":                    "_NUL",
		"nul.txt":                "_nul.txt",
		"Com1.tar.gz":            "_Com1.tar.gz",
		"COM¹":                   "_COM¹",
		"COM10":                  "COM10",
		"LPT9 .x":                "_LPT9 .x",
		"conin$":                 "_conin$",
		"trailing. . ":           "trailing",
		long + ".jpeg":           strings.Repeat("ä", 125) + ".jpeg",
		"a." + long:              "a." + strings.Repeat("ä", 126),
		strings.Repeat("x", 300): strings.Repeat("x", 255),
	} {
		if got := safeName(name); got != want {
			t.Errorf("safeName(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestAStreamWithoutANameIsSavedUnderItsID(t *testing.T) {
	for _, tt := range []struct {
		info relay.Info
		want string
	}{
		{relay.Info{ID: "01J", Name: "a.png", Type: "image/png"}, "a.png"},
		{relay.Info{ID: "01J", Name: "..", Type: "image/png"}, "01J.png"},
		{relay.Info{ID: "01J"}, "01J.bin"},
		{relay.Info{ID: "../x", Type: "image/png"}, "_x.png"},
		{relay.Info{}, "stream"},
	} {
		if got := fileName(tt.info); got != tt.want {
			t.Errorf("fileName(%+v) = %q; want %q", tt.info, got, tt.want)
		}
	}
}

func TestNamesAreNumberedBeforeTheExtension(t *testing.T) {
	long := strings.Repeat("x", 251) + ".mp4"
	for _, tt := range []struct {
		name string
		n    int
		want string
	}{
		{"film.mp4", 1, "film.mp4"},
		{"film.mp4", 2, "film (2).mp4"},
		{"film", 12, "film (12)"},
		{long, 3, strings.Repeat("x", 247) + " (3).mp4"},
	} {
		if got := numbered(tt.name, tt.n); got != tt.want {
			t.Errorf("numbered(%q, %d) = %q; want %q", tt.name, tt.n, got, tt.want)
		}
	}
}

func FuzzSafeNames(f *testing.F) {
	for _, name := range []string{"", "..", "a/b", "nul", "x\xff", ".\u00a0.", strings.Repeat("é.", 200)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, n := range []int{1, 2, 1000} {
			safe := fileName(relay.Info{Name: name})
			got := numbered(safe, n)
			switch {
			case got == "" || len(got) > maxFileNameBytes || !utf8.ValidString(got):
				t.Errorf("%q: %q is no file name", name, got)
			case !filepath.IsLocal(got) || filepath.Base(got) != got || strings.ContainsAny(got, "/\\\x00"):
				t.Errorf("%q: %q leaves the folder", name, got)
			case strings.HasPrefix(got, "."):
				t.Errorf("%q: %q is hidden", name, got)
			case reservedName(safe):
				t.Errorf("%q: %q is a device", name, got)
			}
		}
	})
}
