// Package webtransport opens a door for WebTransport to a server of Engine.IO or Socket.IO: clients come over HTTP/3, at
// once or by an upgrade from polling. It is apart from them so that only those who want it build QUIC.
//
//	io := &sio.Server{}
//	door := &webtransport.Server{Handler: io, Addr: ":3000", TLSConfig: config}
//	go door.ListenAndServe()
//	http.ListenAndServeTLS(":3000", cert, key, io)
//
// Clients look for WebTransport at the same port, of UDP, at which they find HTTPS. As long as the door is open, the server
// announces the upgrade. Browsers want a certificate that they trust anyway, or, named by its hash when the page connects,
// one of ECDSA that is valid for at most 14 days.
//
// WebTransport over HTTP/3: https://datatracker.ietf.org/doc/draft-ietf-webtrans-http3/
package webtransport
