// Package admin lets the page of npm's @socket.io/admin-ui look into a [sio.Server]: it shows the sockets of all namespaces, the
// rooms they are in, their events while they happen, and how much goes through the server. Who uses the page can make sockets
// join rooms, leave them and disconnect, and emit to them.
//
//	auth, err := admin.Basic("admin", hash) // of bcrypt
//	if err != nil {
//		return err
//	}
//	ui := admin.Instrument(io, admin.Options{Authenticate: auth, Verbose: true})
//	defer ui.Close()
//
// The page itself is a folder of files, ui/dist of that npm package, to be served from anywhere; it asks for the server's URL.
// From another origin it needs [sio.Server.CORS] with Credentials.
//
// # Who is let in
//
// Whoever Authenticate says yes to, and then whoever brings the session's id that such a page was given. A wrong password is
// followed by a second in which no other is tried: so they cannot be guessed, but who tries without end keeps others out, too, as
// long as they have no session.
//
// # What it costs
//
// While no page is open: nothing but a namespace. With Verbose, an open page makes the server note what happens, and tell it ten
// times a second at most. What is noted is bounded: when too much happens, events are left out, and the page gets the list of
// sockets anew, as does a page that cannot take in time what it is sent. Nobody else ever waits for any of it.
//
// # What is shown
//
// Of an event its name and its arguments, as far as they are short; of an attachment at most the size. Of a socket its rooms,
// its handshake and what Socket.SetData was given. Of the headers those are left out that prove who somebody is (Authorization,
// Cookie, Proxy-Authorization): with them whoever sees the page, or a picture of it, could take a user's place. Auth, where
// clients of Socket.IO give their tokens, is never shown. The URL and the query are: do not put secrets there. Of pages all is
// shown but their events, which would beget others without end.
//
// Of several servers with a common [sio.Adapter] each shows its own sockets; commands reach those of all.
package admin
