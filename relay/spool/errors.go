package spool

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrName says that an id cannot name a log: [0-9A-Z], 1 to 64 of them.
	ErrName = errors.New("spool: not a name for a log")

	// ErrSealed is returned by Append once Seal has been called.
	ErrSealed = errors.New("spool: log is sealed")

	// ErrDropped says that the bytes asked for were given up by Drop.
	ErrDropped = errors.New("spool: dropped")

	// ErrTooLarge is returned for a record over MaxRecordBytes or a header over MaxHeaderBytes.
	ErrTooLarge = errors.New("spool: too large")

	// ErrFull says that the disk, the quota or the limit on file sizes, or on open files, is reached. The log is as it was before
	// the call, which may be repeated when there is room again.
	ErrFull = errors.New("spool: no room left")

	// ErrFailed says that an fsync has failed. What the kernel holds of the file is not to be trusted from then
	// on, so the log stays failed: it can be read and removed, never written or acknowledged again.
	ErrFailed = errors.New("spool: log has failed")

	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("spool: in use by another process")
)

// CorruptError says that stored bytes are not those that were appended.
type CorruptError struct {
	ID     string // of the log
	Offset int64  // in the content, where the damaged record begins
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("spool: log %s is corrupt at %d: %s", e.ID, e.Offset, e.Reason)
}

// writeError marks the errors that say that there is no room.
func writeError(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}
