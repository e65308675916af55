package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/minio/minio-go/v7"

	"sluice/storage"
)

// growBytes is how much is read at once of what grows.
const growBytes = 256 << 10

// growth is an object whose bytes are kept elsewhere until the server has them: a part is in memory only while it is read and sent.
type growth struct {
	*writer
	src    io.ReaderAt
	done   *storage.Info // the object, which an earlier process has completed
	asked  bool          // whether the server lists checksums of parts
	listed bool          // it does
}

// GrowFrom implements storage.Grower.
func (s *Store) GrowFrom() int64 { return s.options.PartBytes }

// mark is what is needed to go on with an upload whose first parts nobody else has any more.
type mark struct {
	ID     string `json:"id"`
	Commit string `json:"commit"`
	Parts  int    `json:"parts"`
	Bytes  int64  `json:"bytes"` // of the parts
	CRC    string `json:"crc"`   // of them together
}

// Grow implements storage.Grower. The parts of an earlier upload count once src has been found to hold the same, or if the mark
// speaks of them.
func (s *Store) Grow(ctx context.Context, key string, src io.ReaderAt, text []byte, o storage.Options) (storage.Growth, error) {
	var m mark
	if err := json.Unmarshal(text, &m); text != nil && err != nil {
		return nil, fmt.Errorf("mark of %s: %w", key, err)
	}
	w, err := s.create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	g := &growth{writer: w, src: src}
	if id, commit := s.uploads.claim(s.name(key), m); id != "" {
		if err := g.resume(id, commit, m); err != nil {
			g.close()
			return nil, fmt.Errorf("go on with the upload of %s: %w", key, err)
		}
	}
	return g, nil
}

// resume takes an upload over, unless the server has it no more, and cuts on as it was cut.
func (g *growth) resume(id, commit string, m mark) error {
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
		if id == m.ID {
			g.skip(m)
		}
		return nil
	case code(err) == "NoSuchUpload":
		u.cut()
		s.uploads.remove(id)
		return g.completed(commit)
	}
	u.cut()
	s.uploads.leave(id)
	return err
}

// completed looks for the object: the answer that the upload was completed may have been lost, or who was to hear it.
func (g *growth) completed(commit string) error {
	object, err := g.store.stat(g.ctx, g.key)
	switch {
	case err == nil && commit != "" && commitOf(object) == commit:
		info := g.store.info(g.key, object)
		g.done = &info
	case err != nil && !errors.Is(explain(g.key, err), fs.ErrNotExist):
		return err
	}
	return nil
}

// list finds out whether the server lists checksums of parts, without which nobody could go on from a mark.
func (g *growth) list() {
	if g.asked || g.number == 0 {
		return
	}
	first := ""
	err := g.store.listParts(g.ctx, g.store.name(g.key), g.upload.id, func(part minio.ObjectPart) {
		if part.PartNumber == 1 {
			first = part.ChecksumCRC64NVME
		}
	})
	g.asked, g.listed = err == nil, first != ""
}

// skip goes to where the mark was set, if the server has all that was there then.
func (g *growth) skip(m mark) {
	var (
		sum   joined
		parts []minio.CompletePart
	)
	for n := 1; n <= m.Parts; n++ {
		part, ok := g.upload.held[n]
		if !ok || sum.add(part.Size, part.ChecksumCRC64NVME) != nil {
			return
		}
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: part.ETag, ChecksumCRC64NVME: part.ChecksumCRC64NVME})
	}
	if sum.size == m.Bytes && sum.crc == m.CRC {
		g.upload.parts, g.number, g.written, g.sum = parts, m.Parts, m.Bytes, sum
		g.asked, g.listed = m.Parts > 0, m.Parts > 0
	}
}

// Mark implements storage.Growth.
func (g *growth) Mark() (int64, []byte) {
	if g.upload == nil || !g.listed || g.upload.unsummed() {
		return 0, nil
	}
	text, err := json.Marshal(mark{ID: g.upload.id, Commit: g.commit, Parts: g.number, Bytes: g.sum.size, CRC: g.sum.crc})
	if err != nil {
		panic(err) // of strings and numbers
	}
	return g.sum.size, text
}

// Next implements storage.Growth.
func (g *growth) Next() int64 {
	part := g.plan.size(g.number + 1)
	next := g.written + part
	switch last := g.options.Size; {
	case g.done != nil, part == 0, last >= 0 && next >= last:
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
		if err := g.upload.wait(g.ctx); err != nil {
			return err
		}
		g.list()
		return nil
	})
}

// Commit implements storage.Growth.
func (g *growth) Commit(ctx context.Context, size int64) (info storage.Info, err error) {
	err = g.during(ctx, func() error {
		if g.done != nil {
			if info = *g.done; info.Size != size {
				return &storage.SizeError{Key: g.key, Promised: size, Written: info.Size}
			}
			return nil
		}
		if g.written > size {
			return &storage.SizeError{Key: g.key, Promised: size, Written: g.written}
		}
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
	if g.options.Size >= 0 && to > g.options.Size {
		return g.sizeError(to)
	}
	for g.written < to {
		if err := g.makeRoom(); err != nil {
			return err
		}
		n := min(growBytes, to-g.written, g.part.limit-g.part.size)
		if _, err := g.part.fillFrom(g.src, g.written, int(n)); err != nil {
			return fmt.Errorf("read at %d: %w", g.written, err)
		}
		g.written += n
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
