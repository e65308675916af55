// Package storagetest is the suite that every storage.Store passes.
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Store { return open(t) })
//	}
package storagetest
