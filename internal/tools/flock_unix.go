//go:build unix

package tools

import (
	"os"
	"syscall"
)

// flock waits until nobody else has f locked. The lock ends with f.
func flock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
