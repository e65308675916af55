package engine

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// lend sends bytes that are lent, and are overwritten as soon as they are the test's again, which back tells.
func (e *echo) lend(data []byte) (back chan struct{}) {
	back = make(chan struct{})
	p := PrepareLent(func() {
		clear(data)
		close(back)
	}, Outgoing{Data: []byte("text")}, Outgoing{Binary: true, Data: data})
	e.mu.Lock()
	e.out = append(e.out, p) // the session releases it
	e.mu.Unlock()
	e.session.Wake()
	return back
}

// stuck waits until the session waits for its transport.
func (e *echo) stuck(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); !e.session.Behind(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not wait")
		}
	}
}

func isBack(back <-chan struct{}) bool {
	select {
	case <-back:
		return true
	default:
		return false
	}
}

func TestLentBytesAreTheirOwnersAgainWhenTheyHaveBeenWritten(t *testing.T) {
	const size = 16 << 20
	for name, secure := range map[string]bool{"TCP": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &Server{}, secure)
			c := s.websocket(t)
			e := wait(t, s.sessions)
			want := bytes.Repeat([]byte("0123456789abcdef"), size/16)
			back := e.lend(bytes.Clone(want))
			e.stuck(t)
			if isBack(back) {
				t.Error("they are back before they have been read")
			}
			if got := c.text(); got != "4text" {
				t.Errorf("got %.20q", got)
			}
			if got := c.read(); !bytes.Equal(got.Payload, want) {
				t.Errorf("other bytes have come, %d of them", len(got.Payload))
			}
			wait(t, back)
			small := e.lend([]byte("small")) // in one segment with its header
			c.text()
			if got := c.read(); string(got.Payload) != "small" {
				t.Errorf("got %q", got.Payload)
			}
			wait(t, small)
		})
	}
}

func TestLentBytesAreTheirOwnersAgainWhenAPollingReplyHasBeenMade(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	for _, version := range []string{"3", "4"} {
		_, handshake, _ := s.do(t, "GET", "EIO="+version+"&b64=1&transport=polling", "")
		_, sid, _ := strings.Cut(handshake, `"sid":"`)
		sid, _, _ = strings.Cut(sid, `"`)
		e := wait(t, s.sessions)
		data := []byte(strings.Repeat("x", 10_000))
		encoded := base64.StdEncoding.EncodeToString(data)
		back := e.lend(data)
		if isBack(back) {
			t.Error("they are back before anybody has asked for them")
		}
		_, got, _ := s.do(t, "GET", "EIO="+version+"&b64=1&transport=polling&sid="+sid, "")
		if !strings.Contains(got, encoded) {
			t.Errorf("version %s: got %d bytes, %.60q", version, len(got), got)
		}
		wait(t, back)
	}
}

// Something may still be read then: the last words come after what is half written.
func TestLentBytesOfASessionThatEndsMidwayAreNobodysAgain(t *testing.T) {
	for _, closes := range []string{"the server", "the client"} {
		s := start(t, &Server{}, false)
		c := s.websocket(t)
		e := wait(t, s.sessions)
		back := e.lend(make([]byte, 16<<20))
		e.stuck(t)
		if closes == "the server" {
			e.session.Close(nil)
		} else {
			c.conn.Close()
		}
		wait(t, e.ended)
		if isBack(back) {
			t.Errorf("%s closes: they are back", closes)
		}
	}
}

func TestARunKeepsWhatItIsJoinedOf(t *testing.T) {
	back := map[string]bool{}
	lent := func(name string) *Prepared {
		return PrepareLent(func() { back[name] = true }, Outgoing{Data: []byte(name)})
	}
	a, b := lent("a"), lent("b")
	run := Join(a, Prepare(Outgoing{Data: []byte("kept"), Plain: true}), b, a)
	run.Retain()
	a.Release()
	b.Release()
	run.Release()
	if len(back) > 0 {
		t.Errorf("%v are back before the run is", back)
	}
	if got := run.Size(); got != len("akeptba") || !run.plain {
		t.Errorf("size %d, plain %v", got, run.plain)
	}
	run.Release()
	if !back["a"] || !back["b"] {
		t.Errorf("only %v are back", back)
	}
	kept := Join(Prepare(Outgoing{Data: []byte("kept")}))
	kept.Release() // of what is not lent there is nothing to count
	kept.Retain()
	kept.Release()
}
