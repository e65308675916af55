package sio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/sio"
	"sluice/sio/client"
)

// ServerSideEmit and ServerSideEmitWithAck make a node a sio.ServerEmitter.
func (n *node) ServerSideEmit(p *sio.Prepared) error {
	args, err := p.Args()
	for _, o := range n.others() {
		o.ns.ServeServerSide(p.Name(), args, nil)
	}
	return err
}

func (n *node) ServerSideEmitWithAck(ctx context.Context, p *sio.Prepared) ([]sio.Args, error) {
	args, err := p.Args()
	if err != nil {
		return nil, err
	}
	others := n.others()
	acks := make(chan sio.Args, len(others))
	for _, o := range others {
		o.ns.ServeServerSide(p.Name(), args, func(ack sio.Args) { acks <- ack })
	}
	var got []sio.Args
	for range others {
		select {
		case ack := <-acks:
			got = append(got, ack)
		case <-ctx.Done():
			return got, context.Cause(ctx)
		}
	}
	return got, nil
}

func TestServersTalkToEachOther(t *testing.T) {
	here, there, _, _ := twoNodes(t)
	got := make(chan string, 1)
	there.Of("/").OnServerSide("hello", func(e *sio.ServerEvent) {
		got <- e.Name + string(e.Raw(0))
		if err := e.Ack(); err != sio.ErrNoAck {
			t.Errorf("Ack = %v; want ErrNoAck", err)
		}
	})
	there.Of("/").OnServerSide("add", func(e *sio.ServerEvent) {
		var a, b int
		if err := errors.Join(e.Decode(0, &a), e.Decode(1, &b)); err != nil {
			t.Error(err)
		}
		go func() { // later
			if first, second := e.Ack(a+b, []byte("sum")), e.Ack(0); first != nil || second != sio.ErrNoAck {
				t.Errorf("Ack = %v, and again %v; want nil, ErrNoAck", first, second)
			}
		}()
	})
	there.Of("/").OnServerSide("silent", func(e *sio.ServerEvent) {})
	here.Of("/").OnServerSide("hello", func(e *sio.ServerEvent) { t.Error("a server hears itself") })

	if err := here.Of("/").ServerSideEmit("hello", "you"); err != nil {
		t.Error(err)
	}
	if got := receive(t, got); got != `hello"you"` {
		t.Error(got)
	}
	acks, err := here.Of("/").ServerSideEmitWithAck(t.Context(), "add", 1, 2)
	if err != nil || len(acks) != 1 || string(acks[0].Raw(0)) != "3" || !acks[0].IsAttachment(1) {
		t.Errorf("acks %v, %v", acks, err)
	}
	for _, nobody := range []string{"silent", "unheard of"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if acks, err := here.Of("/").ServerSideEmitWithAck(ctx, nobody); !errors.Is(err, context.DeadlineExceeded) || len(acks) > 0 {
			t.Errorf("%s: %v, %v", nobody, acks, err)
		}
	}
}

// What can be asked, can be asked in types.
var _ = []sio.Caller{&sio.Socket{}, sio.Emission{}, sio.RemoteSocket{}, &client.Client{}}

func TestAServerAloneSaysSo(t *testing.T) {
	ns := new(sio.Server).Of("/")
	if err := ns.ServerSideEmit("hello"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("ServerSideEmit = %v; want errors.ErrUnsupported", err)
	}
	if _, err := ns.ServerSideEmitWithAck(t.Context(), "hello"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("ServerSideEmitWithAck = %v; want errors.ErrUnsupported", err)
	}
	for _, name := range []string{"connect", "connection", "new_namespace"} {
		if err := ns.ServerSideEmit(name); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPanicOfAServersEventIsLoggedOnly(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	ns := io.Of("/")
	ns.OnServerSide("panic", func(*sio.ServerEvent) { panic("at the disco") })
	ns.ServeServerSide("panic", sio.Args{}, nil)
	if got := io.Stats().Panics; got != 1 {
		t.Errorf("%d panics; want 1", got)
	}
	if !panics(func() { ns.OnServerSide("panic", func(*sio.ServerEvent) {}) }) {
		t.Error("a second handler was accepted")
	}
}
