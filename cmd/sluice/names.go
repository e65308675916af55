package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/chunker"
	"sluice/relay"
)

// maxFileNameBytes is what most file systems take.
const maxFileNameBytes = 255

// fileName is what a stream is saved as: its own name, made safe, or, where that leaves nothing, its id.
func fileName(info relay.Info) string {
	if name := safeName(info.Name); name != "" {
		return name
	}
	if id := safeName(info.ID); id != "" {
		return id + chunker.Lookup(info.Type).Ext
	}
	return "stream"
}

// safeName makes a file name out of what somebody else has called a stream: one that names a plain file in the folder it is
// used in, on any system, is not hidden, and cannot be mistaken for another by invisible characters. It is "" when
// nothing is left.
func safeName(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, c):
			return '_'
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, name)
	name = strings.TrimLeft(name, ". ")
	name = shorten(name, maxFileNameBytes)
	name = strings.TrimRight(name, ". ") // Windows would do so by itself
	if reservedName(name) {
		name = shorten("_"+name, maxFileNameBytes)
	}
	return name
}

// reservedName reports whether Windows takes a name for a device, with any extension.
func reservedName(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimSpace(stem))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	port, found := strings.CutPrefix(stem, "COM")
	if !found {
		port, found = strings.CutPrefix(stem, "LPT")
	}
	return found && utf8.RuneCountInString(port) == 1 && strings.Contains("0123456789¹²³", port)
}

// numbered is the name for the nth file that wants this one: "film.mp4", "film (2).mp4".
func numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	ext := extension(name)
	number := " (" + strconv.Itoa(n) + ")" + ext
	return shorten(strings.TrimSuffix(name, ext), maxFileNameBytes-len(number)) + number
}

// shorten cuts a name to at most limit bytes, between characters and before its extension.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	ext := extension(name)
	if len(ext) >= limit {
		ext = ""
	}
	cut := limit - len(ext)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + ext
}

// maxExtBytes bounds what is taken for an extension.
const maxExtBytes = 16

func extension(name string) string {
	ext := filepath.Ext(name)
	if len(ext) > maxExtBytes || len(ext) == len(name) {
		return ""
	}
	return ext
}

// printable is a text of somebody else's as a terminal may be shown it, in one line.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return utf8.RuneError
		}
		return c
	}, s)
}
