// Package siotest is to sio what httptest is to net/http: a server on a network in memory, and clients that talk to it with
// everything a real one uses but the kernel. Nothing in it needs a port, and time can run in testing/synctest.
//
//	io := &sio.Server{}
//	srv := siotest.NewServer(io)
//	defer srv.Close()
//	c, err := client.Dial(ctx, srv.URL, client.Options{DialContext: srv.DialContext})
package siotest
