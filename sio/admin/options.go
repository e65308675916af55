package admin

import (
	"cmp"
	"os"
	"time"
)

// Options of Instrument. The zero value lets nobody in.
type Options struct {
	// Namespace is where the page connects to; "" means /admin, which is what the page proposes.
	Namespace string

	// Authenticate says whether somebody may use the page. It may wait; it is called by one goroutine at a time. nil lets nobody
	// in, unless Open is set. See Basic.
	Authenticate func(username, password string) bool
	// Open lets everybody in who can reach the server. It means nothing beside Authenticate.
	Open bool

	// ReadOnly refuses commands.
	ReadOnly bool
	// Verbose shows sockets, rooms and single events: what npm's package calls development mode. Else the page is only told how
	// many there are: its production mode.
	Verbose bool

	// ServerID is what the page calls the server; "" means the host's name. It is to be unique among the servers that a page
	// sees.
	ServerID string
	// SessionTime is how long a page that was let in is known, and may come back without a password; 0 means 24 h.
	SessionTime time.Duration
}

func (o Options) withDefaults() Options {
	host, _ := os.Hostname()
	o.Namespace = cmp.Or(o.Namespace, "/admin")
	o.ServerID = cmp.Or(o.ServerID, host)
	o.SessionTime = cmp.Or(o.SessionTime, 24*time.Hour)
	return o
}

// What bounds the costs.
const (
	// maxAdmins is how many pages may be open at a time.
	maxAdmins = 32
	// maxSessions is how many pages are known: the oldest is forgotten for a new one.
	maxSessions = 100

	// maxWaiting is how many may wait for Authenticate.
	maxWaiting = 16
	// failurePause is how long nobody is let in, nor asked, after Authenticate has said no: there is no guessing many.
	failurePause = time.Second

	// statsInterval is the time between server_stats, as in Node.
	statsInterval = 2 * time.Second
	// feedInterval is the least time between looks at what has happened.
	feedInterval = 100 * time.Millisecond

	// maxNotes is how much may happen between two looks; more makes the page get the list of sockets anew.
	maxNotes = 4096
	// maxEvents is how many of them may be events; more are left out.
	maxEvents = 256

	// maxRosterBytes is how much is known of sockets, in bytes of JSON; more are not shown.
	maxRosterBytes = 4 << 20
	// maxShownBytes is how long the arguments of an event, the handshake of a socket or its data may be to be shown.
	maxShownBytes = 4 << 10
	// maxShownRooms is how many rooms of a socket are shown.
	maxShownRooms = 1000
	// maxNameBytes is how long the name of a room may be to be shown; that of an event is cut.
	maxNameBytes = 256
)
