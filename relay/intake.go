package relay

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"math"
	"sync"
	"time"

	"sluice/chunker"
)

// Bytes are read straight into blocks, and chunks are slices of blocks: nothing is copied on the way to the readers, save the
// unsettled rest of a full block.
const (
	blockBytes = chunker.MaxChunkBytes
	firstBlock = 16 << 10    // of a stream whose size is unknown: it may be small
	fillTime   = time.Second // a block that took longer to fill was large enough

	flushDelay = 20 * time.Millisecond  // how long bytes may wait for more before they go to the readers
	sniffDelay = 500 * time.Millisecond // how long a stream may stay without a type
)

// intake is the publisher's side of a stream: it cuts what comes into chunks, tells the type, hashes and spools.
type intake struct {
	st *Stream

	mu     sync.Mutex
	writer *Writer // who may write; nil: nobody now. Guarded by mu, as is all below
	last   *Writer // the publisher's who wrote last
	lost   error   // why the stream was taken from last
	over   bool    // no byte may follow
	whole  bool    // the end was taken, and is as it was promised
	final  Info    // how the stream is to be then

	block    []byte    // being filled; the part behind its length belongs to the writer
	memory   *block    // that block is of; nil: it is nobody's
	made     time.Time // when it was made
	base     int64     // the stream's offset of block[0]
	received int64     // offsets in the stream: emitted <= received, spooled <= received
	emitted  int64
	spooled  int64
	loose    int64 // memory of the chunks that were emitted and are not spooled
	limit    int64 // received may not pass it
	keepAt   int64 // when so much is spooled the archive goes on with it
	room     int64 // set aside in the spool for what is still to come
	kept     keeping
	stuck    time.Time // when the spool had no room for what came; zero: it has stored something since
	began    time.Time

	typed    bool
	splitter *chunker.Splitter // nil for files
	cuts     []chunker.Cut     // not yet emitted
	settled  int64             // no further cut comes below
	inInit   bool

	hash  hash.Hash
	stale bool    // the hash lacks what an earlier run of the server received
	front *hashed // how it was when the spool gave something up last, in this run or an earlier one; nil: it never did
	later *hashed // the same for what is to be dropped, and may not be yet
	armed bool
	timer *time.Timer
}

func (in *intake) start(st *Stream, offset, limit int64) {
	in.st, in.limit = st, limit
	if st.keeps() {
		in.keepAt = st.hub.Archive.KeepFrom()
	}
	st.round.ended.L = &st.round.mu
	in.base, in.received, in.emitted, in.spooled, in.settled = offset, offset, offset, offset, offset
	in.hash = sha256.New()
}

// space returns where the next bytes are to be read to; hint is how many are expected, 0 if unknown.
func (in *intake) space(hint int64) ([]byte, error) {
	free := in.block[len(in.block):cap(in.block)]
	if pending := in.emitted < in.received; len(free) > 0 && (pending || int64(len(free)) >= min(hint, blockBytes)) {
		return free, nil // at a piece's beginning only if it fits: else it would be cut in two
	}
	if err := in.store(); err != nil {
		return nil, err
	}
	rest := in.block[in.emitted-in.base:]
	size := int64(blockBytes)
	switch slow := in.block != nil && time.Since(in.made) > fillTime; {
	case slow:
		size = max(firstBlock, int64(cap(in.block)), hint)
	case in.received >= blockBytes: // it goes on: whole blocks are used again
	case hint >= blockBytes/4, hint > 0 && in.block == nil:
		size = hint
	case cap(in.block) < blockBytes:
		size = max(firstBlock, 4*int64(cap(in.block)), hint) // many small pieces are to be few chunks
	}
	size = min(max(size, int64(len(rest))), blockBytes) // the rest is copied: as much must fit before it is copied again
	size = max(size+int64(len(rest)), chunker.SniffBytes)
	memory := in.st.hub.block(size)
	block := memory.data[:copy(memory.data, rest)]
	in.st.letBlockGo(in.memory)
	in.block, in.memory, in.made, in.base = block, memory, time.Now(), in.emitted
	return block[len(block):cap(block)], nil
}

// filled takes over n bytes that were read to what space returned.
func (in *intake) filled(n int) error {
	if n == 0 {
		return nil
	}
	if in.received == 0 {
		in.began = time.Now()
	}
	from := len(in.block)
	in.block = in.block[:from+n]
	in.received += int64(n)
	if in.received > in.limit {
		return in.overLimit()
	}
	if in.splitter != nil {
		in.scan(in.block[from:])
	}
	if len(in.block) == cap(in.block) {
		return in.flush(false)
	}
	in.arm(flushDelay)
	if !in.typed && len(in.block) >= chunker.SniffBytes {
		return in.flush(false)
	}
	return nil
}

func (in *intake) overLimit() error {
	size := in.st.Info().Size
	if size != nil {
		return Errorf(Conflict, "more bytes came than the size of %d that was announced", *size)
	}
	return overLimit(TooLarge, in.limit, "bytes a stream")
}

func (in *intake) scan(p []byte) {
	cuts, settled := in.splitter.Scan(p)
	in.cuts = append(in.cuts, cuts...)
	in.settled = settled
}

// flush gives the readers what they may have. The spool waits for a full block, Sync, tick, or until what waits takes much
// memory: what comes in small pieces is hashed and written in large ones. last: nothing follows.
func (in *intake) flush(last bool) error {
	if !in.typed && !in.tell(last) {
		return in.spool()
	}
	full := len(in.block) == cap(in.block)
	if !last && !full && in.st.round.hold() {
		return nil
	}
	to := in.received
	if in.splitter != nil && !last {
		to = in.settled
	}
	in.emit(to)
	if last || full || in.st.hub.crowded(in.loose) {
		return in.store()
	}
	return nil
}

// store gives the spool what has come, and lets go of memory.
func (in *intake) store() error {
	if err := in.spool(); err != nil {
		return err
	}
	in.st.evict(in.spooled)
	return nil
}

// release is flush of what was held back during a round.
func (in *intake) release() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over {
		return
	}
	if err := in.flush(false); err != nil {
		in.fault(err)
	}
}

// tell decides the type and announces the stream, if enough has come or nothing more will.
func (in *intake) tell(last bool) bool {
	if len(in.block) < chunker.SniffBytes && !last {
		if wait := sniffDelay - time.Since(in.began); wait > 0 {
			in.arm(wait)
			return false
		}
	}
	in.typed = true
	media := chunker.Sniff(in.block[:min(len(in.block), chunker.SniffBytes)])
	if in.st.kind == Live {
		in.splitter = chunker.NewSplitter(media.Type)
		in.scan(in.block)
	}
	in.st.setType(media.Type)
	return true
}

// emit appends what has come up to offset to as chunks, cut at the key points.
func (in *intake) emit(to int64) {
	for in.emitted < to {
		cut := chunker.Cut{At: -1}
		for len(in.cuts) > 0 && in.cuts[0].At <= in.emitted {
			cut, in.cuts = in.cuts[0], in.cuts[1:]
			in.turn(cut)
		}
		end := min(to, in.emitted+chunker.MaxChunkBytes)
		if len(in.cuts) > 0 {
			end = min(end, in.cuts[0].At)
		}
		i, j := in.emitted-in.base, end-in.base
		c := &Chunk{Offset: in.emitted, Data: in.block[i:j:j], Key: cut.At == in.emitted && cut.Kind == chunker.Key, block: in.memory}
		if in.inInit {
			in.st.addInit(c)
		}
		in.st.append(c)
		in.loose += c.held()
		in.emitted = end
	}
}

// turn follows the cuts through init segments.
func (in *intake) turn(cut chunker.Cut) {
	in.inInit = cut.Kind == chunker.Init
	if in.inInit {
		in.st.newInit()
	}
}

// spool hashes and writes what has come.
func (in *intake) spool() error {
	p := in.block[in.spooled-in.base:]
	if len(p) == 0 {
		return nil
	}
	if err := in.rehash(); err != nil {
		return err
	}
	if err := in.put(p); err != nil {
		return err
	}
	in.hash.Write(p)
	in.spooled, in.loose, in.stuck = in.received, 0, time.Time{}
	in.keep()
	return nil
}

// keep has the archive go on, if there is enough for it.
func (in *intake) keep() {
	if st := in.st; in.typed && in.spooled >= in.keepAt && st.keeps() && in.kept.cut.Load() == nil {
		in.keepAt = math.MaxInt64 // until KeepAt
		st.hub.Archive.Keep(st)
	}
}

// makeRoom has room for n bytes set aside.
func (in *intake) makeRoom(n int64) error {
	if n <= in.room {
		return nil
	}
	if in.st.kind == File {
		if err := in.st.hub.fits(in.received); err != nil {
			return err
		}
	}
	if err := in.st.hub.setAside(n - in.room); err != nil {
		return err
	}
	in.room = n
	return nil
}

// takeRoom gives back n bytes of the room that was set aside, if there is any.
func (in *intake) takeRoom(n int64) {
	n = min(n, in.room)
	in.room -= n
	in.st.hub.giveBack(n)
}

// fault takes the stream from its publisher because of err. A file with a key waits where there may be room again later, no longer
// than the resume window since it stored something, nor while memory is short, too; else the stream fails.
func (in *intake) fault(err error) {
	st, h := in.st, in.st.hub
	if st.kind == Live || st.key == "" || !errors.Is(err, errNoRoom) || h.held.Load() > h.memoryBytes() {
		st.fail(err)
		return
	}
	if in.stuck.IsZero() {
		in.stuck = time.Now()
	}
	if in.writer != nil {
		h.log().Info("stream waits for room in the spool", "room", st.room.name, "stream", st.id)
		in.abandon(err, h.resumeWindow()-time.Since(in.stuck))
	}
}

// arm has tick run after d unless it is to run anyway.
func (in *intake) arm(d time.Duration) {
	if in.armed {
		return
	}
	in.armed = true
	if in.timer == nil {
		in.timer = time.AfterFunc(d, func() { in.st.hub.run(in.tick) })
		return
	}
	in.timer.Reset(d)
}

// tick flushes and stores what has waited long enough.
func (in *intake) tick() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.armed = false
	if in.over {
		return
	}
	err := in.flush(false)
	if err == nil {
		err = in.store()
	}
	if err != nil {
		in.fault(err)
	}
}

// rest stores what is left when the hub closes: nobody writes any more.
func (in *intake) rest() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.over {
		in.spool() // who asked for durability has been answered
	}
}

// close lets nobody write any more.
func (in *intake) close() {
	in.over, in.writer, in.block, in.memory = true, nil, nil, nil // the writer may still be reading into the block
	in.takeRoom(in.room)
	if in.timer != nil {
		in.timer.Stop()
	}
}

// sum is the SHA-256 of all that came, in hex.
func (in *intake) sum() (string, error) {
	err := in.rehash()
	return hex.EncodeToString(in.hash.Sum(nil)), err
}

// rehash hashes what an earlier run of the server has spooled, before anything new.
func (in *intake) rehash() error {
	if !in.stale {
		return nil
	}
	in.stale = false
	from, err := in.rehashed(in.front)
	if err == nil {
		_, err = io.Copy(in.hash, io.NewSectionReader(in.st.log, from, in.spooled-from))
	}
	if err != nil {
		in.st.hub.log().Error("spool", "stream", in.st.id, "err", err)
		return Errorf(Internal, "what came before the server was restarted is damaged")
	}
	return nil
}
