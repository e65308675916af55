// Package websocket is the server's half of RFC 6455, and of permessage-deflate (RFC 7692): the handshake, a reader of
// messages that bounds what a peer can make grow, and the encoding of frames. It knows nothing of what the messages hold,
// starts no goroutine and sets no deadline but for the reply to the handshake.
//
//	if err := websocket.Check(r); err != nil { ... }
//	conn, src, err := websocket.Accept(w, r, websocket.Reply{Timeout: 10 * time.Second})
//	...
//	in := websocket.NewReader(src, control)
//	for {
//		op, err := in.Next()
//		...
//	}
package websocket
