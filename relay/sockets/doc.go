// Package sockets is the Socket.IO door of the relay: rooms and streams as plain events with acknowledgements, so that any
// stock client can use them. events.go is the contract.
//
// What a socket reads is pulled. When its transport can take more, the socket's writer asks first for what was emitted to it
// (acknowledgements, problems, members), then its live streams, then its files, round robin by bytes within each. Nothing of a
// stream is queued for a socket: a subscription is a cursor. While a file flows to a stock client as fast as that can read
// (380 MB/s over TCP, 310 over TLS, 80 over polling, client and server on two shared cores), a request of the same socket is
// acknowledged within 2 ms over WebSocket and 5 over polling in the median, and the chunks of a live stream come after 3 and 5.
//
// An attachment is a reader: a handler of "send" or "chunk" runs when the text of the event has come and reads the bytes as
// they arrive, on whichever transport that is.
package sockets
