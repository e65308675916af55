package chunker

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample reads a file of testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// samples are all media of testdata with what Sniff says of them, and the fewest bytes of 12, 64, 512 and 4096 from which
// on it says so.
var samples = []struct {
	name, mediaType, ext string
	from                 int
}{
	{"anim.gif", "image/gif", ".gif", 12},
	{"anim.webp", "image/webp", ".webp", 12},
	{"av1.webm", "video/webm", ".webm", 64},
	{"clip.mkv", "video/x-matroska", ".mkv", 12},
	{"clip.mov", "video/quicktime", ".mov", 12},
	{"clip.ts", "video/mp2t", ".ts", 512},
	{"frag.mp4", "video/mp4", ".mp4", 12},
	{"frag_cmaf.mp4", "video/mp4", ".mp4", 12},
	{"image.avif", "image/avif", ".avif", 12},
	{"image.png", "image/png", ".png", 12},
	{"image.webp", "image/webp", ".webp", 12},
	{"live_unknown_size.webm", "video/webm", ".webm", 64},
	{"photo.jpg", "image/jpeg", ".jpg", 12},
	{"prog_faststart.mp4", "video/mp4", ".mp4", 12},
	{"prog_moovlast.mp4", "video/mp4", ".mp4", 12},
	{"tone.aac", "audio/aac", ".aac", 12},
	{"tone.flac", "audio/flac", ".flac", 12},
	{"tone.m4a", "audio/mp4", ".m4a", 12},
	{"tone.mp3", "audio/mpeg", ".mp3", 12},
	{"tone.ogg", "audio/ogg", ".ogg", 12},
	{"tone.wav", "audio/wav", ".wav", 12},
	{"tone_vorbis.ogg", "audio/ogg", ".ogg", 12},
	{"truncated.jpg", "image/jpeg", ".jpg", 12},
	{"truncated.webm", "video/webm", ".webm", 64},
	{"truncated_frag.mp4", "video/mp4", ".mp4", 12},
	{"vp8_opus.webm", "video/webm", ".webm", 64},
	{"vp9_opus.webm", "video/webm", ".webm", 64},
}

func TestSniffKnowsEverySample(t *testing.T) {
	for _, c := range samples {
		whole := sample(t, c.name)
		for _, n := range []int{12, 64, 512, 4096, len(whole)} {
			got := Sniff(whole[:min(n, len(whole))])
			if n >= c.from && (got.Type != c.mediaType || got.Ext != c.ext) {
				t.Errorf("Sniff(%d bytes of %s) = %s, %s; want %s, %s", n, c.name, got.Type, got.Ext, c.mediaType, c.ext)
			}
			if n < c.from && got.Type == c.mediaType {
				t.Errorf("Sniff(%d bytes of %s) = %s; the table says that it takes %d", n, c.name, got.Type, c.from)
			}
		}
	}
}

func TestSamplesAreShownInPlace(t *testing.T) {
	for _, c := range samples {
		if m := Sniff(sample(t, c.name)); m.Active {
			t.Errorf("Sniff(%s).Active = true; want false", c.name)
		}
	}
}

func TestSniffNeverCallsActiveContentInert(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	for _, c := range []struct {
		name, head, mediaType string
		active                bool
	}{
		{"html", "<!DOCTYPE html><script>alert(1)</script>", "text/html", true},
		{"html behind white space", " \r\n\t <html><body>", "text/html", true},
		{"html behind a byte order mark", "\xef\xbb\xbf<html>", "text/html", true},
		{"html behind a comment", "<!-- GIF89a --><script>alert(1)</script>", "text/html", true},
		{"html of one unknown element", "<x onfocus=alert(1) autofocus tabindex=1>", "text/html", true},
		{"html in UTF-16", "\xff\xfe<\x00x\x00 \x00o\x00n\x00e\x00r\x00r\x00o\x00r\x00=\x00>\x00", "text/html", true},
		{"html in UTF-16, big end first", "\xfe\xff\x00<\x00x\x00>", "text/html", true},
		{"svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "image/svg+xml", true},
		{"svg behind a declaration", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml", true},
		{"xml", `<?xml version="1.0"?><a/>`, "text/xml", true},
		{"xhtml", `<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"/>`, "application/xhtml+xml", true},
		{"pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", true},
		{"javascript", "#!/usr/bin/env node\nalert(1)", "text/javascript", true},
		{"zip with html", "PK\x03\x04\x14\x00\x00\x00\x00\x00<html><script>alert(1)</script>", "application/zip", true},
		{"wasm", "\x00asm\x01\x00\x00\x00", "application/wasm", true},
		{"empty", "", octetStream, true},
		{"noise", "\x00\x01\x02\x03\xff\xfe\xfd\x80\x81", octetStream, true},
		{"gif and html", "GIF89a/*<html><script>*/=1;alert(1)//", "image/gif", false},
		{"png with script", png + "<script>alert(1)</script><svg onload=alert(1)>", "image/png", false},
		{"jpeg with php", "\xff\xd8\xff\xe0\x00\x10JFIF<?php system($_GET[1]) ?>", "image/jpeg", false},
		{"bare script", "alert(document.cookie)", "text/plain; charset=utf-8", false},
		{"pdf behind text", "hello\n%PDF-1.7\n", "application/pdf", true},
		{"utf-16", "\xff\xfeh\x00i\x00", "text/plain; charset=utf-16le", false},
	} {
		got := Sniff([]byte(c.head))
		if got.Type != c.mediaType || got.Active != c.active {
			t.Errorf("%s: Sniff = %s, Active %v; want %s, %v", c.name, got.Type, got.Active, c.mediaType, c.active)
		}
	}
}

func TestSniffLooksAtNoMoreThanItsLimit(t *testing.T) {
	head := append(bytes.Repeat([]byte{'a'}, SniffBytes), 0, 1, 2, 0xff)
	if got := Sniff(head).Type; got != "text/plain; charset=utf-8" {
		t.Errorf("Sniff = %s; want text, as far as its limit goes", got)
	}
}

func TestSniffTakesTextThatIsCutWithinALetter(t *testing.T) {
	head := []byte("x" + strings.Repeat("ä", SniffBytes))
	if got := Sniff(head).Type; got != "text/plain; charset=utf-8" {
		t.Errorf("Sniff = %s; want text/plain; charset=utf-8", got)
	}
}

func TestSniffTellsSoundFromFilm(t *testing.T) {
	for _, c := range []struct {
		name      string
		head      []byte
		mediaType string
	}{
		{"webm without pictures", audioWebM(), "audio/webm"},
		{"mp4 without pictures", audioMP4(), "audio/mp4"},
		{"mp3 without a tag", sample(t, "tone.mp3")[61:], "audio/mpeg"},
		{"aac behind a tag", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00"), sample(t, "tone.aac")...), "audio/aac"},
		{"a sync word alone", append([]byte{0xff, 0xfb, 0x90, 0x64}, make([]byte, 4000)...), octetStream},
	} {
		if got := Sniff(c.head).Type; got != c.mediaType {
			t.Errorf("%s: Sniff = %s; want %s", c.name, got, c.mediaType)
		}
	}
}

func TestLookupTrustsNoClaim(t *testing.T) {
	for _, c := range []struct{ claimed, want string }{
		{"image/png", "image/png"},
		{"IMAGE/PNG; a=b", "image/png"},
		{"text/plain; charset=utf-8", "text/plain; charset=utf-8"},
		{"text/plain; charset=\"x\r\ny\"", "text/plain"},
		{"image/x-new", octetStream},
		{"", octetStream},
	} {
		if got := Lookup(c.claimed).Type; got != c.want {
			t.Errorf("Lookup(%q) = %s; want %s", c.claimed, got, c.want)
		}
	}
}

func TestEveryKnownTypeHasAnExtension(t *testing.T) {
	for _, k := range knownTypes {
		if m := Lookup(k.name); m.Type != k.name || !strings.HasPrefix(m.Ext, ".") || len(m.Ext) > len(".ndjson") {
			t.Errorf("Lookup(%s) = %+v", k.name, m)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, c := range samples {
		whole := sample(f, c.name)
		f.Add(whole[:min(600, len(whole))])
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		m := Sniff(head)
		if m != Lookup(m.Type) || m.Ext == "" {
			t.Errorf("Sniff = %+v; Lookup = %+v", m, Lookup(m.Type))
		}
	})
}
