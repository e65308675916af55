//go:build !race

package relay

// spoil is for tests.
func (b *block) spoil() {}
