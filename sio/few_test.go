package sio

import (
	"maps"
	"math/rand/v2"
	"testing"
)

func TestFewAreWhatAMapIs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var few few[int, int]
		want := make(map[int]int)
		for range 30 {
			key, value := 1+random.IntN(3), random.Int()
			if random.IntN(2) == 0 {
				few.put(key, value)
				want[key] = value
			} else {
				few.remove(key)
				delete(want, key)
			}
			if got := maps.Collect(few.all()); !maps.Equal(got, want) || few.len() != len(want) {
				t.Fatalf("it has %v, %d; want %v", got, few.len(), want)
			}
			for key := range 4 {
				if _, ok := want[key]; few.get(key) != want[key] || few.has(key) != ok {
					t.Fatalf("of %v, get(%d) = %d, %v", want, key, few.get(key), few.has(key))
				}
			}
		}
	}
}
