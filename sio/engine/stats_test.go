package engine

import (
	"net/http"
	"testing"

	"github.com/gobwas/ws"
)

func TestMessagesAreCountedBothWays(t *testing.T) {
	onEveryTransport(t, func() *Server { return &Server{} }, func(t *testing.T, s *site, c client) {
		for _, m := range []Outgoing{{Data: []byte("one")}, {Binary: true, Data: []byte("two")}} {
			c.send(m)
			c.receive()
		}
		if st := s.engine.Stats(); st.MessagesIn != 2 || st.MessagesOut != 2 {
			t.Errorf("%d messages in, %d out; want 2 and 2", st.MessagesIn, st.MessagesOut)
		}
	})
}

// mover is an echo that hears of upgrades.
type mover struct {
	*echo
	moved chan string
}

func (m *mover) Upgraded() { m.moved <- m.session.Transport() }

func TestAnUpgradeIsToldToTheReceiver(t *testing.T) {
	moved := make(chan string, 1)
	s := start(t, &Server{Accept: func(session *Session, _ *http.Request) (Receiver, error) {
		return &mover{&echo{session: session, ended: make(chan error, 1)}, moved}, nil
	}}, false)
	c := s.upgrade(t, s.polling(t))
	c.write(ws.NewTextFrame([]byte("4after")))
	if got := wait(t, moved); got != "websocket" {
		t.Errorf("the session is on %s; want websocket", got)
	}
	if got := c.text(); got != "4after" {
		t.Errorf("got %q; want 4after", got)
	}
}
