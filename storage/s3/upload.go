package s3

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

const (
	// abortGrace is how long Abort lets parts arrive that are on their way, and abortTimeout how long it waits for the
	// server to forget all of them.
	abortGrace   = 2 * time.Second
	abortTimeout = 2 * time.Second
)

// upload is a multipart upload. Its parts are sent by goroutines, which wait and abort wait for.
type upload struct {
	store *Store
	key   string
	id    string
	slots chan struct{}            // one for each part on its way
	held  map[int]minio.ObjectPart // by number, that the server had before

	// Requests for parts outlive the object's ctx: a server may still be writing what it was sent by a request that
	// was cut off, and keep it after the upload was aborted.
	requests context.Context
	cut      context.CancelFunc

	sending sync.WaitGroup
	mu      sync.Mutex
	parts   []minio.CompletePart // guarded by mu
	err     error                // of the first part that failed; guarded by mu
}

// begin begins a multipart upload; one that is returned with an error is to be aborted. Each attempt may leave one that nobody
// knows of, which Sweep finds.
func (s *Store) begin(ctx context.Context, key, commit string, o minio.PutObjectOptions) (*upload, error) {
	o.UserMetadata["X-Amz-Checksum-Algorithm"] = minio.ChecksumCRC64NVME.String()
	o.UserMetadata["X-Amz-Checksum-Type"] = minio.ChecksumFullObjectMode.String()
	u := s.newUpload(ctx, key)
	err := retry(ctx, s.options.Attempts, func() (err error) {
		u.id, err = s.core.NewMultipartUpload(ctx, s.options.Bucket, s.name(key), o)
		return err
	})
	if err != nil {
		u.cut()
		return nil, explain(key, err)
	}
	s.uploads.add(begun{s.name(key), commit}, u.id)
	return u, nil
}

func (s *Store) newUpload(ctx context.Context, key string) *upload {
	u := &upload{store: s, key: key, slots: make(chan struct{}, s.options.PartsAtOnce), held: make(map[int]minio.ObjectPart)}
	u.requests, u.cut = context.WithCancel(context.WithoutCancel(ctx))
	return u
}

// send takes over part and sends it as number n, unless the server has it. It waits until not too many are on their way, and returns
// the error of an earlier one.
func (u *upload) send(ctx context.Context, n int, part *part) error {
	if had := u.held[n]; had.Size == part.size && had.ChecksumCRC64NVME == part.crc64() {
		part.release()
		u.sent(minio.CompletePart{PartNumber: n, ETag: had.ETag, ChecksumCRC64NVME: had.ChecksumCRC64NVME}, nil)
		return nil
	}
	select {
	case u.slots <- struct{}{}:
	case <-ctx.Done():
		part.release()
		return context.Cause(ctx)
	}
	if err := u.failure(); err != nil {
		<-u.slots
		part.release()
		return err
	}
	u.sending.Go(func() {
		sent, err := u.put(ctx, n, part)
		part.release()
		u.sent(sent, err)
		<-u.slots
	})
	return nil
}

// sent notes what became of a part.
func (u *upload) sent(part minio.CompletePart, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = append(u.parts, part)
	if u.err == nil {
		u.err = err
	}
}

func (u *upload) put(ctx context.Context, n int, part *part) (sent minio.CompletePart, err error) {
	s := u.store
	o := minio.PutObjectPartOptions{
		Sha256Hex:            part.sha256(),
		CustomHeader:         http.Header{crcHeader: {part.crc64()}},
		DisableContentSha256: true,
	}
	err = retry(ctx, s.options.Attempts, func() error {
		body := part.body()
		defer body.end()
		got, err := s.core.PutObjectPart(u.requests, s.options.Bucket, s.name(u.key), u.id, n, body, part.size, o)
		if err != nil {
			return err
		}
		if got.ChecksumCRC64NVME != "" && got.ChecksumCRC64NVME != part.crc64() {
			return fmt.Errorf("part %d: the server has CRC-64 %s; want %s: %w", n, got.ChecksumCRC64NVME, part.crc64(),
				storage.ErrCorrupt)
		}
		sent = minio.CompletePart{PartNumber: n, ETag: got.ETag, ChecksumCRC64NVME: got.ChecksumCRC64NVME}
		return nil
	})
	return sent, err
}

// unsummed reports whether the server has told no checksum of some part: it could not be found again by it.
func (u *upload) unsummed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.ContainsFunc(u.parts, func(p minio.CompletePart) bool { return p.ChecksumCRC64NVME == "" })
}

func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// arrived is closed when no part is on its way any more.
func (u *upload) arrived() <-chan struct{} {
	arrived := make(chan struct{})
	go func() {
		u.sending.Wait()
		close(arrived)
	}()
	return arrived
}

// wait waits until every part has been sent.
func (u *upload) wait(ctx context.Context) error {
	select {
	case <-u.arrived():
		return u.failure()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// complete makes the object of the parts, after wait.
func (u *upload) complete(ctx context.Context) (etag string, err error) {
	s := u.store
	slices.SortFunc(u.parts, func(a, b minio.CompletePart) int { return a.PartNumber - b.PartNumber })
	err = retry(ctx, s.options.Attempts, func() error {
		done, err := s.core.CompleteMultipartUpload(ctx, s.options.Bucket, s.name(u.key), u.id, u.parts,
			minio.PutObjectOptions{})
		etag = done.ETag
		return err
	})
	if err != nil {
		return "", err
	}
	s.uploads.remove(u.id)
	return etag, nil
}

// abort has the server forget all parts. No part is sent any more: the object's ctx has ended.
func (u *upload) abort(ctx context.Context) error {
	grace := time.AfterFunc(abortGrace, u.cut)
	<-u.arrived()
	grace.Stop()
	wasCut := u.requests.Err() != nil
	ctx, cancel := context.WithTimeout(ctx, abortTimeout)
	defer cancel()
	if err := u.store.forget(ctx, u.store.name(u.key), u.id); err != nil {
		return fmt.Errorf("abort the upload of %s: %w", u.key, err)
	}
	if wasCut {
		u.store.uploads.suspect(u.store.name(u.key), u.id)
	}
	return nil
}

// forget has the server remove an upload with all its parts.
func (s *Store) forget(ctx context.Context, name, id string) error {
	err := retry(ctx, s.options.Attempts, func() error {
		return s.core.AbortMultipartUpload(ctx, s.options.Bucket, name, id)
	})
	switch code(err) {
	case "NoSuchUpload", "NoSuchKey":
		err = nil
	}
	if err != nil {
		s.uploads.leave(id)
		return err
	}
	s.uploads.remove(id)
	return nil
}
