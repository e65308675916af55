package s3

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// abandonedAfter is how long an upload that is not of this process must have stood still before it counts as abandoned. Of another
// server it may be the only copy of what that has given up of a live stream: each needs a prefix of its own.
const abandonedAfter = time.Hour

// Sweep implements storage.Sweeper. It removes the multipart uploads that this process, or those before it that had
// the same record, have left, and those that the server lists below the prefix and that have stood still for an hour.
func (s *Store) Sweep(ctx context.Context, wanted func(key string) bool) (int, error) {
	spared := func(name string) bool { return wanted(strings.TrimPrefix(name, s.options.Prefix)) }
	swept, err := s.sweepRecorded(ctx, spared)
	listed, listErr := s.sweepListed(ctx, spared, time.Now().Add(-abandonedAfter))
	return swept + listed, errors.Join(err, listErr)
}

func (s *Store) sweepRecorded(ctx context.Context, spared func(name string) bool) (swept int, err error) {
	for id, b := range s.uploads.abandoned() {
		if spared(b.name) {
			continue
		}
		if err := s.sweepOne(ctx, b.name, id); err != nil {
			return swept, err
		}
		swept++
	}
	return swept, nil
}

// sweepListed removes what the server lists and nobody has touched since then.
func (s *Store) sweepListed(ctx context.Context, spared func(name string) bool, then time.Time) (swept int, err error) {
	err = s.listUploads(ctx, func(upload minio.ObjectMultipartInfo) error {
		if spared(upload.Key) {
			return nil
		}
		abandoned, err := s.isAbandoned(ctx, upload, then)
		if !abandoned || err != nil {
			return err
		}
		swept++
		return s.sweepOne(ctx, upload.Key, upload.UploadID)
	})
	return swept, err
}

// Uploads counts the multipart uploads that the server has below the prefix, whoever has begun them.
func (s *Store) Uploads(ctx context.Context) (n int, err error) {
	err = s.listUploads(ctx, func(minio.ObjectMultipartInfo) error {
		n++
		return nil
	})
	return n, err
}

// listUploads calls fn for each of them. An error of fn ends the list and is returned.
func (s *Store) listUploads(ctx context.Context, fn func(minio.ObjectMultipartInfo) error) error {
	keyMarker, idMarker := "", ""
	for {
		var page minio.ListMultipartUploadsResult
		err := retry(ctx, s.options.Attempts, func() (err error) {
			page, err = s.core.ListMultipartUploads(ctx, s.options.Bucket, s.options.Prefix, keyMarker, idMarker, "", 1000)
			return err
		})
		if err != nil {
			return err
		}
		for _, upload := range page.Uploads {
			if !strings.HasPrefix(upload.Key, s.options.Prefix) {
				continue
			}
			if err := fn(upload); err != nil {
				return err
			}
		}
		if !page.IsTruncated {
			return nil
		}
		keyMarker, idMarker = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func (s *Store) isAbandoned(ctx context.Context, upload minio.ObjectMultipartInfo, then time.Time) (bool, error) {
	if s.uploads.isOpen(upload.UploadID) || upload.Initiated.After(then) {
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
	err = s.listParts(ctx, name, id, func(part minio.ObjectPart) {
		if part.LastModified.After(newest) {
			newest = part.LastModified
		}
	})
	return newest, err
}

// listParts calls fn for the parts of an upload that the server has, by their numbers.
func (s *Store) listParts(ctx context.Context, name, id string, fn func(minio.ObjectPart)) error {
	for marker := 0; ; {
		var page minio.ListObjectPartsResult
		err := retry(ctx, s.options.Attempts, func() (err error) {
			page, err = s.core.ListObjectParts(ctx, s.options.Bucket, name, id, marker, 1000)
			return err
		})
		if err != nil {
			return err
		}
		for _, part := range page.ObjectParts {
			fn(part)
		}
		if !page.IsTruncated {
			return nil
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
