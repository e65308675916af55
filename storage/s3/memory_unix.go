//go:build unix

package s3

import "syscall"

// mapBytes takes n bytes from the system.
func mapBytes(n int) ([]byte, error) {
	return syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// unmapBytes gives back what mapBytes returned.
func unmapBytes(b []byte) error { return syscall.Munmap(b) }
