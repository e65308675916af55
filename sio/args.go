package sio

import (
	"encoding/json"
	"fmt"

	"sluice/sio/packet"
)

// Args are the arguments of an event or of an ack, as they came.
type Args struct {
	raw         []json.RawMessage
	attachments [][]byte
	binary      bool // placeholders stand for attachments
	lease       *lease
}

// NewArgs makes Args of what a packet's data held (an event's name is not among the arguments) and the attachments that its
// placeholders stand for. Clients use it; a server's handlers are given Args.
func NewArgs(raw []json.RawMessage, attachments [][]byte) Args {
	return Args{raw: raw, attachments: attachments, binary: len(attachments) > 0}
}

// Split is the inverse of NewArgs. What it returns must not be changed. When an event's handlers have returned, and did not Keep them,
// there are no attachments.
func (a Args) Split() (raw []json.RawMessage, attachments [][]byte) {
	if a.lease != nil && !a.lease.keep() {
		return a.raw, nil
	}
	return a.raw, a.attachments
}

// NumArgs returns how many arguments there are; a callback for the ack is none.
func (a Args) NumArgs() int { return len(a.raw) }

// Raw returns argument i as JSON, with placeholders for attachments; nil if there is no argument i.
func (a Args) Raw(i int) json.RawMessage {
	if i < 0 || i >= len(a.raw) {
		return nil
	}
	return a.raw[i]
}

// Decode decodes argument i into v as encoding/json does, save that attachments arrive as []byte, also in an any. It fails
// if there is no argument i. In an event of OnStream the attachments are not there yet, and their placeholders are plain
// objects.
func (a Args) Decode(i int, v any) error {
	if i < 0 || i >= len(a.raw) {
		return fmt.Errorf("sio: no argument %d", i)
	}
	attachments := a.attachments
	switch {
	case !a.mayHoldAttachment(a.raw[i]):
		attachments = nil // there is no placeholder to look for
	case a.lease != nil && !a.lease.keep():
		return errNoAttachments
	}
	if err := packet.Unmarshal(a.raw[i], attachments, v); err != nil {
		return fmt.Errorf("sio: argument %d: %w", i, err)
	}
	return nil
}

// IsAttachment reports whether argument i is one attachment and nothing else.
func (a Args) IsAttachment(i int) bool {
	if !a.binary || i < 0 || i >= len(a.raw) {
		return false
	}
	_, ok := packet.IsPlaceholder(a.raw[i])
	return ok
}
