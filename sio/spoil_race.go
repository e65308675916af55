//go:build race

package sio

// spoil overwrites what nobody may read any more, so that tests see who does.
func (b *buffer) spoil() {
	for i := range b.data {
		b.data[i] = 0xdb
	}
}
