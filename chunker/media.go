package chunker

import "strings"

// Media is what is known of a type of content.
type Media struct {
	Type string // such as "image/png", with parameters only where they matter
	Ext  string // its file extension with the dot, one of a fixed list

	// Compressible says that content of this type is not compressed already.
	Compressible bool

	// Active says that content of this type must not be shown in place, only downloaded. It is true of whatever is not
	// known to be inert, rather than of what is known to run (SVG, HTML, XML, PDF, JavaScript ...): a list of the
	// dangerous is never complete, and browsers keep adding to it.
	Active bool
}

// traits are what the list of types says of each.
type traits uint8

const (
	inline       traits = 1 << iota // inert in every browser: pictures without script, sound, film, plain text
	compressible                    // not compressed already
)

type knownType struct {
	name   string
	ext    string
	traits traits
}

const octetStream = "application/octet-stream"

// knownTypes are all types that Sniff names. What is not here is application/octet-stream.
var knownTypes = [...]knownType{
	{octetStream, ".bin", compressible},

	{"image/png", ".png", inline},
	{"image/apng", ".png", inline},
	{"image/jpeg", ".jpg", inline},
	{"image/gif", ".gif", inline},
	{"image/webp", ".webp", inline},
	{"image/avif", ".avif", inline},
	{"image/bmp", ".bmp", inline | compressible},
	{"image/x-icon", ".ico", inline | compressible},
	{"image/heic", ".heic", 0},
	{"image/heif", ".heif", 0},
	{"image/jxl", ".jxl", 0},
	{"image/jp2", ".jp2", 0},
	{"image/tiff", ".tiff", compressible},
	{"image/vnd.adobe.photoshop", ".psd", compressible},
	{"image/svg+xml", ".svg", compressible},

	{"video/webm", ".webm", inline},
	{"video/x-matroska", ".mkv", inline},
	{"video/mp4", ".mp4", inline},
	{"video/quicktime", ".mov", inline},
	{"video/3gpp", ".3gp", inline},
	{"video/3gpp2", ".3g2", inline},
	{"video/mp2t", ".ts", inline},
	{"video/mpeg", ".mpeg", inline},
	{"video/ogg", ".ogv", inline},
	{"video/x-msvideo", ".avi", inline},
	{"video/x-flv", ".flv", inline},
	{"video/x-ms-asf", ".asf", inline},

	{"audio/webm", ".webm", inline},
	{"audio/x-matroska", ".mka", inline},
	{"audio/mp4", ".m4a", inline},
	{"audio/mpeg", ".mp3", inline},
	{"audio/aac", ".aac", inline},
	{"audio/ogg", ".ogg", inline},
	{"audio/flac", ".flac", inline},
	{"audio/wav", ".wav", inline | compressible},
	{"audio/aiff", ".aiff", inline | compressible},
	{"audio/basic", ".au", inline | compressible},
	{"audio/midi", ".mid", inline | compressible},
	{"audio/amr", ".amr", inline},

	{"text/plain", ".txt", inline | compressible},
	{"text/html", ".html", compressible},
	{"text/xml", ".xml", compressible},
	{"application/xhtml+xml", ".xhtml", compressible},
	{"text/javascript", ".js", compressible},
	{"text/csv", ".csv", compressible},
	{"text/vtt", ".vtt", compressible},
	{"text/rtf", ".rtf", compressible},
	{"application/json", ".json", compressible},
	{"application/x-ndjson", ".ndjson", compressible},
	{"application/x-subrip", ".srt", compressible},
	{"application/wasm", ".wasm", compressible},
	{"application/vnd.apple.mpegurl", ".m3u8", compressible},

	{"application/pdf", ".pdf", 0},
	{"application/postscript", ".ps", compressible},
	{"application/zip", ".zip", 0},
	{"application/gzip", ".gz", 0},
	{"application/zstd", ".zst", 0},
	{"application/x-bzip2", ".bz2", 0},
	{"application/x-xz", ".xz", 0},
	{"application/x-7z-compressed", ".7z", 0},
	{"application/vnd.rar", ".rar", 0},
	{"application/x-tar", ".tar", compressible},
	{"application/epub+zip", ".epub", 0},
	{"application/msword", ".doc", compressible},
	{"application/vnd.ms-excel", ".xls", compressible},
	{"application/vnd.ms-powerpoint", ".ppt", compressible},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx", 0},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", 0},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx", 0},
	{"application/vnd.oasis.opendocument.text", ".odt", 0},
	{"application/vnd.oasis.opendocument.spreadsheet", ".ods", 0},
	{"application/vnd.oasis.opendocument.presentation", ".odp", 0},
	{"font/ttf", ".ttf", compressible},
	{"font/otf", ".otf", compressible},
	{"font/woff", ".woff", 0},
	{"font/woff2", ".woff2", 0},
}

// Lookup returns what is known of a type that Sniff named before, such as one kept with a stored stream. Parameters and
// case do not count. An unknown type is application/octet-stream: never trust a type that a peer claims.
func Lookup(mediaType string) Media {
	name, parameters, _ := strings.Cut(mediaType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	for _, k := range knownTypes {
		if k.name == name {
			return k.media(parameters)
		}
	}
	return knownTypes[0].media("")
}

// media returns k as a Media, with the charset that text cannot be read without.
func (k knownType) media(parameters string) Media {
	m := Media{Type: k.name, Ext: k.ext, Compressible: k.traits&compressible != 0, Active: k.traits&inline == 0}
	if k.name == "text/plain" {
		if charset := strings.TrimSpace(parameters); isCharset(charset) {
			m.Type += "; " + charset
		}
	}
	return m
}

// isCharset reports whether p is a charset parameter of plain characters, fit to go into a header.
func isCharset(p string) bool {
	name, ok := strings.CutPrefix(strings.ToLower(p), "charset=")
	if !ok || name == "" || len(name) > 32 {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
