//go:build !race

package sio

// spoil is for tests.
func (b *buffer) spoil() {}
