//go:build !linux

package spool

import (
	"errors"
	"os"
)

func makeHole(*os.File, int64, int64) error { return errors.ErrUnsupported }
