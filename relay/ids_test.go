package relay

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
)

func TestIdsSortInTheOrderOfTheirMaking(t *testing.T) {
	var made ids
	now := time.Now()
	var last ulid.ULID
	for i := range 200_000 { // more than there is room for in a millisecond
		if i == 150_000 {
			now = now.Add(-time.Hour)
		}
		id, err := made.next(now)
		if err != nil {
			t.Fatal(err)
		}
		if id.Compare(last) <= 0 {
			t.Fatalf("id %d is %v, after %v", i, id, last)
		}
		last = id
	}
	if ahead := ulid.Time(last.Time()).Sub(now.Add(time.Hour)); ahead > 20*time.Millisecond {
		t.Errorf("the ids are %v ahead of the clock", ahead)
	}
}

func TestIdsOfAMillisecondAreNotNeighbours(t *testing.T) {
	var made ids
	now := time.Now()
	first, _ := made.next(now)
	second, err := made.next(now)
	if err != nil {
		t.Fatal(err)
	}
	if [8]byte(first[:8]) == [8]byte(second[:8]) && [3]byte(first[8:11]) == [3]byte(second[8:11]) {
		t.Errorf("%v and %v differ in their last 40 bits only", first, second)
	}
}
