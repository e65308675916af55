package spool

import (
	"os"
	"syscall"
)

// Of fallocate(2).
const (
	fallocKeepSize  = 0x1
	fallocPunchHole = 0x2
)

func makeHole(f *os.File, from, size int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), fallocKeepSize|fallocPunchHole, from, size)
		if err != syscall.EINTR {
			return err
		}
	}
}
