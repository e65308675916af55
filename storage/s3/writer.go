package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

// crcHeader carries the CRC-64/NVME, of a part or of an object, in base64.
const crcHeader = "X-Amz-Checksum-Crc64nvme"

// writer is one object before its commit. It collects a part, and sends it when the next byte comes: so what turns out
// to be one part only goes by one request.
type writer struct {
	store   *Store
	ctx     context.Context // the object's own life
	cancel  context.CancelCauseFunc
	key     string
	options storage.Options
	commit  string // names this commit among all of the key
	plan    plan

	part    *part   // being filled; nil before its first byte
	number  int     // of part
	upload  *upload // nil while one part has held it all
	written int64
	sum     joined // of the parts that were sent
	over    bool
}

// Create implements storage.Store. A writer that is not written to holds its part's share of MemoryBytes.
func (s *Store) Create(ctx context.Context, key string, o storage.Options) (storage.Writer, error) {
	w, err := s.create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (s *Store) create(ctx context.Context, key string, o storage.Options) (*writer, error) {
	if err := errors.Join(check(ctx, key), o.Check()); err != nil {
		return nil, err
	}
	plan, err := newPlan(s.options, o.Size, o.Most)
	if err != nil {
		return nil, err
	}
	w := &writer{store: s, key: key, options: o, commit: rand.Text(), plan: plan}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	return w, nil
}

func (w *writer) Write(p []byte) (int, error) {
	if w.over {
		return 0, fs.ErrClosed
	}
	if promised := w.options.Size; promised >= 0 && w.written+int64(len(p)) > promised {
		return 0, w.sizeError(w.written + int64(len(p)))
	}
	n := 0
	for n < len(p) {
		if err := w.makeRoom(); err != nil {
			return n, err
		}
		filled, err := w.part.fill(p[n:])
		w.written += int64(filled)
		n += filled
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// makeRoom makes sure that the part can take a byte.
func (w *writer) makeRoom() error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if w.part != nil && !w.part.full() {
		return nil
	}
	if err := w.sendPart(); err != nil {
		return err
	}
	return w.nextPart()
}

func (w *writer) nextPart() error {
	size := w.plan.size(w.number + 1)
	if size == 0 {
		return fmt.Errorf("%s: %d parts of an object are not enough: %w", w.key, w.number, storage.ErrTooLarge)
	}
	if rest := w.options.Size - w.written; rest > 0 && rest < size {
		size = rest // no memory for what does not come
	}
	part, err := w.store.parts.get(w.ctx, size)
	if err != nil {
		return err
	}
	w.part = part
	w.number++
	return nil
}

// sendPart gives the part, if there is one, to the upload.
func (w *writer) sendPart() error {
	if w.part == nil {
		return nil
	}
	if w.upload == nil {
		var err error
		if w.upload, err = w.store.begin(w.ctx, w.key, w.commit, w.header()); err != nil {
			return err
		}
	}
	part := w.part
	w.part = nil
	if err := w.sum.add(part.size, part.crc64()); err != nil {
		part.release()
		return err
	}
	return w.upload.send(w.ctx, w.number, part)
}

// header says what goes with the object.
func (w *writer) header() minio.PutObjectOptions {
	meta := map[string]string{"X-Amz-Meta-" + commitMeta: w.commit}
	for name, value := range w.options.Meta {
		meta["X-Amz-Meta-"+name] = storage.EscapeMeta(value)
	}
	encryption, _ := w.store.options.encryption() // Open has checked it
	o := minio.PutObjectOptions{
		ContentType:          w.options.TypeOrDefault(),
		UserMetadata:         meta,
		UserTags:             w.store.options.Tags,
		ServerSideEncryption: encryption,
		DisableContentSha256: true, // the signed SHA-256 is given; no signature per chunk
	}
	if w.written >= classBytes {
		o.StorageClass = w.store.options.StorageClass
	}
	return o
}

// classBytes is the size from which on an object is of Options.StorageClass: the classes for what is seldom read charge for as much.
const classBytes = 128 << 10

// Commit implements storage.Writer. The upload that it has begun is removed when it fails.
func (w *writer) Commit(ctx context.Context) (storage.Info, error) {
	if w.over {
		return storage.Info{}, fs.ErrClosed
	}
	// From here on the object lives no longer than ctx, either.
	stop := context.AfterFunc(ctx, func() { w.cancel(ctx.Err()) })
	defer stop()
	info, err := w.finish(ctx)
	if err != nil {
		return storage.Info{}, fmt.Errorf("commit %s: %w", w.key, errors.Join(explain(w.key, err), w.Abort()))
	}
	w.close()
	return info, nil
}

func (w *writer) finish(ctx context.Context) (storage.Info, error) {
	switch {
	case w.ctx.Err() != nil:
		return storage.Info{}, context.Cause(w.ctx)
	case ctx.Err() != nil:
		return storage.Info{}, ctx.Err()
	case w.options.Size >= 0 && w.written != w.options.Size:
		return storage.Info{}, w.sizeError(w.written)
	}
	etag, err := w.send()
	if err != nil {
		return storage.Info{}, err
	}
	return w.verify(etag)
}

// send makes the object visible and returns the ETag that the server gave it.
func (w *writer) send() (etag string, err error) {
	if w.upload == nil {
		return w.put()
	}
	if err := w.sendPart(); err != nil {
		return "", err
	}
	if err := w.upload.wait(w.ctx); err != nil {
		return "", err
	}
	return w.complete()
}

// put sends an object of one part.
func (w *writer) put() (etag string, err error) {
	if w.part == nil {
		if w.part, err = w.store.parts.get(w.ctx, 0); err != nil {
			return "", err
		}
	}
	o := w.header()
	o.UserMetadata[crcHeader] = w.part.crc64()
	w.sum = joined{w.part.size, w.part.crc64()}
	s := w.store
	err = retry(w.ctx, s.options.Attempts, func() error {
		body := w.part.body()
		defer body.end()
		sent, err := s.core.PutObject(w.ctx, s.options.Bucket, s.name(w.key), body, w.part.size, "", w.part.sha256(), o)
		etag = sent.ETag
		return err
	})
	return etag, err
}

// complete joins the parts. If the answer was lost, the upload is gone when it is asked for again, and the object
// tells by its commit whether it was joined.
func (w *writer) complete() (etag string, err error) {
	etag, err = w.upload.complete(w.ctx)
	if err == nil || w.ctx.Err() != nil || code(err) != "NoSuchUpload" {
		return etag, err
	}
	object, statErr := w.store.stat(w.ctx, w.key)
	if statErr != nil || commitOf(object) != w.commit {
		return "", errors.Join(err, statErr)
	}
	return object.ETag, nil
}

// verify compares what the server holds with what was written, once more if it differs: while another commit replaces the object,
// a server that keeps objects as files may answer with the commit of one and the checksum of the other.
func (w *writer) verify(etag string) (storage.Info, error) {
	info, err := w.compare(etag)
	if errors.Is(err, storage.ErrCorrupt) {
		info, err = w.compare(etag)
	}
	return info, err
}

func (w *writer) compare(etag string) (storage.Info, error) {
	object, err := w.store.stat(w.ctx, w.key)
	if err != nil {
		return storage.Info{}, err
	}
	if commitOf(object) != w.commit {
		// Another commit of the key came right after.
		return storage.Info{Key: w.key, Size: w.written, Type: w.options.TypeOrDefault(), Meta: w.options.Meta,
			ModTime: object.LastModified.UTC(), ETag: etag}, nil
	}
	full := object.ChecksumMode != minio.ChecksumCompositeMode.String()
	switch {
	case object.Size != w.written:
		err = fmt.Errorf("the server has %d bytes of %d: %w", object.Size, w.written, storage.ErrCorrupt)
	case full && object.ChecksumCRC64NVME != "" && object.ChecksumCRC64NVME != w.sum.crc:
		err = fmt.Errorf("the server has CRC-64 %s; want %s: %w", object.ChecksumCRC64NVME, w.sum.crc, storage.ErrCorrupt)
	}
	return w.store.info(w.key, object), err
}

func commitOf(object minio.ObjectInfo) string {
	for name, value := range object.UserMetadata {
		if strings.EqualFold(name, commitMeta) {
			return value
		}
	}
	return ""
}

// Abort implements storage.Writer. It waits for parts on their way and for the server to forget the upload, a few
// seconds at most; what it does not forget is left to Sweep.
func (w *writer) Abort() error {
	if w.over {
		return nil
	}
	w.cancel(context.Canceled)
	var err error
	if w.upload != nil {
		err = w.upload.abort(context.WithoutCancel(w.ctx))
	}
	w.close()
	return err
}

func (w *writer) close() {
	w.over = true
	w.cancel(fs.ErrClosed)
	if w.upload != nil {
		w.upload.cut()
	}
	if w.part != nil {
		w.part.release()
		w.part = nil
	}
}

func (w *writer) sizeError(written int64) error {
	return &storage.SizeError{Key: w.key, Promised: w.options.Size, Written: written}
}
