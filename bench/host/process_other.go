//go:build !linux

package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

var errNotLinux = fmt.Errorf("servers are measured on Linux only, not on %s: %w", runtime.GOOS, errors.ErrUnsupported)

// Process is a server under test. There are none here.
type Process struct{ Addr string }

// Usage is what a process and those it started have used.
type Usage struct {
	CPU       time.Duration
	RSS, Peak int64
}

// Start fails.
func Start(context.Context, string, ...string) (*Process, error) { return nil, errNotLinux }

// Stop does nothing.
func (*Process) Stop() {}

// Said returns nothing.
func (*Process) Said() string { return "" }

// Signal fails.
func (*Process) Signal(os.Signal) error { return errNotLinux }

// Usage fails.
func (*Process) Usage() (Usage, error) { return Usage{}, errNotLinux }

// ResetPeak fails.
func (*Process) ResetPeak() error { return errNotLinux }

// AllowFiles fails.
func AllowFiles(int) error { return errNotLinux }

// CollectGarbage fails.
func (*Process) CollectGarbage() error { return errNotLinux }
