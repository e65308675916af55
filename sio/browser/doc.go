// Package browser is a Socket.IO client for browsers. It is plain JavaScript in small modules, bottom up: emitter.js, packet.js,
// polling.js, websocket.js, webtransport.js, engine.js, socket.js, manager.js, io.js; the last one says what it does. socket.io.d.ts has the
// types. A sio.Server serves it beside its endpoint, as one file in two forms, each less than 8 KB when compressed:
//
//	<script src="/socket.io/socket.io.js"></script>              <!-- defines io -->
//	import { io } from "/socket.io/socket.io.esm.js";
//
// The two, in the folder dist, are made from the modules by go generate, which a test holds them to: no server carries a
// minifier or spends time on it.
package browser
