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
func acceptedEncoding(accept string) string {
	gzip, deflate, others := -1.0, -1.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			gzip = quality(params)
		case "deflate":
			deflate = quality(params)
		case "*":
			others = quality(params)
		}
	}
	if gzip < 0 {
		gzip = others
	}
	if deflate < 0 {
		deflate = others
	}
	switch {
	case gzip > 0 && gzip >= deflate:
		return "gzip"
	case deflate > 0:
		return "deflate"
	}
	return ""
}

// quality returns the weight among the parameters of an encoding: 1 if there is none, 0 if it is none.
func quality(params string) float64 {
	weight, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(weight, 64)
	if err != nil {
		return 0
	}
	return q
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
