package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"sluice/storage"
)

// commitMeta is the metadata that names the commit an object is of. It is not shown.
const commitMeta = "sluice-commit"

// Store keeps objects in a bucket. It implements storage.Store, storage.Grower and storage.Sweeper.
type Store struct {
	options   Options
	core      minio.Core
	transport http.RoundTripper
	parts     *parts
	uploads   *uploads
}

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Grower  = (*Store)(nil)
	_ storage.Sweeper = (*Store)(nil)
)

// Open returns the store that o describes. It asks nothing of the server: see Check.
func Open(o Options) (*Store, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	keys, err := o.keys()
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		if o.Transport, err = newTransport(o); err != nil {
			return nil, err
		}
	}
	core, err := minio.NewCore(o.Endpoint, &minio.Options{
		Creds:        credentials.NewStaticV4(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
		Secure:       !o.Insecure,
		Transport:    o.Transport,
		Region:       o.region(),
		BucketLookup: o.lookup(),
		MaxRetries:   1, // retry is ours
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	uploads, err := openUploads(o.Record, o.Logger)
	if err != nil {
		return nil, err
	}
	return &Store{options: o, core: *core, transport: o.Transport, parts: newParts(o), uploads: uploads}, nil
}

func (o Options) keys() (credentials.Value, error) {
	keys := credentials.Value{AccessKeyID: o.AccessKey, SecretAccessKey: o.SecretKey, SessionToken: o.SessionToken}
	if keys.AccessKeyID == "" {
		keys = credentials.Value{
			AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
		}
	}
	if keys.AccessKeyID == "" || keys.SecretAccessKey == "" {
		return keys, errors.New("s3: no keys: neither the address nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have them")
	}
	return keys, nil
}

func (o Options) region() string {
	if o.Region == "" && !strings.Contains(o.Endpoint, "amazonaws.com") {
		return defaultRegion
	}
	return o.Region
}

func (o Options) lookup() minio.BucketLookupType {
	switch {
	case o.PathStyle == nil:
		return minio.BucketLookupAuto
	case *o.PathStyle:
		return minio.BucketLookupPath
	}
	return minio.BucketLookupDNS
}

// Check asks the server whether the bucket is there and the keys open it.
func (s *Store) Check(ctx context.Context) error {
	found, err := s.core.BucketExists(ctx, s.options.Bucket)
	if err == nil && !found {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return fmt.Errorf("%v: %w", s.options, err)
	}
	return nil
}

// Close lets go of idle connections and of the record. Whoever still writes or reads must have ended.
func (s *Store) Close() error {
	if t, ok := s.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return s.uploads.close()
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, key string) (storage.Info, error) {
	object, err := s.stat(ctx, key)
	return s.info(key, object), err
}

func (s *Store) stat(ctx context.Context, key string) (minio.ObjectInfo, error) {
	var object minio.ObjectInfo
	err := check(ctx, key)
	if err == nil {
		err = retry(ctx, s.options.Attempts, func() (err error) {
			object, err = s.core.StatObject(ctx, s.options.Bucket, s.name(key), minio.StatObjectOptions{Checksum: true})
			return err
		})
	}
	if err != nil {
		return minio.ObjectInfo{}, explain(key, err)
	}
	return object, nil
}

// Open implements storage.Store. What breaks off is taken up again where it was, as long as the object is the same.
func (s *Store) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, storage.Info, error) {
	if err := check(ctx, key); err != nil {
		return nil, storage.Info{}, err
	}
	if offset < 0 || length == 0 {
		return s.openNothing(ctx, key, offset)
	}
	r := &reader{store: s, ctx: ctx, key: key, offset: offset, length: length}
	err := retry(ctx, s.options.Attempts, r.open)
	if code(err) == "InvalidRange" {
		return s.openNothing(ctx, key, offset)
	}
	if err != nil {
		return nil, storage.Info{}, explain(key, err)
	}
	return r, r.info, nil
}

// openNothing answers for the ranges that have no bytes, or cannot be.
func (s *Store) openNothing(ctx context.Context, key string, offset int64) (io.ReadCloser, storage.Info, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, storage.Info{}, err
	}
	if _, err := info.Range(offset, 0); err != nil {
		return nil, info, err
	}
	return http.NoBody, info, nil
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	err := retry(ctx, s.options.Attempts, func() error {
		return s.core.RemoveObject(ctx, s.options.Bucket, s.name(key), minio.RemoveObjectOptions{})
	})
	switch code(err) {
	case "NoSuchKey", "NotFound", "ObjectParentIsFile":
		return nil
	}
	return err
}

// name is what key is called in the bucket.
func (s *Store) name(key string) string { return s.options.Prefix + key }

// info puts what the server says of an object into the words of package storage.
func (s *Store) info(key string, object minio.ObjectInfo) storage.Info {
	if object.ETag == "" {
		return storage.Info{}
	}
	info := storage.Info{
		Key: key, Size: object.Size, Type: object.ContentType, ModTime: object.LastModified.UTC(), ETag: object.ETag,
	}
	for name, value := range object.UserMetadata {
		name = strings.ToLower(name)
		if name == commitMeta {
			continue
		}
		if info.Meta == nil {
			info.Meta = make(map[string]string)
		}
		info.Meta[name] = storage.UnescapeMeta(value)
	}
	return info
}

func check(ctx context.Context, key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}
