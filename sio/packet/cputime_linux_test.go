package packet

import (
	"runtime"
	"syscall"
	"time"
)

// cpuTime returns how long f keeps a processor busy, which is without what else the machine does.
func cpuTime(f func()) time.Duration {
	const thread = 1 // RUSAGE_THREAD
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after syscall.Rusage
	syscall.Getrusage(thread, &before)
	f()
	syscall.Getrusage(thread, &after)
	return time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
}
