package chunker

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// SniffBytes is how much of a stream's beginning Sniff looks at.
const SniffBytes = 4096

// Sniff returns the type of content that begins with head, of which it looks at the first SniffBytes. It decides by
// content alone; what cannot be told is application/octet-stream.
//
// The more of the beginning it gets, the better it knows. From a dozen bytes it tells most pictures and sounds, Matroska
// but not yet WebM, and MP4 but not yet whether there are pictures in it. A transport stream takes 189 bytes, and text is
// only text as far as it was seen.
func Sniff(head []byte) Media {
	head = head[:min(len(head), SniffBytes)]
	if len(head) == 0 {
		return Lookup(octetStream)
	}
	if name := sniffMedia(head); name != "" {
		return Lookup(name)
	}
	for m := mimetype.Detect(head); m != nil; m = m.Parent() {
		known := Lookup(m.String())
		switch {
		case known.Type == "audio/mpeg" || known.Type == "audio/aac":
			return Lookup(octetStream) // judged above, and better than by the two bytes of a sync word
		case strings.HasPrefix(known.Type, "text/plain") && isMarkup(head):
			return Lookup("text/html")
		case known.Type != octetStream:
			return known
		}
	}
	return Lookup(octetStream)
}

// sniffMedia names what is told here, and not by mimetype: the containers that a Splitter knows. Whether there are
// pictures in them, not only sound, their own scanners find out.
func sniffMedia(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		return sniffMatroska(head)
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return sniffMP4(head)
	case bytes.HasPrefix(head, []byte("OggS")):
		return sniffOgg(head)
	case len(head) >= 12 && (string(head[:4]) == "RIFF" || string(head[:4]) == "RF64"):
		return sniffRIFF(head)
	case isTransportStream(head):
		return "video/mp2t"
	}
	return sniffAudio(head)
}

func sniffMatroska(head []byte) string {
	m := &matroska{}
	newSplitter(m, true).Scan(head)
	kind := "video"
	if m.described && m.audio != 0 && m.video == 0 {
		kind = "audio"
	}
	if m.docType == "webm" {
		return kind + "/webm"
	}
	return kind + "/x-matroska"
}

// sniffMP4 goes by the brand of the ftyp box, and where that says "film" by the tracks.
func sniffMP4(head []byte) string {
	if name := brandType(string(head[8:12])); name != "" {
		return name
	}
	switch string(head[8:12]) {
	case "mif1", "msf1", "miaf": // still pictures: the compatible brands say which
		return sniffPicture(head)
	}
	m := &mp4{}
	newSplitter(m, true).Scan(head)
	if m.described && m.hasHandler("soun") && !m.hasHandler("vide") {
		return "audio/mp4"
	}
	return "video/mp4"
}

// sniffPicture goes by the compatible brands of the ftyp box, which follow its minor version.
func sniffPicture(head []byte) string {
	size := min(len(head), int(binary.BigEndian.Uint32(head)))
	for at := 16; at+4 <= size; at += 4 {
		if name := brandType(string(head[at : at+4])); strings.HasPrefix(name, "image/") {
			return name
		}
	}
	return "image/heif"
}

// brandType names the type of files of a brand that stands for one.
func brandType(brand string) string {
	switch brand {
	case "avif", "avis":
		return "image/avif"
	case "heic", "heix", "heim", "heis", "hevc", "hevx":
		return "image/heic"
	case "jxl ":
		return "image/jxl"
	case "jp2 ", "jpx ", "jpm ":
		return "image/jp2"
	case "qt  ":
		return "video/quicktime"
	case "M4A ", "M4B ", "F4A ", "F4B ":
		return "audio/mp4"
	}
	switch brand[:3] {
	case "3gp", "3ge", "3gr", "3gs":
		return "video/3gpp"
	case "3g2":
		return "video/3gpp2"
	}
	return ""
}

func sniffOgg(head []byte) string {
	o := &ogg{}
	newSplitter(o, true).Scan(head)
	if lead := o.leading(); lead != nil && lead.video {
		return "video/ogg"
	}
	return "audio/ogg"
}

func sniffRIFF(head []byte) string {
	switch string(head[8:12]) {
	case "WEBP":
		return "image/webp"
	case "WAVE":
		return "audio/wav"
	case "AVI ":
		return "video/x-msvideo"
	}
	return ""
}

// isTransportStream reports whether packets of MPEG-TS fill head, two at least begun.
func isTransportStream(head []byte) bool {
	for at := 0; at < len(head); at += tsPacketBytes {
		if head[at] != tsSync {
			return false
		}
	}
	return len(head) > tsPacketBytes
}

// sniffAudio tells raw frames, behind an ID3 tag or not. A frame must be followed by another where it ends, if head goes
// that far.
func sniffAudio(head []byte) string {
	if len(head) < id3HeaderBytes {
		return ""
	}
	tag := id3Size(head)
	if tag > 0 && tag+flacHeadBytes > int64(len(head)) {
		return "audio/mpeg" // by far the most likely
	}
	head = head[tag:]
	switch {
	case bytes.HasPrefix(head, []byte("fLaC")):
		return "audio/flac"
	case isFrames(head, parseADTS):
		return "audio/aac"
	}
	return nameIf(tag > 0 || isFrames(head, parseMP3), "audio/mpeg")
}

func nameIf(is bool, name string) string {
	if is {
		return name
	}
	return ""
}

func isFrames(head []byte, parse func([]byte) (frame, bool)) bool {
	if len(head) < frameHeadBytes {
		return false
	}
	first, ok := parse(head)
	if !ok || first.size+frameHeadBytes > len(head) {
		return ok
	}
	second, ok := parse(head[first.size:])
	return ok && second.same == first.same
}

// isMarkup reports whether text begins as markup does, in any encoding that ASCII shines through: an HTML or SVG document
// that was not recognised because a comment or an unknown element comes first.
func isMarkup(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, "\x00 \t\r\n\f") // not of runes: UTF-16's mark is no UTF-8
	head = bytes.TrimPrefix(head, []byte("\xff\xfe"))
	head = bytes.TrimPrefix(head, []byte("\xfe\xff"))
	head = bytes.TrimLeft(head, "\x00 \t\r\n\f")
	if len(head) == 0 || head[0] != '<' {
		return false
	}
	head = bytes.TrimLeft(head[1:], "\x00")
	return len(head) > 0 && (head[0]|0x20 >= 'a' && head[0]|0x20 <= 'z' || bytes.IndexByte([]byte("!?/"), head[0]) >= 0)
}
