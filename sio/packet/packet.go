package packet

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// What a peer can make grow, and how far.
const (
	MaxArgs        = 64   // arguments of an event (its name and offset apart) or of an ack
	MaxDepth       = 64   // nesting of the JSON, the array of arguments included
	MaxAttachments = 1024 // attachments of a packet; servers allow far fewer
	maxIDDigits    = 15   // an ack id stays exact in JavaScript's numbers
)

// Type says what a packet is for.
type Type byte

// The packet types, in the order of the protocol.
const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

// String returns the name of t as the protocol's document writes it.
func (t Type) String() string {
	names := [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}
	if int(t) < len(names) {
		return names[t]
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// Binary reports whether packets of type t carry attachments.
func (t Type) Binary() bool { return t == BinaryEvent || t == BinaryAck }

// NoID is the [Packet.ID] of a packet without an ack id.
const NoID = -1

// Packet is the text part of a Socket.IO packet.
type Packet struct {
	Type        Type
	Namespace   string // begins with a slash; empty stands for "/"
	Query       string // what followed a "?" in the namespace; clients of old send it with CONNECT
	ID          int64  // the ack id, or NoID
	Attachments int    // how many binary messages follow; 0 unless the type is binary
	Data        []byte // JSON with placeholders inside, nil if there is none
}

// A FormatError says why a text is not a packet. It is the fault of the peer.
type FormatError struct {
	Reason string
}

func (e *FormatError) Error() string { return "packet: " + e.Reason }

func malformed(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// Parse reads the text part of a packet and validates all of it, placeholders included, so that
// [Args] and [Unmarshal] find nothing surprising in Data. Data aliases text. Errors are *[FormatError].
func Parse(text []byte) (Packet, error) {
	p := Packet{Namespace: "/", ID: NoID}
	if len(text) == 0 {
		return p, malformed("empty")
	}
	p.Type = Type(text[0] - '0')
	if p.Type > BinaryAck {
		return p, malformed("unknown type %q", text[0])
	}
	rest := text[1:]
	var err error
	if p.Type.Binary() {
		if p.Attachments, rest, err = parseAttachments(rest); err != nil {
			return p, err
		}
	}
	if len(rest) > 0 && rest[0] == '/' {
		p.Namespace, p.Query, rest = parseNamespace(rest)
	}
	if p.ID, rest, err = parseID(rest); err != nil {
		return p, err
	}
	if len(rest) > 0 {
		p.Data = rest
	}
	return p, p.validate()
}

func parseAttachments(text []byte) (n int, rest []byte, err error) {
	digits, _, ok := bytes.Cut(text[:min(len(text), 5)], []byte{'-'})
	if !ok || len(digits) == 0 || !isDigits(digits) || digits[0] == '0' {
		return 0, nil, malformed("bad number of attachments")
	}
	n, _ = strconv.Atoi(string(digits))
	if n > MaxAttachments {
		return 0, nil, malformed("%d attachments, more than %d", n, MaxAttachments)
	}
	return n, text[len(digits)+1:], nil
}

func parseNamespace(text []byte) (name, query string, rest []byte) {
	path, rest, _ := bytes.Cut(text, []byte{','})
	name, query, _ = strings.Cut(string(path), "?")
	return name, query, rest
}

func parseID(text []byte) (id int64, rest []byte, err error) {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	if n == 0 {
		return NoID, text, nil
	}
	if n > maxIDDigits {
		return NoID, nil, malformed("ack id of %d digits", n)
	}
	id, err = strconv.ParseInt(string(text[:n]), 10, 64)
	return id, text[n:], err
}

// validate checks what the type demands of the ack id and of the data.
func (p *Packet) validate() error {
	switch p.Type {
	case Event, BinaryEvent:
		return p.validateArgs(true)
	case Ack, BinaryAck:
		if p.ID == NoID {
			return malformed("%v without an id", p.Type)
		}
		return p.validateArgs(false)
	case Disconnect:
		if p.Data != nil {
			return malformed("%v with data", p.Type)
		}
	case Connect, ConnectError:
		if err := p.validateObject(); err != nil {
			return err
		}
	}
	if p.ID != NoID {
		return malformed("%v with an ack id", p.Type)
	}
	return nil
}

func (p *Packet) validateArgs(event bool) error {
	s := scanner{data: p.Data, binary: p.Type.Binary(), attachments: p.Attachments}
	most := MaxArgs
	if event {
		most += 2 // its name, and the offset that servers add for connection state recovery
	}
	first, err := s.args(most)
	if err != nil {
		return err
	}
	if s.found != p.Attachments {
		return malformed("%d attachments, %d placeholders", p.Attachments, s.found)
	}
	if !event {
		return nil
	}
	return checkName(first)
}

// validateObject admits no data, an object and, for CONNECT_ERROR, a string.
func (p *Packet) validateObject() error {
	if p.Data == nil {
		return nil
	}
	s := scanner{data: p.Data}
	s.space()
	c := s.peek()
	if c != '{' && !(c == '"' && p.Type == ConnectError) {
		return malformed("%v whose data is no object", p.Type)
	}
	if err := s.value(); err != nil {
		return err
	}
	return s.end()
}

// AppendText appends the text form of p to dst. It is the reverse of [Parse], and refuses what could not be
// parsed again because of its type or namespace; Data is taken as it is.
func (p Packet) AppendText(dst []byte) ([]byte, error) {
	if err := p.sendable(); err != nil {
		return dst, err
	}
	dst = append(dst, '0'+byte(p.Type))
	if p.Type.Binary() {
		dst = strconv.AppendInt(dst, int64(p.Attachments), 10)
		dst = append(dst, '-')
	}
	dst = p.appendNamespace(dst)
	if p.ID >= 0 {
		dst = strconv.AppendInt(dst, p.ID, 10)
	}
	return append(dst, p.Data...), nil
}

// sendable refuses what could not be parsed again.
func (p Packet) sendable() error {
	if p.Type > BinaryAck {
		return fmt.Errorf("packet: unknown type %d", p.Type)
	}
	if p.Namespace != "" && p.Namespace[0] != '/' || strings.ContainsAny(p.Namespace, ",?") || strings.Contains(p.Query, ",") {
		return fmt.Errorf("packet: bad namespace %q", p.Namespace)
	}
	return nil
}

func (p Packet) appendNamespace(dst []byte) []byte {
	if (p.Namespace == "" || p.Namespace == "/") && p.Query == "" {
		return dst
	}
	if p.Namespace == "" {
		dst = append(dst, '/')
	}
	dst = append(dst, p.Namespace...)
	if p.Query != "" {
		dst = append(append(dst, '?'), p.Query...)
	}
	return append(dst, ',')
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
