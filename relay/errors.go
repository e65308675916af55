package relay

import (
	"errors"
	"fmt"
)

// Code names a kind of refusal; every door shows it as its clients expect.
type Code string

const (
	BadRequest   Code = "bad_request"
	Unauthorized Code = "unauthorized"
	Forbidden    Code = "forbidden"
	NotFound     Code = "not_found"
	Conflict     Code = "conflict"
	TooLarge     Code = "too_large"
	TooMany      Code = "too_many"
	Gone         Code = "gone"
	Unavailable  Code = "unavailable"
	Internal     Code = "internal"
)

// Error is a refusal whose text is meant for the one who asked. Any other error is "internal" to them.
type Error struct {
	Code    Code
	Message string
	Limit   int64 // the limit that was met; 0: none
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Errorf returns an *Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// AsError returns err as an *Error: itself if it is one, else "internal" without its text.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: "something failed on the server"}
}

// overLimit is the refusal of what exceeds limit; what says what it was, in the plural.
func overLimit(code Code, limit int64, what string) *Error {
	return &Error{Code: code, Message: fmt.Sprintf("at most %d %s", limit, what), Limit: limit}
}

// What a Reader answers when it has nothing to give at once.
var (
	ErrLater = errors.New("relay: nothing yet")      // the reader's wake will be called
	ErrWait  = errors.New("relay: must wait for it") // call again where waiting is allowed
)

// ErrReaderClosed is returned by a Reader after Close.
var ErrReaderClosed = errors.New("relay: reader closed")
