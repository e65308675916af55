package admin

import (
	"os"
	"time"

	"sluice/sio"
)

// shownStats is what a page is told of the server in numbers.
type shownStats struct {
	ServerID   string           `json:"serverId"`
	Hostname   string           `json:"hostname"`
	PID        int              `json:"pid"`
	Uptime     float64          `json:"uptime"` // in seconds, since Instrument
	Clients    int              `json:"clientsCount"`
	Polling    int              `json:"pollingClientsCount"`
	Events     []aggregate      `json:"aggregatedEvents"`
	Namespaces []shownNamespace `json:"namespaces"`
}

type shownNamespace struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

// aggregate says how often something happened since the last time.
type aggregate struct {
	Timestamp int64  `json:"timestamp"` // in ms, a whole second
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     uint64 `json:"count"`
}

// stats returns the numbers of now.
func (ui *UI) stats(now sio.Stats, events []aggregate) shownStats {
	host, _ := os.Hostname()
	shown := shownStats{
		ServerID: ui.options.ServerID,
		Hostname: host,
		PID:      os.Getpid(),
		Uptime:   time.Since(ui.begun).Seconds(),
		Clients:  now.Engine.Sessions(),
		Polling:  now.Engine.Polling,
		Events:   append([]aggregate{}, events...),
	}
	for _, ns := range ui.io.Namespaces() {
		shown.Namespaces = append(shown.Namespaces, shownNamespace{ns.Name(), len(ns.Sockets())})
	}
	return shown
}

// counts knows what was counted, so that only what has come since is told.
type counts struct {
	opened     uint64
	closed     map[string]uint64
	packetsIn  uint64
	packetsOut uint64
	bytesIn    uint64
	bytesOut   uint64
}

func (c *counts) begin(st sio.Stats) {
	e := st.Engine
	*c = counts{e.Opened, e.Closed, e.MessagesIn, e.MessagesOut, e.BytesIn, e.BytesOut}
}

// since returns what has come since the last call, or begin.
func (c *counts) since(st sio.Stats, now time.Time) (events []aggregate) {
	second := now.Truncate(time.Second).UnixMilli()
	add := func(what, of string, before, after uint64) {
		if after > before {
			events = append(events, aggregate{second, what, of, after - before})
		}
	}
	e := st.Engine
	add("rawConnection", "", c.opened, e.Opened)
	for reason, n := range e.Closed {
		add("rawDisconnection", nodesWords(reason), c.closed[reason], n)
	}
	add("packetsIn", "", c.packetsIn, e.MessagesIn)
	add("packetsOut", "", c.packetsOut, e.MessagesOut)
	add("bytesIn", "", c.bytesIn, e.BytesIn)
	add("bytesOut", "", c.bytesOut, e.BytesOut)
	c.begin(st)
	return events
}

// nodesWords returns why a session ended in the words of Node's Engine.IO.
func nodesWords(reason string) string {
	switch reason {
	case "protocol error":
		return "parse error"
	case "message too large":
		return "transport error"
	case "closed", "server shutting down":
		return "forced close"
	}
	return reason
}
