package relay

import (
	"cmp"
	"time"

	"sluice/chunker"
)

// Limits that are not options: what a well-behaved stream never meets.
const (
	maxMarks     = 1 << 16 // key points remembered of a live stream
	maxInitBytes = 1 << 20 // of an init segment that late joiners are given
	minRingBytes = 2 * chunker.MaxChunkBytes

	defaultBehindTime = 2 * time.Second
	keyframeInterval  = time.Second // between two askings of a publisher for a key chunk

	// MaxNameBytes bounds the names of rooms, streams and members, MaxMetaBytes a stream's meta, MaxKeyBytes a key.
	MaxNameBytes = 255
	MaxMetaBytes = 4096
	MaxKeyBytes  = 255
)

// Limits bound what members can make grow. Zero values mean the defaults.
type Limits struct {
	UploadBytes   int64         // of one stream; 0: 16 GiB
	RingBytes     int64         // of the newest chunks held in memory per stream; 0: 8 MiB
	SpoolBytes    int64         // of all streams together, in files until they are archived or forgotten; files then wait, live streams are only relayed; 0: no bound but the disk
	CacheBytes    int64         // of archived streams that stay in the spool for who reads them next, beside SpoolBytes; 0: none
	LiveKeepBytes int64         // of a live stream in the spool, but for what is still to be archived; 0: 1 GiB
	LiveKeepTime  time.Duration // the same in time; 0: 1 h
	MemoryBytes   int64         // of all rings together, past which each keeps only the least, and past twice that nothing; 0: 256 MiB
	SharedBytes   int64         // of what was last read from spool and store, kept for readers that come after; 0: 8 MiB
	RoomMembers   int           // in one room; 0: 10,000
	RoomStreams   int           // open in one room; 0: 1,000
	Streams       int           // in memory: open, or ended not long ago; 0: 20,000
	ResumeWindow  time.Duration // how long a file with a key waits for its publisher, and an ended stream is remembered; 0: 10 min
	LiveLinger    time.Duration // how long a live stream waits for its publisher; 0: 10 s
	IdleTime      time.Duration // how long a publisher may bring nothing before it loses its stream, or a quarter longer; 0: 1 h
	BehindBytes   int64         // how far a reader of a live stream may be behind before it jumps; 0: 4 MiB
	BehindTime    time.Duration // the same in time; 0: 2 s
}

func (h *Hub) uploadBytes() int64          { return cmp.Or(h.Limits.UploadBytes, 16<<30) }
func (h *Hub) ringBytes() int64            { return cmp.Or(h.Limits.RingBytes, 8<<20) }
func (h *Hub) memoryBytes() int64          { return cmp.Or(h.Limits.MemoryBytes, 256<<20) }
func (h *Hub) sharedBytes() int64          { return cmp.Or(h.Limits.SharedBytes, 8<<20) }
func (h *Hub) liveKeepBytes() int64        { return cmp.Or(h.Limits.LiveKeepBytes, 1<<30) }
func (h *Hub) liveKeepTime() time.Duration { return cmp.Or(h.Limits.LiveKeepTime, time.Hour) }
func (h *Hub) roomMembers() int            { return cmp.Or(h.Limits.RoomMembers, 10_000) }
func (h *Hub) roomStreams() int            { return cmp.Or(h.Limits.RoomStreams, 1_000) }
func (h *Hub) maxStreams() int             { return cmp.Or(h.Limits.Streams, 20_000) }
func (h *Hub) resumeWindow() time.Duration { return cmp.Or(h.Limits.ResumeWindow, 10*time.Minute) }
func (h *Hub) liveLinger() time.Duration   { return cmp.Or(h.Limits.LiveLinger, 10*time.Second) }
func (h *Hub) idleTime() time.Duration     { return cmp.Or(h.Limits.IdleTime, time.Hour) }
func (h *Hub) behindBytes() int64          { return cmp.Or(h.Limits.BehindBytes, 4<<20) }
func (h *Hub) behindTime() time.Duration   { return cmp.Or(h.Limits.BehindTime, defaultBehindTime) }
