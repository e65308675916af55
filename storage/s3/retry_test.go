package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minio/minio-go/v7"
)

var busy = minio.ErrorResponse{Code: "SlowDown", StatusCode: 503}

func TestAPassingFailureIsRetriedWithLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, calls := time.Now(), 0
		err := retry(t.Context(), 6, func() error {
			calls++
			if calls < 6 {
				return fmt.Errorf("put: %w", busy)
			}
			return nil
		})
		if err != nil || calls != 6 {
			t.Errorf("retry() = %v after %d calls; want nil after 6", err, calls)
		}
		// 100 + 200 + 400 + 800 + 1600 ms, each shortened by up to a half.
		if took := time.Since(begin); took < 1550*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("took %v; want 1.55 to 3.1 s", took)
		}
	})
}

func TestRetryEndsWithTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		err := retry(t.Context(), 3, func() error { calls++; return io.ErrUnexpectedEOF })
		if !errors.Is(err, io.ErrUnexpectedEOF) || calls != 3 {
			t.Errorf("retry() = %v after %d calls; want the error after 3", err, calls)
		}
	})
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		err := retry(ctx, 1000, func() error { return busy })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 10*time.Second {
			t.Errorf("retry() = %v after %v; want the deadline", err, time.Since(begin))
		}
	})
}

func TestWhatWillNotChangeIsNotRetried(t *testing.T) {
	for _, err := range []error{
		minio.ErrorResponse{Code: "AccessDenied", StatusCode: 403},
		minio.ErrorResponse{Code: "NoSuchUpload", StatusCode: 404},
		minio.ErrorResponse{Code: "NotImplemented", StatusCode: 501},
		x509.UnknownAuthorityError{},
	} {
		calls := 0
		got := retry(t.Context(), 5, func() error { calls++; return err })
		if got != err || calls != 1 {
			t.Errorf("retry() = %v after %d calls; want %v at once", got, calls, err)
		}
	}
}
