package sio_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/sio"
)

// cluster links the servers of a test: what an Adapter for several nodes does over a network, its adapters do by calls.
type cluster struct {
	mu    sync.Mutex
	nodes []*node // guarded by mu
}

// node is the Adapter of a namespace on one server.
type node struct {
	cluster *cluster
	ns      *sio.Namespace
	local   sio.Adapter
}

func (c *cluster) adapter(ns *sio.Namespace, local sio.Adapter) sio.Adapter {
	n := &node{c, ns, local}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, n)
	return n
}

// reached returns the adapters of the namespace that sel is about: n's own and, unless it is local, those of other nodes.
func (n *node) reached(sel sio.Selection) []*node {
	reached := []*node{n}
	if sel.Local {
		return reached
	}
	return append(reached, n.others()...)
}

func (n *node) others() []*node {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.cluster.nodes), func(o *node) bool { return o == n || o.ns.Name() != n.ns.Name() })
}

// names returns the namespaces that have an Adapter.
func (c *cluster) names() (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		names = append(names, n.ns.Name())
	}
	slices.Sort(names)
	return names
}

// travelled returns p as it comes out of a wire.
func travelled(p *sio.Prepared) *sio.Prepared {
	args, _ := p.Args()
	return sio.PrepareArgs(p.Name(), sio.NewArgs(args.Split()))
}

func (n *node) Broadcast(b sio.Broadcast) error {
	var errs []error
	for _, o := range n.reached(b.Selection) {
		errs = append(errs, o.local.Broadcast(b))
		b.Event = travelled(b.Event)
	}
	return errors.Join(errs...)
}

func (n *node) Gather(ctx context.Context, b sio.Broadcast, sent func(int), ack func(sio.Args)) error {
	reached := n.reached(b.Selection)
	errs := make([]error, len(reached))
	var all sync.WaitGroup
	for i, o := range reached {
		all.Go(func() { errs[i] = o.local.Gather(ctx, b, sent, ack) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (n *node) Apply(c sio.Command) error {
	for _, o := range n.reached(c.Selection) {
		o.local.Apply(c)
	}
	return nil
}

func (n *node) Fetch(ctx context.Context, sel sio.Selection) ([]sio.RemoteSocket, error) {
	var all []sio.RemoteSocket
	for _, o := range n.reached(sel) {
		sockets, err := o.local.Fetch(ctx, sel)
		if err != nil {
			return all, err
		}
		all = append(all, sockets...)
	}
	return all, nil
}

func (n *node) Close() error {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	if !slices.Contains(n.cluster.nodes, n) {
		return errors.New("an Adapter was closed twice")
	}
	n.cluster.nodes = slices.DeleteFunc(n.cluster.nodes, func(o *node) bool { return o == n })
	return nil
}

// twoNodes returns servers that form a cluster, each with a client in the room "red".
func twoNodes(t *testing.T) (here, there *sio.Server, a, b *peer) {
	t.Helper()
	c := &cluster{}
	t.Cleanup(func() {
		if len(c.nodes) > 0 {
			t.Errorf("%d adapters were not closed", len(c.nodes))
		}
	})
	here, there = withRooms(&sio.Server{NewAdapter: c.adapter}), withRooms(&sio.Server{NewAdapter: c.adapter})
	a, _ = member(t, serve(t, here), `["red"]`)
	b, _ = member(t, serve(t, there), `["red"]`)
	return here, there, a, b
}

func TestAnAdapterReachesOtherNodes(t *testing.T) {
	here, there, a, b := twoNodes(t)
	ns := here.Of("/")
	ns.To("red").Emit("news", []byte("x"))
	ns.Local().Emit("local")
	ns.Emit("all")
	a.expect(`51-["news",{"_placeholder":true,"num":0}]`, `b:x`, `2["local"]`, `2["all"]`)
	b.expect(`51-["news",{"_placeholder":true,"num":0}]`, `b:x`, `2["all"]`)
	here.Of("/").Sockets()[0].Broadcast().Emit("others")
	b.expect(`2["others"]`)

	go func() {
		for _, p := range []*peer{a, b} {
			p.expect(`20["question"]`)
			p.send(`30[1]`)
		}
	}()
	if acks, err := ns.Timeout(patience).EmitWithAck(t.Context(), "question"); err != nil || len(acks) != 2 {
		t.Errorf("acks %v, %v; want two", acks, err)
	}
	if acks, err := ns.Timeout(time.Millisecond).EmitWithAck(t.Context(), "question"); err == nil || len(acks) != 0 {
		t.Errorf("acks %v, %v; want an error", acks, err)
	}

	sockets, err := ns.Except("nobody").FetchSockets(t.Context())
	if err != nil || len(sockets) != 2 {
		t.Fatalf("FetchSockets = %v, %v", sockets, err)
	}
	if local, err := ns.Local().FetchSockets(t.Context()); err != nil || len(local) != 1 {
		t.Errorf("of this node: %v, %v", local, err)
	}
	ns.SocketsJoin("blue")
	ns.To("blue").SocketsLeave("red")
	if got := there.Of("/").To("blue").Except("red").Sockets(); len(got) != 1 {
		t.Errorf("on the other node, in blue: %v", got)
	}
	for _, s := range sockets {
		s.Disconnect(false)
	}
	b.next() // the question nobody answered
	b.expect(`1`)
}
