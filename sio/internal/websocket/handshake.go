package websocket

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// guid is appended to the client's key; RFC 6455, section 1.3.
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Check returns ErrHandshake or ErrVersion for a request that is not a WebSocket handshake; RFC 6455, section 4.2.1.
func Check(r *http.Request) error {
	keys, versions := r.Header.Values("Sec-WebSocket-Key"), r.Header.Values("Sec-WebSocket-Version")
	switch {
	case r.Method != http.MethodGet, !r.ProtoAtLeast(1, 1), !asked(r):
		return ErrHandshake
	case len(versions) != 1 || versions[0] != "13":
		return ErrVersion
	case len(keys) != 1:
		return ErrHandshake
	}
	if key, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(key) != 16 {
		return ErrHandshake
	}
	return nil
}

// asked reports whether r asks for a WebSocket.
func asked(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

func hasToken(h http.Header, name, token string) bool {
	for _, v := range h.Values(name) {
		for field := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(field), token) {
				return true
			}
		}
	}
	return false
}

// breath is how long the first frames wait behind the handshake. In Node, what arrives in one read with the handshake is handed
// out before code that waited for the opening runs on and listens: such a client would never see it.
const breath = 2 * time.Millisecond

// Reply is what a handshake is answered with beside what RFC 6455 asks for.
type Reply struct {
	Header  []http.Header // further fields
	First   []byte        // frames sent behind it, when the peer has had the time to read it
	Timeout time.Duration // for writing it all; 0 means no limit
}

// Accept takes the connection of a request that Check has passed over from net/http, and answers the handshake. From then on
// conn is the caller's; what the peer sends is read from src, since some of it may have been read ahead. After
// ErrNoConnection the request is still to be answered; after any other error the connection is closed.
func Accept(w http.ResponseWriter, r *http.Request, reply Reply) (conn net.Conn, src io.Reader, err error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoConnection, err)
	}
	conn.SetDeadline(time.Time{}) // the server's own timeouts end here
	if reply.Timeout > 0 {
		conn.SetWriteDeadline(time.Now().Add(reply.Timeout))
	}
	if err := reply.send(conn, r); err != nil {
		conn.Close()
		return nil, nil, err
	}
	conn.SetWriteDeadline(time.Time{})
	return conn, behind(ahead(rw.Reader), conn), nil
}

// send answers the handshake of r.
func (reply *Reply) send(conn net.Conn, r *http.Request) error {
	if _, err := conn.Write(switchingProtocols(r, reply.Header)); err != nil || len(reply.First) == 0 {
		return err
	}
	time.Sleep(breath)
	_, err := conn.Write(reply.First)
	return err
}

// ahead returns what r has read ahead.
func ahead(r *bufio.Reader) []byte {
	read, _ := r.Peek(r.Buffered())
	return bytes.Clone(read)
}

// behind returns a reader of conn after early.
func behind(early []byte, conn io.Reader) io.Reader {
	if len(early) == 0 {
		return conn
	}
	return io.MultiReader(bytes.NewReader(early), conn)
}

// switchingProtocols returns the reply that makes a connection a WebSocket.
func switchingProtocols(r *http.Request, headers []http.Header) []byte {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + guid))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	b.WriteString("\r\n")
	if protocol := chosen(r.Header); protocol != "" {
		b.WriteString("Sec-WebSocket-Protocol: " + protocol + "\r\n")
	}
	for _, h := range headers {
		h.Write(&b)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// chosen returns the subprotocol that Accept agrees to: the first that a client names, "" if it names none, or breaks the rules
// with it; RFC 6455, section 4.2.2. Clients give up that are agreed to none of theirs.
func chosen(h http.Header) string {
	first, _, _ := strings.Cut(h.Get("Sec-WebSocket-Protocol"), ",")
	first = strings.TrimSpace(first)
	if strings.ContainsFunc(first, isNoToken) {
		return ""
	}
	return first
}

// isNoToken reports whether c may not stand in a token; RFC 9110, section 5.6.2.
func isNoToken(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}
