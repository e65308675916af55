package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

const (
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
)

// retry calls attempt until it succeeds, fails for a reason that stays, has failed as often as may be, or ctx ends.
func retry(ctx context.Context, attempts int, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n >= attempts || !passing(err) {
			return err
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// pause waits before the attempt after the n-th: twice as long each time, and shorter by chance, so that those who
// failed together do not come back together.
func pause(ctx context.Context, n int) error {
	longest := min(firstPause<<min(n-1, 16), longPause)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// passing reports whether the same request may succeed later: the network failed, or the server was busy, or got
// something else than was sent.
func passing(err error) bool {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return !isLocal(err)
	}
	switch answer.Code {
	case "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "InternalError", "SlowDown", "RequestTimeout",
		"RequestTimeTooSkewed", "OperationAborted", "ServiceUnavailable", "Throttling":
		return true
	}
	return answer.StatusCode >= http.StatusInternalServerError && answer.StatusCode != http.StatusNotImplemented ||
		answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout
}

// isLocal reports whether err is no failure of network or server.
func isLocal(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		verify    *tls.CertificateVerificationError
		file      *fs.PathError
	)
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &verify) || errors.As(err, &file) ||
		errors.Is(err, storage.ErrCorrupt) || errors.Is(err, fs.ErrNotExist)
}

// explain puts the server's answer about key into the words of package storage.
func explain(key string, err error) error {
	if err == nil {
		return nil
	}
	switch code(err) {
	case "NoSuchKey", "NotFound":
		return &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist}
	case "ObjectParentIsFile", "XMinioParentIsObject":
		return &storage.KeyError{Key: key, Reason: "lies under another key"}
	case "ExistingObjectIsDirectory", "XMinioObjectExistsAsDirectory":
		return &storage.KeyError{Key: key, Reason: "has other keys under it"}
	case "EntityTooLarge":
		return fmt.Errorf("%s: %w: %w", key, storage.ErrTooLarge, err)
	}
	return err
}

// code returns the S3 error code of err, "" if it is no answer of the server.
func code(err error) string {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}
