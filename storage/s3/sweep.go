package s3

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// abandonedAfter is how long an upload of another process must have stood still before it counts as abandoned. If it
// was not, its writer finds it gone and fails.
const abandonedAfter = time.Hour

// Sweep implements storage.Sweeper. It removes the multipart uploads that this process, or those before it that had
// the same record, have left, and those that the server lists below the prefix and that have stood still for an hour.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	swept, err := s.sweepRecorded(ctx)
	listed, listErr := s.sweepListed(ctx, time.Now().Add(-abandonedAfter))
	return swept + listed, errors.Join(err, listErr)
}

func (s *Store) sweepRecorded(ctx context.Context) (swept int, err error) {
	for id, name := range s.uploads.abandoned() {
		if err := s.sweepOne(ctx, name, id); err != nil {
			return swept, err
		}
		swept++
	}
	return swept, nil
}

// sweepListed removes what the server lists and nobody has touched since then.
func (s *Store) sweepListed(ctx context.Context, then time.Time) (swept int, err error) {
	keyMarker, idMarker := "", ""
	for {
		var page minio.ListMultipartUploadsResult
		err := retry(ctx, s.options.Attempts, func() (err error) {
			page, err = s.core.ListMultipartUploads(ctx, s.options.Bucket, s.options.Prefix, keyMarker, idMarker, "", 1000)
			return err
		})
		if err != nil {
			return swept, err
		}
		for _, upload := range page.Uploads {
			abandoned, err := s.isAbandoned(ctx, upload, then)
			if abandoned {
				err = s.sweepOne(ctx, upload.Key, upload.UploadID)
			}
			if err != nil {
				return swept, err
			}
			if abandoned {
				swept++
			}
		}
		if !page.IsTruncated {
			return swept, nil
		}
		keyMarker, idMarker = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func (s *Store) isAbandoned(ctx context.Context, upload minio.ObjectMultipartInfo, then time.Time) (bool, error) {
	if !strings.HasPrefix(upload.Key, s.options.Prefix) || s.uploads.isOpen(upload.UploadID) ||
		upload.Initiated.After(then) {
		return false, nil
	}
	touched, err := s.lastPart(ctx, upload.Key, upload.UploadID)
	if code(err) == "NoSuchUpload" {
		return false, nil // over meanwhile
	}
	return touched.Before(then), err
}

// lastPart returns when the newest part of an upload came; the zero time if none has.
func (s *Store) lastPart(ctx context.Context, name, id string) (newest time.Time, err error) {
	for marker := 0; ; {
		var page minio.ListObjectPartsResult
		err := retry(ctx, s.options.Attempts, func() (err error) {
			page, err = s.core.ListObjectParts(ctx, s.options.Bucket, name, id, marker, 1000)
			return err
		})
		if err != nil {
			return newest, err
		}
		for _, part := range page.ObjectParts {
			if part.LastModified.After(newest) {
				newest = part.LastModified
			}
		}
		if !page.IsTruncated {
			return newest, nil
		}
		marker = page.NextPartNumberMarker
	}
}

func (s *Store) sweepOne(ctx context.Context, name, id string) error {
	if err := s.forget(ctx, name, id); err != nil {
		return err
	}
	s.options.Logger.Info("abandoned upload removed", "object", name, "upload", id)
	return nil
}
