//go:build linux

package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// AllowFiles has this process, and those it starts from now on, open so many files at once.
func AllowFiles(count int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	want := uint64(count)
	limit.Max = max(limit.Max, want) // only the privileged may
	limit.Cur = max(limit.Cur, want)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("it takes %d open files (ulimit -n %d): %w", count, count, err)
	}
	return nil
}
