package relay

import (
	"encoding/json"

	"sluice/chunker"
	"sluice/relay/spool"
)

// recover takes up a stream that the spool has from an earlier run. One that cannot be understood is left where it is: the others
// must not suffer.
func (h *Hub) recover(log *spool.Log, head []byte) error {
	var d header
	if err := json.Unmarshal(head, &d); err != nil || !validID(d.Info.ID) {
		h.log().Error("spool: header", "file", log.Path(), "err", err)
		return nil
	}
	if err := log.Damage(); err != nil {
		h.log().Error("spool: damaged", "stream", d.Info.ID, "err", err)
	}
	if d.Info.State == Archived {
		h.recoverCached(log, d.Info)
		return nil
	}
	st := h.stream(d)
	st.log = log
	st.end = log.Size()
	st.info.Offset = st.end
	if err := h.take(st, true); err != nil {
		return err
	}
	st.in.start(st, st.end, h.limit(d.Info))
	st.in.front, st.in.kept.sent, st.in.kept.mark = d.Hash, d.Sent, d.Mark
	switch {
	case d.Info.Whole():
		st.end = min(st.end, *d.Info.Size) // of a live stream that went on without room there may be more
		st.info.Offset = st.end
		st.in.over = true
		st.announced = true
		h.tell(EventEnd, st.info) // the earlier run may not have come to it
		st.settle()
	case log.Sealed(): // but the header that said so is lost
		h.recoverSealed(st)
	case st.kind == File && st.key == "":
		st.in.over = true
		st.announced = true // the earlier run may have done so
		st.discard(Failed)
	default:
		h.reopen(st)
	}
	return nil
}

// recoverSealed ends a stream as its publisher has ended it, by what there is of it.
func (h *Hub) recoverSealed(st *Stream) {
	info, size := st.info, st.end
	st.in.over, st.in.stale, st.announced = true, true, true
	sum, err := st.in.sum()
	if err != nil || info.Size != nil && *info.Size != size {
		st.discard(Failed)
		return
	}
	info.State, info.Size, info.SHA256 = Ended, &size, sum
	st.seal(st.log, info)
}

// reopen lets the publisher of an open stream come back.
func (h *Hub) reopen(st *Stream) {
	switch {
	case st.log.Start() > 0:
		st.in.typed = true
		st.setType(st.info.Type)
	case st.end > 0:
		head := make([]byte, min(st.end, chunker.SniffBytes))
		if n, err := st.log.ReadAt(head, 0); err != nil && n < len(head) {
			h.log().Error("spool", "stream", st.id, "err", err)
			st.in.over = true
			st.discard(Failed)
			return
		}
		st.in.typed = true
		st.setType(chunker.Sniff(head).Type)
	}
	st.in.stale = st.end > 0
	st.in.keep()
	if st.kind == Live {
		h.spawn(st.finishAbandoned)
		return
	}
	if st.info.Size != nil {
		st.in.makeRoom(*st.info.Size - st.end) // where there is none, each piece asks for itself
	}
	st.after(h.resumeWindow(), st.failAbandoned)
}
