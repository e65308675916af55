// Package load is the clients' side of a benchmark: many connections that cost the machine they share with the server as
// little as may be, and that check what arrives. They speak Socket.IO 5 over WebSocket (RFC 6455) and polling, and the
// nothing that a server of raw TCP speaks.
//
// What is sent carries its own proof: every message of a flow begins with a stamp, its number and when it was due, and has a
// body whose checksum is known (Message). A Checker holds what arrives against that.
package load
