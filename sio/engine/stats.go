package engine

// Stats is a snapshot of what a server has done.
type Stats struct {
	Polling   int // sessions open on polling
	WebSocket int // sessions open on WebSocket

	Opened   uint64 // sessions since the start
	Upgraded uint64 // of them, moved from polling to WebSocket
	BytesIn  uint64 // of messages, as they arrived on the wire
	BytesOut uint64 // of messages, as they left on the wire

	Closed  map[string]uint64 // sessions ended, by reason
	Refused map[string]uint64 // requests refused, by message
}

// Sessions returns the number of open sessions.
func (s Stats) Sessions() int { return s.Polling + s.WebSocket }
