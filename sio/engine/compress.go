package engine

import (
	"cmp"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// HTTPCompression says which polling replies are compressed, for clients that accept gzip or deflate. One that holds a
// message that is to go plain is not.
type HTTPCompression struct {
	Off       bool // none are
	Threshold int  // the least size of a reply's body, in bytes, to compress; 0 means 1024
}

func (c HTTPCompression) threshold() int { return cmp.Or(c.Threshold, defaultThreshold) }

// compressor writes a compressed body. It is taken from a pool and goes back there.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// compressors are the pools, by the name of the encoding. Level 1 gives up at once on what does not compress.
var compressors = map[string]*sync.Pool{
	"gzip": {New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // an error is of a level that does not exist
		return w
	}},
	"deflate": {New: func() any {
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return w
	}},
}

// encoding returns the name of the encoding for a reply to r, "" for none.
func (srv *Server) encoding(h http.Header, r *http.Request, reply pollReply, size int) string {
	if srv.HTTPCompression.Off || reply.plain || size < srv.HTTPCompression.threshold() {
		return ""
	}
	h.Add("Vary", "Accept-Encoding")
	return acceptedEncoding(r.Header.Get("Accept-Encoding"))
}

// acceptedEncoding returns what a client likes best of gzip and deflate; RFC 9110, section 12.5.3.
func acceptedEncoding(accept string) (best string) {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		q := 1.0
		if weight, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			parsed, err := strconv.ParseFloat(weight, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		quality[strings.ToLower(strings.TrimSpace(name))] = q
	}
	most := 0.0
	for _, name := range []string{"gzip", "deflate"} {
		q, ok := quality[name]
		if !ok {
			q = quality["*"]
		}
		if q > most {
			best, most = name, q
		}
	}
	return best
}

// compressTo writes parts to w, compressed as they are written.
func compressTo(w io.Writer, encoding string, parts [][]byte) error {
	c := compressors[encoding].Get().(compressor)
	defer compressors[encoding].Put(c)
	c.Reset(w)
	for _, part := range parts {
		if _, err := c.Write(part); err != nil {
			return err
		}
	}
	return c.Close()
}

// countingWriter counts what is written to w.
type countingWriter struct {
	w io.Writer
	n int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
