package sio

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
)

// OfFunc returns a parent of namespaces that begin to exist when a client asks for them: those that do not exist yet and
// whose names match. auth is what the client gave as auth, lent to match, which must not wait. A regular expression is used
// as in
//
//	rooms := regexp.MustCompile(`^/room-\d+$`)
//	io.OfFunc(func(name string, _ json.RawMessage) bool { return rooms.MatchString(name) })
//
// What is set on the parent, before or afterwards, its children have, too: their middleware and handlers are the parent's
// and then their own, and an event's handler of their own comes in place of the parent's. What is sent to the parent's
// sockets goes to those of all children. Of several parents that match, the first that was made gets the child.
//
// A child ends when its last socket leaves ([Server.KeepChildNamespaces]), and there are no more than
// [Server.MaxChildNamespaces]. [Server.Of] makes children, too; match is then given no auth, and they stay.
func (srv *Server) OfFunc(match func(name string, auth json.RawMessage) bool) *Namespace {
	parent := newNamespace(srv, "")
	parent.match = match
	close(parent.ready)
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.parents = append(srv.parents, parent)
	return parent
}

// OnNamespace adds what is called when a namespace begins to exist ("/" and parents apart), before a client may join it.
func (srv *Server) OnNamespace(h func(ns *Namespace)) { srv.created.add(h) }

// errNoNamespace is what a client is told of a name that it cannot join.
var errNoNamespace = &Error{Message: "Invalid namespace"}

// enter returns the namespace that a client asks for, which stays until leave.
func (srv *Server) enter(name string, auth json.RawMessage) (*Namespace, *Error) {
	if name == "/" {
		srv.Of(name)
	}
	if ns := srv.visit(name); ns != nil {
		return ns, nil
	}
	if len(name) > maxNamespaceName {
		return nil, errNoNamespace
	}
	parent := srv.parentOf(name, auth)
	if parent == nil {
		return nil, errNoNamespace
	}
	srv.mu.Lock()
	ns := srv.namespaces[name] // it may exist by now
	if ns == nil && srv.children >= srv.maxChildNamespaces() {
		srv.mu.Unlock()
		return nil, &Error{Message: "Too many namespaces"}
	}
	begun := ns == nil
	if begun {
		ns = srv.add(name, parent)
		srv.children++
	}
	ns.visitors++
	srv.mu.Unlock()
	if begun {
		srv.tryBegun(ns)
	}
	return ns, nil
}

// visit returns a namespace that exists, nil if there is none of that name.
func (srv *Server) visit(name string) *Namespace {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	ns := srv.namespaces[name]
	if ns != nil {
		ns.visitors++
	}
	return ns
}

// leave undoes enter.
func (srv *Server) leave(ns *Namespace) {
	srv.mu.Lock()
	ns.visitors--
	over := ns.visitors == 0 && ns.parent != nil && !ns.kept && !srv.KeepChildNamespaces
	if over {
		delete(srv.namespaces, ns.name)
		srv.children--
	}
	srv.mu.Unlock()
	if !over {
		return
	}
	if err := ns.close(); err != nil {
		srv.log().Error("sio: closing an adapter", "namespace", ns.name, "err", err)
	}
}

// parentOf returns the parent whose children may have that name, nil if there is none.
func (srv *Server) parentOf(name string, auth json.RawMessage) *Namespace {
	srv.mu.Lock()
	parents := srv.parents
	srv.mu.Unlock()
	for _, p := range parents {
		if p.match(name, auth) {
			return p
		}
	}
	return nil
}

// add makes a namespace, which its caller is to begin. Called with srv.mu held.
func (srv *Server) add(name string, parent *Namespace) *Namespace {
	ns := newNamespace(srv, name)
	ns.parent = parent
	if srv.namespaces == nil {
		srv.namespaces = make(map[string]*Namespace)
	}
	srv.namespaces[name] = ns
	return ns
}

// tryBegun is begun of a namespace that a client makes to exist, which it does not if OnNamespace's handlers panic.
func (srv *Server) tryBegun(ns *Namespace) {
	returned := false
	defer func() {
		if !returned {
			srv.leave(ns)
		}
	}()
	srv.begun(ns)
	returned = true
}

// begun makes a namespace ready to be joined.
func (srv *Server) begun(ns *Namespace) {
	defer close(ns.ready)
	ns.Adapter() // it is to hear of other nodes from the beginning
	if ns.name == "/" {
		return
	}
	for _, h := range srv.created.all() {
		h(ns)
	}
}

// family is the Adapter of a parent: it has those of all children do what it is told.
type family struct {
	parent *Namespace
}

func (f family) children() []*Namespace {
	srv := f.parent.server
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return slices.DeleteFunc(slices.Collect(maps.Values(srv.namespaces)), func(ns *Namespace) bool { return ns.parent != f.parent })
}

// each calls do with the adapter of every child, at the same time.
func (f family) each(do func(Adapter) error) error {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs []error // guarded by mu
	)
	for _, ns := range f.children() {
		all.Go(func() {
			if err := do(ns.Adapter()); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (f family) Broadcast(b Broadcast) error {
	var errs []error
	for _, ns := range f.children() {
		errs = append(errs, ns.Adapter().Broadcast(b))
	}
	return errors.Join(errs...)
}

func (f family) Gather(ctx context.Context, b Broadcast, sent func(sockets int), ack func(Args)) error {
	return f.each(func(a Adapter) error { return a.Gather(ctx, b, sent, ack) })
}

func (f family) Apply(c Command) error {
	var errs []error
	for _, ns := range f.children() {
		errs = append(errs, ns.Adapter().Apply(c))
	}
	return errors.Join(errs...)
}

func (f family) Fetch(ctx context.Context, sel Selection) ([]RemoteSocket, error) {
	var (
		all  []RemoteSocket
		errs []error
	)
	for _, ns := range f.children() {
		sockets, err := Audience{ns: ns, sel: sel}.FetchSockets(ctx)
		all = append(all, sockets...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}
