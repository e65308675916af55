package hook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"sluice/relay"
)

const (
	atOnce     = 8      // POSTs under way
	maxWaiting = 10_000 // messages written down

	answerTime = 15 * time.Second
	firstPause = time.Second // before a message is sent again; doubled each time
	longPause  = 5 * time.Minute
	patience   = 3 * 24 * time.Hour // with a message

	lossInterval = time.Minute // between two lines in the log that say that messages are lost
)

// Hook sends messages. Set its fields, then call Start before anything else, and Close at the end.
type Hook struct {
	URL    string
	Secret []byte       // signs the messages; empty: they are not signed
	Dir    string       // where messages wait
	Logger *slog.Logger // nil: slog.Default()

	client http.Client
	life   context.Context
	end    context.CancelFunc
	slots  chan struct{} // a place for each POST
	work   sync.WaitGroup

	mu     sync.Mutex
	queues map[string][]message // by stream, the oldest first: that one is being sent; guarded by mu, as is all below
	count  int                  // of messages
	lost   time.Time            // when the log was last told that a message is lost
	closed bool
}

// Start takes up what waits from an earlier process.
func (h *Hook) Start() error {
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return err
	}
	left, err := readMessages(h.Dir)
	if err != nil {
		return err
	}
	h.client = http.Client{Timeout: answerTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	h.life, h.end = context.WithCancel(context.Background())
	h.slots, h.queues = make(chan struct{}, atOnce), make(map[string][]message)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range left {
		h.enqueue(m)
	}
	return nil
}

// Tell sends a message about a stream. It waits until that is written down, not for the web server.
func (h *Hook) Tell(event relay.Event, info relay.Info) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	m := message{at: time.Now(), stream: info.ID, event: event}
	err := errFull
	if h.count < maxWaiting {
		err = h.write(m, info)
	}
	if err == nil {
		h.enqueue(m)
		return
	}
	if now := time.Now(); now.Sub(h.lost) >= lossInterval {
		h.lost = now
		h.log().Error("hook: a message is lost, and maybe more", "message", m.id(), "err", err)
	}
}

var errFull = errors.New("too many wait to be sent")

func (h *Hook) write(m message, info relay.Info) error {
	body, err := json.Marshal(struct {
		Type      relay.Event `json:"type"`
		Timestamp time.Time   `json:"timestamp"`
		Data      relay.Info  `json:"data"`
	}{m.event, m.at.UTC(), info})
	if err != nil {
		return err
	}
	return m.write(h.Dir, body)
}

// enqueue has m sent after what waits of its stream. The caller holds mu.
func (h *Hook) enqueue(m message) {
	h.count++
	h.queues[m.stream] = append(h.queues[m.stream], m)
	if len(h.queues[m.stream]) == 1 {
		h.work.Go(func() { h.send(m) })
	}
}

// send sends m and all that comes after it of the same stream.
func (h *Hook) send(m message) {
	for more := true; more; m, more = h.next(m) {
		if !h.deliver(m) {
			return
		}
		if err := m.remove(h.Dir); err != nil {
			h.log().Warn("hook: remove", "message", m.id(), "err", err)
		}
	}
}

// next takes m, which is done with, off its queue and returns what follows; false if nothing does.
func (h *Hook) next(m message) (message, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count--
	rest := h.queues[m.stream][1:]
	if len(rest) == 0 {
		delete(h.queues, m.stream)
		return message{}, false
	}
	h.queues[m.stream] = rest
	return rest[0], true
}

// deliver returns when m is delivered, or too old; false: the hook was closed before.
func (h *Hook) deliver(m message) bool {
	for failures := 0; ; failures++ {
		err := h.try(m)
		switch {
		case err == nil:
			return true
		case h.life.Err() != nil:
			return false
		case errors.Is(err, fs.ErrNotExist), time.Since(m.at) > patience:
			h.log().Error("hook: a message is given up", "message", m.id(), "err", err)
			return true
		}
		longest := min(firstPause<<min(failures, 16), longPause)
		pause := longest/2 + rand.N(longest/2)
		if failures == 0 {
			h.log().Warn("hook: not delivered, and tried again", "message", m.id(), "err", err)
		}
		select {
		case <-time.After(pause):
		case <-h.life.Done():
			return false
		}
	}
}

// try sends m once.
func (h *Hook) try(m message) error {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-h.life.Done():
		return h.life.Err()
	}
	body, err := m.read(h.Dir)
	if err != nil {
		return err
	}
	return h.post(m.id(), body)
}

// Close ends the sending. What is not delivered waits for the next process. A nil Hook sends nothing.
func (h *Hook) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.end()
	h.work.Wait()
	h.client.CloseIdleConnections()
}

func (h *Hook) log() *slog.Logger { return cmp.Or(h.Logger, slog.Default()) }
