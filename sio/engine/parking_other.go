//go:build !linux

package engine

// parking takes nothing: waiting without a goroutine is done on Linux only.
type parking struct{}

func (parking) park(*Session, *carrier) bool { return false }
func (parking) wake(uint64)                  {}
