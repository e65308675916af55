package storage

import "fmt"

// RangeError says that a range begins beyond the end of its object.
type RangeError struct {
	Key          string
	Offset, Size int64
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("storage: %s has %d bytes, none at %d", e.Key, e.Size, e.Offset)
}

// SizeError says that other bytes were written than Options.Size promised.
type SizeError struct {
	Key      string
	Promised int64
	Written  int64 // so far
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("storage: %s: %d bytes written, %d promised", e.Key, e.Written, e.Promised)
}
