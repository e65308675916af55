package websocket

import (
	"errors"

	"github.com/gobwas/ws"
)

// lastStatus is the greatest status that anybody may define; RFC 6455, section 7.4.2.
const lastStatus ws.StatusCode = 4999

// AppendHeader appends the header of an unmasked, unfragmented frame.
func AppendHeader(dst []byte, op ws.OpCode, length int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return append(dst, 126, byte(length>>8), byte(length))
	default:
		n := uint64(length)
		return append(dst, 127, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// AppendFrame appends an unmasked, unfragmented frame.
func AppendFrame[P string | []byte](dst []byte, op ws.OpCode, payload P) []byte {
	return append(AppendHeader(dst, op, len(payload)), payload...)
}

// AppendClose appends a close frame without a reason; status 0 leaves out the status, too.
func AppendClose(dst []byte, status ws.StatusCode) []byte {
	if status == 0 {
		return AppendHeader(dst, ws.OpClose, 0)
	}
	return append(AppendHeader(dst, ws.OpClose, 2), byte(status>>8), byte(status))
}

// checkClose refuses the payload of a close frame that breaks RFC 6455, section 5.5.1 or 7.4.
func checkClose(payload []byte) error {
	switch {
	case len(payload) == 0:
		return nil
	case len(payload) == 1:
		return &Error{ws.StatusProtocolError, "half a close status"}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if code > lastStatus {
		return &Error{ws.StatusProtocolError, "close status out of range"}
	}
	switch err := ws.CheckCloseFrameData(code, reason); {
	case errors.Is(err, ws.ErrProtocolInvalidUTF8):
		return &Error{ws.StatusInvalidFramePayloadData, err.Error()} // section 8.1
	case err != nil:
		return &Error{ws.StatusProtocolError, err.Error()}
	}
	return nil
}
