package relay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
)

// Spec is what a publisher says of a stream to come.
type Spec struct {
	Room  string
	Name  string
	Kind  Kind   // "": File
	Size  *int64 // bytes; nil: not known before
	Key   string // the publisher's own name for the upload, by which it resumes; "": it cannot
	Relay bool   // only relayed, not archived
	Meta  json.RawMessage
	Who   Identity

	// Keyframe is called when a reader of a live stream waits for a key chunk, which the publisher may then make, but once a
	// second at most. It is called by who reads and must not wait. nil: nobody is told.
	Keyframe func(st *Stream)
	// Unkept is called when a live stream goes on though the spool has no room for it: what comes from that offset on is only relayed.
	// It must not wait. nil: nobody is told.
	Unkept func(st *Stream, offset int64)
}

// Publish begins a stream, or resumes the one with the same key, room and subject: its earlier Writer loses it. When that one
// is finished the Writer is Done.
func (h *Hub) Publish(ctx context.Context, spec Spec) (*Writer, error) {
	if err := h.check(&spec); err != nil {
		return nil, err
	}
	if err := h.authorize(ctx, Request{Action: Publish, Room: spec.Room, Identity: spec.Who}); err != nil {
		return nil, err
	}
	key := spec.hashedKey()
	for {
		if w, err := h.resume(key, spec); w != nil || err != nil {
			return w, err
		}
		if w, err := h.begin(key, spec); err != errTaken {
			return w, err
		}
	}
}

// errTaken: another publisher has just begun a stream with the key.
var errTaken = errors.New("the key is taken")

func (h *Hub) check(spec *Spec) error {
	if err := checkName("room", spec.Room, false); err != nil {
		return err
	}
	if err := checkName("name", spec.Name, true); err != nil {
		return err
	}
	switch spec.Kind {
	case "":
		spec.Kind = File
	case File, Live:
	default:
		return Errorf(BadRequest, `kind is "file" or "live"`)
	}
	switch {
	case spec.Size != nil && *spec.Size < 0:
		return Errorf(BadRequest, "size is negative")
	case spec.Size != nil && *spec.Size > h.uploadBytes():
		return overLimit(TooLarge, h.uploadBytes(), "bytes a stream")
	case len(spec.Key) > MaxKeyBytes:
		return overLimit(TooLarge, MaxKeyBytes, "bytes of key")
	case len(spec.Meta) > MaxMetaBytes:
		return overLimit(TooLarge, MaxMetaBytes, "bytes of meta")
	}
	return nil
}

// checkName refuses what could not be shown or kept as a name. Rooms may hold slashes, names of streams may not: people save
// them as files.
func checkName(what, name string, file bool) error {
	switch {
	case name == "" && !file:
		return Errorf(BadRequest, "%s is missing", what)
	case len(name) > MaxNameBytes:
		return overLimit(TooLarge, MaxNameBytes, "bytes of "+what)
	case !utf8.ValidString(name):
		return Errorf(BadRequest, "%s is not valid UTF-8", what)
	}
	for _, c := range name {
		if unicode.IsControl(c) {
			return Errorf(BadRequest, "%s has control characters", what)
		}
		if file && (c == '/' || c == '\\') {
			return Errorf(BadRequest, "%s has slashes", what)
		}
	}
	return nil
}

// CheckName tells a door whether a member's name can be shown: an *Error if not.
func CheckName(name string) error { return checkName("name", name, true) }

// hashedKey names one upload among all; "" if the publisher gave no key.
func (s Spec) hashedKey() string {
	if s.Key == "" {
		return ""
	}
	b, _ := json.Marshal([]string{s.Key, s.Room, s.Who.Subject})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// resume hands the upload with that key to a new Writer. It returns nil when a new stream is to begin.
func (h *Hub) resume(key string, spec Spec) (*Writer, error) {
	st := h.upload(key)
	if st == nil {
		return nil, nil
	}
	info := st.Info()
	switch {
	case info.cut():
		return nil, nil
	case info.Name != spec.Name:
		return nil, Errorf(Conflict, "the upload with this key has the name %q", info.Name)
	case spec.Size != nil && info.Size != nil && *spec.Size != *info.Size:
		return nil, Errorf(Conflict, "the upload with this key has the size %d", *info.Size)
	case info.Whole():
		return &Writer{st: st, done: true}, nil
	}
	w := st.takeOver(spec)
	if w == nil {
		return nil, Errorf(Unavailable, "the upload with this key is just being ended, try again")
	}
	if _, err := w.Sync(); err != nil {
		w.Abandon()
		return nil, err
	}
	return w, nil
}

// upload returns the stream with that hashed key, nil if none is known.
func (h *Hub) upload(key string) *Stream {
	if key == "" {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if st := h.keys[key]; st != nil {
		return st
	}
	if f, ok := h.finished[key]; ok && time.Now().Before(f.Until) {
		return h.archived(f.Info)
	}
	return nil
}

// begin makes a new stream and returns its Writer; errTaken if there is one with that key by now.
func (h *Hub) begin(key string, spec Spec) (*Writer, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	id, err := h.ids.next(now)
	if err != nil {
		return nil, err
	}
	info := Info{
		ID: id.String(), Room: spec.Room, From: spec.Who.ID, Name: spec.Name, Kind: spec.Kind, Size: spec.Size,
		State: Open, URL: "/media/" + id.String(), Created: now, Meta: spec.Meta,
	}
	st := h.stream(header{Info: info, Key: key, Subject: spec.Who.Subject, Keep: !spec.Relay})
	st.askedBy(spec)
	st.in.start(st, 0, h.limit(info))
	if err := h.setAside(info.least()); err != nil {
		return nil, err
	}
	st.in.room = info.least()
	err = h.roomy(func() (err error) {
		st.log, err = h.spool.Create(st.id, st.headerOf(info).text())
		return err
	})
	if err != nil {
		st.in.takeRoom(st.in.room)
		return nil, st.notStored("create", err)
	}
	w := st.in.hand()
	st.in.last = w // from take on it may be another's turn
	if err := h.take(st, false); err != nil {
		st.in.takeRoom(st.in.room)
		w.log.Remove()
		return nil, err
	}
	return w, nil
}

// least is how many bytes a stream comes to that has just begun.
func (i Info) least() int64 {
	if i.Size != nil {
		return *i.Size
	}
	return 1
}

// limit is how many bytes a stream may come to.
func (h *Hub) limit(info Info) int64 {
	if info.Size != nil {
		return min(*info.Size, h.uploadBytes())
	}
	return h.uploadBytes()
}

// stream makes a Stream as the header says, in no room yet.
func (h *Hub) stream(d header) *Stream {
	return &Stream{
		id: d.Info.ID, kind: d.Info.Kind, hub: h, key: d.Key, keep: d.Keep,
		subject: d.Subject, info: d.Info, touched: time.Now(),
	}
}

// take enters st in its room and the hub. One that the spool had replaces what has the same key, and is taken whatever the limits are;
// for others that is errTaken, or TooMany.
func (h *Hub) take(st *Stream, recovered bool) error {
	return h.use(st.info.Room, func(r *Room) error {
		st.room = r
		if err := r.take(st, recovered); err != nil {
			return err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if o := h.keys[st.key]; o != nil && !recovered && !o.Info().cut() {
			r.drop(st)
			return errTaken
		}
		if len(h.streams) >= h.maxStreams() && !recovered {
			r.drop(st)
			return overLimit(TooMany, int64(h.maxStreams()), "streams on this server")
		}
		h.streams[st.id] = st
		if st.key != "" {
			h.keys[st.key] = st
		}
		return nil
	})
}

// forget takes a stream that is over out of memory and spool. Of a finished upload with a key is remembered what it was. It
// does not wait for the disk: the last reader calls it, whose socket others write to.
func (h *Hub) forget(st *Stream) {
	f, known := h.remember(st) // before who publishes again no longer finds the stream itself
	h.drop(st)
	st.dropRing()
	if log := st.takeLog(); log != nil {
		h.spawn(func() {
			if known {
				h.writeFinished(f) // before the spool forgets it
			}
			h.retire(st, log)
		})
	}
}

// drop takes st out of its room and the hub's tables.
func (h *Hub) drop(st *Stream) {
	h.look(st.room.name, func(r *Room) { r.drop(st) })
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, st.id)
	if h.keys[st.key] == st {
		delete(h.keys, st.key)
	}
}

func validID(id string) bool {
	_, err := ulid.ParseStrict(id)
	return err == nil && len(id) == ulid.EncodedSize
}
