// Package client is a Socket.IO client: protocol version 5 over Engine.IO 4, by HTTP long-polling, by
// WebSocket, or, as is the default, by polling that is upgraded to WebSocket once that is known to work.
//
//	c, err := client.Dial(ctx, "http://127.0.0.1:3000", client.Options{Auth: map[string]string{"token": t}})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	c.On("server message", func(e *client.Event) { ... })
//	reply, err := c.EmitWithAck(ctx, "join", map[string]string{"room": "lobby"})
//
// A Client belongs to one namespace. A lost connection is made anew, with a growing and jittered delay;
// what was under way fails with a *DisconnectError and is not sent again by itself, since only the
// application knows whether it may be. WaitConnected tells when to go on.
//
// Bytes travel as binary attachments: a []byte anywhere in an argument, or a Stream, which is sent as it
// is read, in constant memory, however large it is.
//
// What takes a context may wait, what takes none does not. Handlers run one at a time, in the order of the
// events; an acknowledgement does not wait behind the handler that awaits it.
//
// It does not speak Engine.IO 3, WebTransport or permessage-deflate, and keeps no connection state to
// recover: a reconnected client is a new socket to the server.
//
// See https://socket.io/docs/v4/socket-io-protocol/ and https://socket.io/docs/v4/engine-io-protocol/.
package client
