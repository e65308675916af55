package engine

import (
	"io"
	"net/http"
)

// Receiver is the layer above one session. The engine calls Receive one at a time and in order, across an upgrade too, and
// Next one at a time, but the one beside the other.
type Receiver interface {
	// Receive takes the next message. m is lent until it returns; the transport reads nothing further meanwhile: this is the
	// backpressure on the peer. A non-nil error closes the session with it.
	Receive(m Message) error

	// Next returns what to send next, and whether there may be more after it. It is called only when the transport can take
	// something. With wait false it must not block: (nil, true) says that there is more which must be waited for, and Next is
	// called again with wait true from a goroutine of the session; what it then waits for, it must give up at Session.Done.
	// (nil, false) is the end until Session.Wake. The session releases p when it is sent (PrepareLent).
	Next(wait bool) (p *Prepared, more bool)

	// Closed is called once, after the last Receive and Next have returned, with what ended the session.
	Closed(err error)
}

// Refuser is what a Receiver may be, too, to have a last word.
type Refuser interface {
	// Refused is called when the session is about to end because of what the client sent, with ErrTooLarge or a *ProtocolError
	// that the engine found, not Receive. It reports whether Next has something to say to that: then the session ends as by
	// Session.Drain. It may be called beside Next.
	Refused(err error) bool
}

// Upgrader is what a Receiver may be, too, to hear of upgrades.
type Upgrader interface {
	// Upgraded is called when the session has moved to another transport, which Session.Transport names. It must not wait.
	Upgraded()
}

// Expecter is what a Receiver may be, too, whose messages hang together.
type Expecter interface {
	// Expecting reports whether what has come is incomplete without the next message. An upgrade is put off as long: a client
	// that waits with the upgrade for a large POST sees no ping meanwhile. Any goroutine may call it.
	Expecting() bool
}

// Message is one message from the peer: either Text or Body is set.
type Message struct {
	// Text is a whole text message, valid UTF-8, at most MaxPayloadBytes. It is never nil for text.
	Text []byte
	// Body is a binary message, as it arrives; nil for text. What Receive leaves unread is skipped, up to MaxPayloadBytes;
	// if more is left, the session ends with ErrTooLarge.
	Body io.Reader
	// Request is the POST that carried the message, or the request that opened the WebSocket.
	Request *http.Request
}

// Size returns the length of the message in bytes, -1 if it is not known before the end has come.
func (m Message) Size() int64 {
	if m.Body == nil {
		return int64(len(m.Text))
	}
	if sized, ok := m.Body.(interface{ Size() int64 }); ok {
		return sized.Size()
	}
	return -1
}
