package admin

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/sio/client"
)

// crowd is two clients of which one is in a room, and a third in another namespace.
type crowd struct {
	inside, outside, elsewhere *client.Client
	heard                      chan string // who was emitted to, and what
}

func (s *site) crowd() *crowd {
	c := &crowd{heard: make(chan string, 10)}
	connect := func(name, namespace, room string) *client.Client {
		s.io.Of(namespace)
		one := s.client(client.Options{Namespace: namespace, NoReconnect: true})
		one.OnUnknown(func(e *client.Event) { c.heard <- name + ": " + e.Name + string(e.Raw(0)) })
		if room != "" {
			s.io.Of(namespace).To(one.ID()).SocketsJoin(room)
		}
		return one
	}
	c.inside = connect("inside", "/", "room")
	c.outside = connect("outside", "/", "")
	c.elsewhere = connect("elsewhere", "/other", "room")
	return c
}

// obeyed gives a command, and waits until it has been carried out.
func (s *site) obeyed(v *viewer, command string, args ...any) {
	s.t.Helper()
	v.emit(command, args...)
	synctest.Wait()
}

func (c *crowd) all() (heard []string) {
	synctest.Wait()
	for len(c.heard) > 0 {
		heard = append(heard, <-c.heard)
	}
	slices.Sort(heard)
	return heard
}

// roomsOf returns the rooms of a client beside that of its id; nil if it is gone.
func (s *site) roomsOf(namespace string, c *client.Client) []string {
	if socket := s.io.Of(namespace).Socket(c.ID()); socket != nil {
		return socket.Rooms()[1:]
	}
	return nil
}

func TestAPageEmits(t *testing.T) {
	inABubble(t, Options{Open: true}, func(t *testing.T, s *site) {
		c, v := s.crowd(), s.open()
		for _, step := range []struct {
			args []any
			want []string
		}{
			{[]any{"/", nil, "news", "x"}, []string{`inside: news"x"`, `outside: news"x"`}},
			{[]any{"/", "", "news", 1}, []string{`inside: news1`, `outside: news1`}},
			{[]any{"/", "room", "news", []byte("b")}, []string{`inside: news{"_placeholder":true,"num":0}`}},
			{[]any{"/", c.outside.ID(), "news"}, []string{`outside: news`}},
			{[]any{"/other", nil, "news"}, []string{`elsewhere: news`}},
			{[]any{"/none", nil, "news"}, nil},
			{[]any{"/", nil, "disconnect"}, nil},
			{[]any{"/", nil, 7}, nil},
			{[]any{"/", 7, "news"}, nil},
			{[]any{"/"}, nil},
			{nil, nil},
		} {
			s.obeyed(v, "emit", step.args...)
			if got := c.all(); !slices.Equal(got, step.want) {
				t.Errorf("emit%v: heard %q; want %q", step.args, got, step.want)
			}
		}
		for _, ns := range s.io.Namespaces() {
			if ns.Name() == "/none" {
				t.Error("a namespace was made")
			}
		}
	})
}

func TestAPageMakesSocketsJoinAndLeave(t *testing.T) {
	inABubble(t, Options{Open: true}, func(t *testing.T, s *site) {
		c, v := s.crowd(), s.open()
		for _, step := range []struct {
			command                    string
			args                       []any
			inside, outside, elsewhere []string
		}{
			{"join", []any{"/", "new", "room"}, []string{"room", "new"}, []string{}, []string{"room"}},
			{"join", []any{"/", "all"}, []string{"room", "new", "all"}, []string{"all"}, []string{"room"}},
			{"leave", []any{"/", "all", c.outside.ID()}, []string{"room", "new", "all"}, []string{}, []string{"room"}},
			{"leave", []any{"/", "room", nil}, []string{"new", "all"}, []string{}, []string{"room"}},
			{"join", []any{"/", ""}, []string{"new", "all"}, []string{}, []string{"room"}},
			{"leave", []any{"/", []string{"new"}}, []string{"new", "all"}, []string{}, []string{"room"}},
			{"join", []any{"/other", "x", "room"}, []string{"new", "all"}, []string{}, []string{"room", "x"}},
		} {
			s.obeyed(v, step.command, step.args...)
			inside, outside, elsewhere := s.roomsOf("/", c.inside), s.roomsOf("/", c.outside), s.roomsOf("/other", c.elsewhere)
			if !slices.Equal(inside, step.inside) || !slices.Equal(outside, step.outside) || !slices.Equal(elsewhere, step.elsewhere) {
				t.Errorf("%s%v: rooms %q, %q, %q", step.command, step.args, inside, outside, elsewhere)
			}
		}
	})
}

func TestAPageDisconnects(t *testing.T) {
	inABubble(t, Options{Open: true}, func(t *testing.T, s *site) {
		c, v := s.crowd(), s.open()
		s.obeyed(v, "_disconnect", "/", "yes", "room")
		s.obeyed(v, "_disconnect", "/", false, "nobody")
		if s.roomsOf("/", c.inside) == nil || s.roomsOf("/", c.outside) == nil {
			t.Error("a command that is wrong was obeyed")
		}
		s.obeyed(v, "_disconnect", "/", false, "room")
		if s.roomsOf("/", c.inside) != nil || s.roomsOf("/", c.outside) == nil {
			t.Error("not the room was disconnected, or not it alone")
		}
		s.obeyed(v, "_disconnect", "/other", true)
		select {
		case <-c.elsewhere.Context().Done():
		case <-time.After(time.Minute):
			t.Error("the namespace was not disconnected")
		}
	})
}

func TestAServerThatIsReadOnlyIsOnlyRead(t *testing.T) {
	inABubble(t, Options{Open: true, ReadOnly: true, Verbose: true}, func(t *testing.T, s *site) {
		c := s.crowd()
		v, err := s.visit(nil)
		if err != nil {
			t.Fatal(err)
		}
		v.expect("", `config {"supportedFeatures":["AGGREGATED_EVENTS","ALL_EVENTS"]}`)
		s.obeyed(v, "emit", "/", nil, "news")
		s.obeyed(v, "join", "/", "new")
		s.obeyed(v, "leave", "/", "room")
		s.obeyed(v, "_disconnect", "/", false)
		if got := c.all(); got != nil {
			t.Errorf("heard %q", got)
		}
		if got := s.roomsOf("/", c.inside); !slices.Equal(got, []string{"room"}) {
			t.Errorf("rooms %q", got)
		}
	})
}

func TestAPageMayDisconnectItself(t *testing.T) {
	inABubble(t, Options{Open: true, Verbose: true}, func(t *testing.T, s *site) {
		v := s.open()
		v.emit("_disconnect", "/admin", true)
		select {
		case <-v.c.Context().Done():
		case <-time.After(time.Minute):
			t.Error("it is still there")
		}
	})
}
