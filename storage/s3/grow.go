package s3

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

// growBytes is how much is read at once of what grows.
const growBytes = 256 << 10

// growth is an object whose bytes are kept elsewhere until the server has them: a part is in memory only while it is read and sent.
type growth struct {
	*writer
	src io.ReaderAt
}

// GrowFrom implements storage.Grower.
func (s *Store) GrowFrom() int64 { return s.options.PartBytes }

// Grow implements storage.Grower. The parts of an earlier upload count once src has been found to hold the same.
func (s *Store) Grow(ctx context.Context, key string, src io.ReaderAt, o storage.Options) (storage.Growth, error) {
	w, err := s.create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	g := &growth{w, src}
	if id, commit := s.uploads.claim(s.name(key)); id != "" {
		if err := g.resume(id, commit); err != nil {
			g.close()
			return nil, fmt.Errorf("go on with the upload of %s: %w", key, err)
		}
	}
	return g, nil
}

// resume takes an upload over, unless the server has it no more, and cuts on as it was cut.
func (g *growth) resume(id, commit string) error {
	s := g.store
	u := s.newUpload(g.ctx, g.key)
	u.id = id
	err := s.listParts(g.ctx, s.name(g.key), id, func(part minio.ObjectPart) { u.held[part.PartNumber] = part })
	switch {
	case err == nil:
		g.commit, g.upload = commit, u
		if part := u.held[1].Size; part >= MinPartBytes && part*int64(g.plan.parts) >= max(g.options.Size, g.options.Most) {
			g.plan.part, g.plan.equal = part, true
		}
		return nil
	case code(err) == "NoSuchUpload":
		u.cut()
		return s.uploads.remove(id)
	}
	u.cut()
	s.uploads.leave(id)
	return err
}

// Next implements storage.Growth.
func (g *growth) Next() int64 {
	part := g.plan.size(g.number + 1)
	next := g.written + part
	switch last := g.options.Size; {
	case part == 0, last >= 0 && next >= last:
		return math.MaxInt64 // Commit sends the last part, and says if there can be none
	}
	return next
}

// Send implements storage.Growth.
func (g *growth) Send(ctx context.Context, size int64) error {
	return g.during(ctx, func() error {
		for next := g.Next(); next <= size; next = g.Next() {
			if err := g.fill(next); err != nil {
				return err
			}
			if err := g.sendPart(); err != nil {
				return err
			}
		}
		if g.upload == nil {
			return nil
		}
		return g.upload.wait(g.ctx)
	})
}

// Commit implements storage.Growth.
func (g *growth) Commit(ctx context.Context, size int64) (info storage.Info, err error) {
	err = g.during(ctx, func() error {
		if err := g.fill(size); err != nil {
			return err
		}
		info, err = g.finish(ctx)
		return err
	})
	if err == nil {
		g.close()
	}
	return info, err
}

// during calls f, while ctx lives. After an error the growth is over.
func (g *growth) during(ctx context.Context, f func() error) error {
	stop := context.AfterFunc(ctx, func() { g.cancel(context.Cause(ctx)) })
	defer stop()
	err := context.Cause(ctx)
	if err == nil {
		err = f()
	}
	if err != nil {
		g.Leave()
		return fmt.Errorf("%s: %w", g.key, explain(g.key, err))
	}
	return nil
}

// fill writes what src has up to an offset.
func (g *growth) fill(to int64) error {
	buf := make([]byte, min(growBytes, to-g.written))
	for g.written < to {
		p := buf[:min(int64(len(buf)), to-g.written)]
		if n, err := g.src.ReadAt(p, g.written); n < len(p) {
			return fmt.Errorf("read at %d: %w", g.written+int64(n), err)
		}
		if _, err := g.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// Leave implements storage.Growth. The parts on their way are cut off: what of them arrives is what a later one sends in their place.
func (g *growth) Leave() {
	if g.over {
		return
	}
	g.cancel(context.Canceled)
	if g.upload != nil {
		g.upload.cut()
		<-g.upload.arrived()
		g.store.uploads.leave(g.upload.id)
	}
	g.close()
}
