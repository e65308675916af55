package load

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestConnectTriesAgainAndCountsWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		failed, err := connect(t.Context(), func(ctx context.Context) error {
			if tries++; tries == 3 {
				return nil
			}
			<-ctx.Done() // no answer
			return ctx.Err()
		})
		if failed != 2 || err != nil {
			t.Errorf("connect = %d, %v; want 2, nil", failed, err)
		}
	})
}

func TestConnectGivesUp(t *testing.T) {
	refused := errors.New("refused")
	failed, err := connect(t.Context(), func(context.Context) error { return refused })
	if failed != connectTries || !errors.Is(err, refused) {
		t.Errorf("connect = %d, %v; want %d, %v", failed, err, connectTries, refused)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	_, err = connect(ctx, func(context.Context) error {
		tries++
		cancel()
		return refused
	})
	if tries != 1 || err == nil {
		t.Errorf("%d tries, %v after the caller gave up; want one and an error", tries, err)
	}
}
