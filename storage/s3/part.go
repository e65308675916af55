package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/semaphore"
)

// firstBytes is how much memory a part begins with when its size is not known: most objects are small.
const firstBytes = 64 << 10

// parts hands out parts and bounds the memory of all of them together.
type parts struct {
	share  *semaphore.Weighted // of the memory
	total  int64               // of share
	memory memory
	folder string // for parts too large for memory
	signed bool   // the server is to be told a part's SHA-256
}

func newParts(o Options) *parts {
	return &parts{
		share:  semaphore.NewWeighted(o.MemoryBytes),
		total:  o.MemoryBytes,
		memory: memory{size: int(min(o.PartBytes, maxMemoryPartBytes))},
		folder: o.TempFolder,
		signed: o.Insecure, // over TLS what comes is what was sent, and the CRC-64 says whether it is what was meant
	}
}

// part is the bytes of one part, in memory or in a file that has no name, and their checksums.
type part struct {
	from   *parts
	limit  int64 // how many bytes it takes
	size   int64 // how many it has
	weight int64 // of from.share
	memory []byte
	mapped bool      // memory is of from.memory
	file   *os.File  // instead of memory
	sha    hash.Hash // nil: it need not be told
	crc    hash.Hash
}

// get returns an empty part for limit bytes. It waits until the memory is free.
func (ps *parts) get(ctx context.Context, limit int64) (*part, error) {
	p := &part{from: ps, limit: limit, crc: newCRC()}
	if ps.signed {
		p.sha = sha256.New()
	}
	if limit > maxMemoryPartBytes {
		return p, p.openFile()
	}
	p.weight = min(limit, ps.total)
	if err := ps.share.Acquire(ctx, p.weight); err != nil {
		return nil, context.Cause(ctx)
	}
	ps.memory.enter()
	return p, nil
}

func (p *part) openFile() error {
	file, err := os.CreateTemp(p.from.folder, "sluice-part-*")
	if err != nil {
		return err
	}
	p.file = file
	return os.Remove(file.Name())
}

// release gives the memory back. Nobody may read the part any more.
func (p *part) release() {
	if p.file != nil {
		_ = p.file.Close() // it had no name: nothing is kept
		return
	}
	if err := p.drop(); err != nil {
		panic(err) // it was not ours to give back
	}
	p.from.memory.leave()
	p.from.share.Release(p.weight)
}

// drop gives up the part's memory.
func (p *part) drop() error {
	b, mapped := p.memory, p.mapped
	if p.memory, p.mapped = nil, false; !mapped {
		return nil
	}
	return p.from.memory.put(b[:cap(b)])
}

func (p *part) full() bool { return p.size == p.limit }

// fill takes what fits of b and returns how much that was.
func (p *part) fill(b []byte) (int, error) {
	b = b[:min(int64(len(b)), p.limit-p.size)]
	if p.file != nil {
		if _, err := p.file.Write(b); err != nil {
			return 0, err
		}
	} else {
		if err := p.reserve(len(b)); err != nil {
			return 0, err
		}
		p.memory = append(p.memory, b...)
	}
	p.taken(b)
	return len(b), nil
}

// fillFrom takes n bytes, which fit, from src, and returns how many it got.
func (p *part) fillFrom(src io.ReaderAt, offset int64, n int) (int, error) {
	if p.file != nil {
		b := make([]byte, n)
		read, err := src.ReadAt(b, offset)
		if read < n {
			return 0, err
		}
		return p.fill(b)
	}
	if err := p.reserve(n); err != nil {
		return 0, err
	}
	b := p.memory[len(p.memory) : len(p.memory)+n]
	if read, err := src.ReadAt(b, offset); read < n {
		return 0, err
	}
	p.memory = p.memory[:len(p.memory)+n]
	p.taken(b)
	return n, nil
}

// taken counts in what has come.
func (p *part) taken(b []byte) {
	p.size += int64(len(b))
	p.crc.Write(b)
	if p.sha != nil {
		p.sha.Write(b)
	}
}

// reserve makes room for n more bytes: little at first, then all that the part can need.
func (p *part) reserve(n int) error {
	needed := len(p.memory) + n
	switch {
	case needed <= cap(p.memory):
		return nil
	case needed <= firstBytes:
		p.memory = append(make([]byte, 0, min(firstBytes, p.limit)), p.memory...)
		return nil
	}
	b, err := p.from.memory.get(int(p.limit))
	if err != nil {
		return err
	}
	p.memory, p.mapped = b[:copy(b, p.memory)], true
	return nil
}

// body returns what is in the part, from its beginning.
func (p *part) body() *body {
	if p.file != nil {
		return &body{src: io.NewSectionReader(p.file, 0, p.size)}
	}
	return &body{src: bytes.NewReader(p.memory)}
}

// sha256 is what the server is told; "": nothing.
func (p *part) sha256() string {
	if p.sha == nil {
		return ""
	}
	return hex.EncodeToString(p.sha.Sum(nil))
}

func (p *part) crc64() string { return base64.StdEncoding.EncodeToString(p.crc.Sum(nil)) }

func newCRC() hash.Hash { return minio.ChecksumCRC64NVME.Hasher() }

// joined is the CRC-64/NVME, in base64, of parts in their order.
type joined struct {
	size int64
	crc  string // "": of nothing
}

// add joins a part of size bytes. It fails if crc is no checksum: some servers tell none.
func (j *joined) add(size int64, crc string) error {
	parts := []minio.ObjectPart{{PartNumber: 2, Size: size, ChecksumCRC64NVME: crc}}
	if j.crc != "" {
		parts = append(parts, minio.ObjectPart{PartNumber: 1, Size: j.size, ChecksumCRC64NVME: j.crc})
	}
	whole, err := minio.ChecksumCRC64NVME.FullObjectChecksum(parts)
	if err != nil {
		return err
	}
	j.size, j.crc = j.size+size, whole.Encoded()
	return nil
}

// body is lent to one request. A transport may go on reading for a while after it has returned; end makes sure that
// it does not read what the part's memory holds next.
type body struct {
	mu  sync.Mutex
	src io.ReadSeeker // nil after end
}

var errRequestOver = errors.New("the request is over")

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.src == nil {
		return 0, errRequestOver
	}
	return b.src.Read(p)
}

func (b *body) Seek(offset int64, whence int) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.src == nil {
		return 0, errRequestOver
	}
	return b.src.Seek(offset, whence)
}

func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.src = nil
}
