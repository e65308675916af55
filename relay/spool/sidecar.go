package spool

import (
	"io"
	"slices"
)

// sidecar is what was found in the file of that name.
type sidecar struct {
	index  index
	start  int64  // where the content begins: what was before has been dropped
	size   int64  // of the content, as far as slots speak of it
	end    int64  // of the last good slot: what follows is torn
	header []byte // the newest good one; nil when there is none
	sealed bool
	slots  int           // good ones
	torn   bool          // something follows the last good slot
	damage *CorruptError // set when good slots follow bad ones that spoke of what is still wanted
}

// parseSidecar reads a whole sidecar, in small reads. It fails only when r does: bad bytes with good slots behind them are damage,
// bad bytes at the end are the torn tail.
func parseSidecar(r io.Reader) (*sidecar, error) {
	p := sidecarParser{r: r}
	if err := p.parse(); err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if len(p.lost) > 0 {
		p.found.damage = &CorruptError{Offset: p.lost[0].from, Reason: "slots of the sidecar are lost"}
	}
	return &p.found, nil
}

type sidecarParser struct {
	r     io.Reader
	pos   int64
	bad   bool   // something unreadable lies before pos, behind found.end
	lost  []span // of the content, whose slots are lost
	found sidecar
}

// span is bytes of the content.
type span struct{ from, to int64 }

// parse reads until r ends, or fails.
func (p *sidecarParser) parse() error {
	var head [len(magic)]byte
	if err := p.read(head[:]); err != nil {
		return err
	}
	if p.bad = string(head[:]) != magic; !p.bad {
		p.found.end = p.pos
	}
	for {
		at := p.pos
		var raw [slotBytes]byte
		if err := p.read(raw[:]); err != nil {
			return err
		}
		s, ok := parseSlot(raw[:])
		if !ok || !p.follows(s) {
			p.bad = true
			continue
		}
		if err := p.take(s, at); err != nil {
			return err
		}
	}
}

// follows reports whether s can come where it was found. A chunk may leave bytes out, whose slots are lost.
func (p *sidecarParser) follows(s slot) bool {
	switch s.kind {
	case kindHeader:
		return true
	case kindDrop:
		return s.offset >= p.found.start && (s.offset <= p.found.size || !p.found.sealed)
	}
	return s.offset >= p.found.size && !p.found.sealed
}

// take adds a good slot to what was found; it was at that place of the sidecar.
func (p *sidecarParser) take(s slot, at int64) error {
	var header []byte
	if s.kind == kindHeader {
		body := make([]byte, s.body())
		if err := p.read(body); err != nil {
			return err
		}
		if checksum(body) != s.sum {
			p.bad = true
			return nil
		}
		header = body[:s.length:s.length]
	}
	skips := (s.kind == kindChunk || s.kind == kindSeal) && s.offset > p.found.size
	if p.bad || skips {
		to := p.found.size
		if skips {
			to = s.offset
		}
		p.lost = append(p.lost, span{p.found.size, to})
	}
	p.bad = false
	p.found.slots++
	p.found.end = p.pos
	switch s.kind {
	case kindChunk:
		p.found.index.add(s, at)
		p.found.size = s.end()
	case kindSeal:
		p.found.size = s.offset
		p.found.sealed = true
	case kindHeader:
		p.found.header = header
	case kindDrop:
		p.drop(s.offset)
	}
	return nil
}

// drop has the content begin at to. What is lost of what came before was not wanted any more.
func (p *sidecarParser) drop(to int64) {
	p.found.start, p.found.size = to, max(p.found.size, to)
	p.found.index.drop(to)
	p.lost = slices.DeleteFunc(p.lost, func(l span) bool { return l.to <= to })
	if len(p.lost) > 0 {
		p.lost[0].from = max(p.lost[0].from, to)
	}
}

func (p *sidecarParser) read(b []byte) error {
	n, err := io.ReadFull(p.r, b)
	p.pos += int64(n)
	return err
}
