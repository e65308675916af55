package spool

import (
	"errors"
	"testing"
	"testing/synctest"
)

func TestCallsDuringARunShareTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group
		runs := 0
		goOn := make(chan error)
		run := func() error {
			runs++
			return <-goOn
		}
		results := make(chan error, 100)
		call := func() { results <- g.do(run) }

		go call()
		synctest.Wait() // the first is running
		for range 99 {
			go call()
		}
		synctest.Wait()
		goOn <- nil
		if err := <-results; err != nil {
			t.Errorf("first run = %v", err)
		}
		synctest.Wait()
		if len(results) > 0 {
			t.Errorf("%d calls ended with a run that began before them", len(results))
		}
		broken := errors.New("broken")
		goOn <- broken
		for range 99 {
			if err := <-results; err != broken {
				t.Errorf("second run = %v; want %v", err, broken)
			}
		}
		if runs != 2 {
			t.Errorf("%d runs; want 2", runs)
		}
	})
}
