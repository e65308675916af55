// Package siotest is to sio what httptest is to net/http: a server on a network in memory, which clients reach with everything a
// real one uses but the kernel. Nothing in it needs a port, and time can run in testing/synctest.
//
//	srv := siotest.NewServer(&sio.Server{})
//	defer srv.Close()
//	c, err := srv.Dial(ctx, client.Options{})
//
// Clients of other kinds take [Server.DialContext] as the way to their server.
package siotest
