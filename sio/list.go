package sio

import (
	"iter"
	"sync/atomic"
)

// list is added to rarely and read often: reading takes no lock.
type list[T any] struct {
	items atomic.Pointer[[]T]
}

func (l *list[T]) add(item T) {
	for {
		old := l.items.Load()
		var grown []T
		if old != nil {
			grown = append(grown, *old...)
		}
		grown = append(grown, item)
		if l.items.CompareAndSwap(old, &grown) {
			return
		}
	}
}

// all returns the items in the order of adding.
func (l *list[T]) all() []T {
	if items := l.items.Load(); items != nil {
		return *items
	}
	return nil
}

// inherited yields the items of a list that namespaces have: those of ns's parent, if there is one, then its own.
func inherited[T any](ns *Namespace, of func(*Namespace) *list[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		if ns.parent != nil {
			for _, item := range of(ns.parent).all() {
				if !yield(item) {
					return
				}
			}
		}
		for _, item := range of(ns).all() {
			if !yield(item) {
				return
			}
		}
	}
}

// slot is set rarely and read often.
type slot[T any] struct {
	item atomic.Pointer[T]
}

func (s *slot[T]) set(item T) { s.item.Store(&item) }

// inheritedOne returns what is in ns's own slot, else in that of its parent, else nothing.
func inheritedOne[T any](ns *Namespace, of func(*Namespace) *slot[T]) (item T) {
	for ; ns != nil; ns = ns.parent {
		if set := of(ns).item.Load(); set != nil {
			return *set
		}
	}
	return item
}
