//go:build linux

package host

import "testing"

func TestFilesAreAllowed(t *testing.T) {
	if err := AllowFiles(100); err != nil {
		t.Error(err)
	}
}

func TestMoreFilesThanTheKernelAllowsAreAnError(t *testing.T) {
	if err := AllowFiles(1 << 40); err == nil {
		t.Error("AllowFiles(1 << 40) = nil; want an error")
	}
}
