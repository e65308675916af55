package sio

import "iter"

// few is a map that mostly has one entry, and needs no memory but its own for that. Its zero value is empty. The zero key cannot
// be in it.
type few[K comparable, V any] struct {
	more  map[K]V // nil until there is a second entry, then all
	key   K       // else the entry
	value V
}

func (f *few[K, V]) get(key K) V {
	if f.more != nil || key != f.key {
		return f.more[key]
	}
	return f.value
}

func (f *few[K, V]) has(key K) bool {
	if f.more == nil {
		var none K
		return key == f.key && key != none
	}
	_, ok := f.more[key]
	return ok
}

func (f *few[K, V]) len() int {
	var none K
	if f.more == nil && f.key != none {
		return 1
	}
	return len(f.more)
}

func (f *few[K, V]) put(key K, value V) {
	switch {
	case f.more != nil:
		f.more[key] = value
	case f.len() == 0 || f.key == key:
		f.key, f.value = key, value
	default:
		*f = few[K, V]{more: map[K]V{f.key: f.value, key: value}}
	}
}

func (f *few[K, V]) remove(key K) {
	if f.more == nil && f.key == key {
		*f = few[K, V]{}
	}
	delete(f.more, key)
}

// all yields the entries in no order.
func (f *few[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if f.more == nil && f.len() == 1 {
			yield(f.key, f.value)
		}
		for key, value := range f.more {
			if !yield(key, value) {
				return
			}
		}
	}
}
