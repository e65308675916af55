package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"sluice/sio"
)

// What a page that is not let in is told. The first are Node's words, which the page knows.
var (
	errCredentials = &sio.Error{Message: "invalid credentials"}
	errBusy        = &sio.Error{Message: "too many attempts, try again later"}
	errFull        = &sio.Error{Message: "too many pages are open"}
)

// Basic returns an Authenticate that knows one user, by a bcrypt hash of the password. It takes as long, and tells as little,
// whether name or password is wrong.
func Basic(username, hash string) (func(username, password string) bool, error) {
	if _, err := bcrypt.Cost([]byte(hash)); err != nil {
		return nil, fmt.Errorf("admin: not a bcrypt hash: %w", err)
	}
	return func(name, password string) bool {
		right := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
		return Equal(name, username) && right
	}, nil
}

// Equal compares two secrets in a time that tells nothing of what they have in common, not even their lengths. It is for an
// Authenticate that compares by itself.
func Equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// entry is the data of a page's socket.
type entry struct {
	byPassword bool // it is to be given a session
}

func isPage(s *sio.Socket) bool {
	_, is := s.Data().(entry)
	return is
}

// admit is the middleware that lets pages in.
func (ui *UI) admit(s *sio.Socket) error {
	s.SetData(entry{})
	ui.mu.Lock()
	full := ui.closed || len(ui.admins) >= maxAdmins
	ui.mu.Unlock()
	var given struct{ SessionID, Username, Password string }
	switch err := s.Handshake().Decode(&given); {
	case full:
		return errFull
	case ui.options.Authenticate == nil && ui.options.Open:
		return nil
	case ui.options.Authenticate == nil || err != nil:
		return errCredentials
	case ui.sessions.has(given.SessionID):
		return nil
	case given.Username == "" && given.Password == "": // the page tries an old session first, or none
		return errCredentials
	}
	err := ui.door.try(s.Context(), func() bool { return ui.options.Authenticate(given.Username, given.Password) })
	switch err {
	case nil:
		s.SetData(entry{byPassword: true})
	case errCredentials: // one a second at most
		ui.log(s).Info("admin: a page was not let in")
	}
	return err
}

// door lets one at a time try a password, and nobody for a while after a wrong one.
type door struct {
	turn    chan struct{} // holds one while it is nobody's
	waiting atomic.Int32
}

func (d *door) init() {
	d.turn = make(chan struct{}, 1)
	d.free()
}

func (d *door) free() { d.turn <- struct{}{} }

// try calls right when it is the caller's turn. It returns nil if that says yes.
func (d *door) try(ctx context.Context, right func() bool) error {
	defer d.waiting.Add(-1)
	if d.waiting.Add(1) > maxWaiting {
		return errBusy
	}
	select {
	case <-d.turn:
	case <-ctx.Done():
		return errBusy
	}
	yes := false
	defer func() { // it may panic
		if yes {
			d.free()
		} else {
			time.AfterFunc(failurePause, d.free)
		}
	}()
	if yes = right(); !yes {
		return errCredentials
	}
	return nil
}

// sessions are the pages that were let in, and may come back.
type sessions struct {
	lasting time.Duration

	mu  sync.Mutex
	all []session // guarded by mu, the oldest first
}

type session struct {
	hash [sha256.Size]byte // of its id
	ends time.Time
}

// begin returns the id of a new session: 192 random bits.
func (ss *sessions) begin() (id string) {
	var b [24]byte
	rand.Read(b[:])
	id = base64.RawURLEncoding.EncodeToString(b[:])
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if len(ss.all) >= maxSessions {
		ss.all = slices.Delete(ss.all, 0, 1)
	}
	ss.all = append(ss.all, session{sha256.Sum256([]byte(id)), time.Now().Add(ss.lasting)})
	return id
}

// has reports whether there is a session with that id.
func (ss *sessions) has(id string) bool {
	if id == "" {
		return false
	}
	hash := sha256.Sum256([]byte(id))
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.all = slices.DeleteFunc(ss.all, func(s session) bool { return !time.Now().Before(s.ends) })
	found := 0
	for _, s := range ss.all {
		found |= subtle.ConstantTimeCompare(s.hash[:], hash[:])
	}
	return found == 1
}
