package relay

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
	"weak"

	"sluice/chunker"
	"sluice/relay/spool"
)

// depot is what the readers of a hub read from spool and store. Those that are close to each other in a stream share what is read,
// and what is made of it.
type depot struct {
	mu       sync.Mutex
	backlogs map[string]*backlog // by stream; guarded by mu, as is all below and in a backlog
	kept     []kept              // for who comes after, oldest first
	bytes    int64               // of kept
}

// kept is a chunk that is held for other readers of its stream.
type kept struct {
	of *backlog
	c  *Chunk
}

// backlog is what is read of one stream, from when the first reader needs it until the last one leaves.
type backlog struct {
	hub *Hub
	id  string
	ctx context.Context // its life
	end context.CancelFunc

	readers int // guarded by depot.mu, as is all below
	coming  map[place]*piece
	chunks  map[int64]weak.Pointer[Chunk] // what has come, by offset, as long as somebody holds it
	sweepAt int                           // how many chunks there may be before those that are gone are taken out
	bodies  []body                        // open in the store, and not being read
}

// body is what a stream is read through from the store.
type body struct {
	io.ReadCloser
	at int64
}

// piece is a chunk to be, which one goroutine reads for all who wait for it.
type piece struct {
	of   *backlog
	want want
	done chan struct{} // closed when one of these is set
	c    *Chunk
	err  error
}

// want says which bytes are to be read, and where they are.
type want struct {
	place
	size int
	key  bool
	info Info
}

// place is where bytes are. Those that have just left the spool are in another one.
type place struct {
	from int64
	log  *spool.Log // nil: in the store
}

// backlog enters a reader of a stream.
func (h *Hub) backlog(id string) *backlog {
	d := &h.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.backlogs[id]
	if b == nil {
		b = &backlog{hub: h, id: id, coming: make(map[place]*piece), chunks: make(map[int64]weak.Pointer[Chunk])}
		b.ctx, b.end = context.WithCancel(context.Background())
		if d.backlogs == nil {
			d.backlogs = make(map[string]*backlog)
		}
		d.backlogs[id] = b
	}
	b.readers++
	return b
}

// leave takes a reader out. Nothing is left after the last one.
func (b *backlog) leave() {
	d := &b.hub.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.readers--; b.readers > 0 {
		return
	}
	b.end()
	delete(d.backlogs, b.id)
	d.kept = slices.DeleteFunc(d.kept, func(k kept) bool {
		if k.of == b {
			d.bytes -= k.c.held()
		}
		return k.of == b
	})
	for _, body := range b.bodies {
		body.Close()
	}
	b.bodies = nil
}

// chunk returns the chunk that begins at offset from if it has been read not long ago, nil if not.
func (b *backlog) chunk(from int64) *Chunk {
	d := &b.hub.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	return b.chunks[from].Value()
}

// read returns a chunk that begins where w says, and has at most its size. It waits for it as long as ctx lives.
func (b *backlog) read(ctx context.Context, w want) (*Chunk, error) {
	p := b.piece(w)
	select {
	case <-p.done:
		return p.c, p.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// piece has the piece at w's offset read, unless that is done already.
func (b *backlog) piece(w want) *piece {
	d := &b.hub.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	p := b.coming[w.place]
	if p != nil {
		return p
	}
	p = &piece{of: b, want: w, done: make(chan struct{})}
	b.coming[w.place] = p
	if !b.hub.spawn(p.run) {
		p.err = context.Canceled
		close(p.done)
	}
	return p
}

// run reads the piece.
func (p *piece) run() {
	data := make([]byte, p.want.size)
	err := p.fill(data)
	b := p.of
	d := &b.hub.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(b.coming, p.want.place)
	if p.err = err; err == nil {
		p.c = &Chunk{Offset: p.want.from, Data: data, Key: p.want.key, at: time.Now()}
		b.note(p.c)
		d.keep(kept{b, p.c}, b.hub.sharedBytes())
	}
	close(p.done)
}

// note lets other readers find c. The caller holds depot.mu.
func (b *backlog) note(c *Chunk) {
	if len(b.chunks) >= b.sweepAt {
		maps.DeleteFunc(b.chunks, func(_ int64, w weak.Pointer[Chunk]) bool { return w.Value() == nil })
		b.sweepAt = 2*len(b.chunks) + 64
	}
	b.chunks[c.Offset] = weak.Make(c)
}

// keep holds a chunk for other readers, if there are any, in place of the oldest ones. The caller holds mu.
func (d *depot) keep(k kept, limit int64) {
	if k.of.readers < 2 {
		return
	}
	d.kept = append(d.kept, k)
	for d.bytes += k.c.held(); d.bytes > limit; d.kept = slices.Delete(d.kept, 0, 1) {
		d.bytes -= d.kept[0].c.held()
	}
}

func (p *piece) fill(data []byte) error {
	if p.want.log == nil {
		return p.fetch(data)
	}
	n, err := p.want.log.ReadAt(data, p.want.from)
	if n == len(data) {
		return nil
	}
	return err
}

// fetch fills data from the store.
func (p *piece) fetch(data []byte) error {
	b := p.of
	body, err := b.open(p.want)
	if err != nil {
		return err
	}
	n, err := io.ReadFull(body, data)
	body.at += int64(n)
	b.rest(body, err == nil)
	return err
}

// open returns what can be read from w's offset on.
func (b *backlog) open(w want) (body, error) {
	d := &b.hub.depot
	d.mu.Lock()
	i := slices.IndexFunc(b.bodies, func(o body) bool { return o.at == w.from })
	if i >= 0 {
		defer d.mu.Unlock()
		found := b.bodies[i]
		b.bodies = slices.Delete(b.bodies, i, i+1)
		return found, nil
	}
	d.mu.Unlock()
	r, err := b.hub.Archive.Open(b.ctx, w.info, w.from, -1)
	return body{r, w.from}, err
}

// rest puts a body aside for who reads on there, if it is good. No more are open than there are readers.
func (b *backlog) rest(o body, good bool) {
	d := &b.hub.depot
	d.mu.Lock()
	if good && b.readers > 0 {
		b.bodies = append(b.bodies, o)
		if o = (body{}); len(b.bodies) > b.readers {
			o = b.bodies[0]
			b.bodies = slices.Delete(b.bodies, 0, 1)
		}
	}
	d.mu.Unlock()
	if o.ReadCloser != nil {
		o.Close()
	}
}

// pieceEnd is where a piece that begins at offset from ends at the latest. It is the same for all who read around there, so that
// they come to read the same pieces.
func pieceEnd(from int64) int64 {
	return (from/chunker.MaxChunkBytes + 1) * chunker.MaxChunkBytes
}
