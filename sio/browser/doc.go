// Package browser is a Socket.IO client for browsers, and the handler that serves it. The client is plain
// JavaScript in small modules, bottom up: emitter.js, packet.js, polling.js, websocket.js, engine.js,
// socket.js, manager.js, io.js; the last one says what it does. Pages get them as one file, in two forms:
//
//	<script src="/socket.io/socket.io.js"></script>              <!-- defines io -->
//	import { io } from "/socket.io/socket.io.esm.js";
//
// There is no build step: the files are joined when the program starts, comments and all. socket.io.d.ts has
// the types.
//
//	mux.Handle("/socket.io/", &sio.Server{})
//	mux.Handle("/socket.io/socket.io.js", browser.Handler())
//	mux.Handle("/socket.io/socket.io.esm.js", browser.Handler())
package browser
