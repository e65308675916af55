package spool

import (
	"io"
	"slices"
	"sort"
)

// pageRecords bounds how many records one page stands for, and so what a look-up reads.
const pageRecords = 128

// page stands for slots of chunks that lie side by side in the sidecar. Only pages are kept in memory, so that
// a log of many small records costs 32 bytes for 3 KiB of sidecar.
type page struct {
	first   int64 // offset in the content of the first record
	last    int64 // end in the content of the last record
	pos     int64 // in the sidecar
	records int
}

// index finds records by their offset in the content. It is guarded by Log.mu; what ReadAt needs of it is copied
// out.
type index struct {
	pages []page // records whose slots are in the sidecar
	tail  []slot // records whose slots are not written yet
}

// add notes a record whose slot is at pos in the sidecar.
func (x *index) add(s slot, pos int64) {
	if n := len(x.pages); n > 0 {
		p := &x.pages[n-1]
		if p.records < pageRecords && p.pos+int64(p.records)*slotBytes == pos && p.last == s.offset {
			p.records++
			p.last = s.end()
			return
		}
	}
	x.pages = append(x.pages, page{first: s.offset, last: s.end(), pos: pos, records: 1})
}

// drop forgets the records that end at to or before, as far as whole pages go.
func (x *index) drop(to int64) {
	x.pages = slices.DeleteFunc(x.pages, func(p page) bool { return p.last <= to })
}

// written moves the first n records of the tail to the pages; at holds where their slots are.
func (x *index) written(at []int64) {
	for i, pos := range at {
		x.add(x.tail[i], pos)
	}
	rest := copy(x.tail, x.tail[len(at):])
	x.tail = x.tail[:rest]
}

// find returns what holds the record at off, or the next one when none does: a page, or records of the tail.
func (x *index) find(off int64, buf []slot) (page, []slot) {
	i := sort.Search(len(x.pages), func(i int) bool { return x.pages[i].last > off })
	if i < len(x.pages) {
		return x.pages[i], buf[:0]
	}
	i = sort.Search(len(x.tail), func(i int) bool { return x.tail[i].end() > off })
	rest := x.tail[i:]
	return page{}, append(buf[:0], rest[:min(len(rest), pageRecords)]...)
}

// read appends the slots of p, as the sidecar has them, to buf. Slots that have gone bad are left out.
func (p page) read(sidecar io.ReaderAt, buf []slot) ([]slot, error) {
	raw := make([]byte, p.records*slotBytes)
	if _, err := sidecar.ReadAt(raw, p.pos); err != nil && err != io.EOF {
		return nil, err
	}
	for ; len(raw) > 0; raw = raw[slotBytes:] {
		s, ok := parseSlot(raw)
		if ok && s.kind == kindChunk && s.offset >= p.first && s.end() <= p.last {
			buf = append(buf, s)
		}
	}
	return buf, nil
}
