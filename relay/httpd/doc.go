// Package httpd is the HTTP door of the relay: streams by URL, from whichever of memory, spool and store has them, and rooms as
// JSON. A finished stream is served with ranges (RFC 9110, section 14); an open one is followed to its end.
//
// What somebody uploaded is served under the server's own origin, so it is never let run there: only types that no browser
// executes are shown inline, and every response is sandboxed.
package httpd
