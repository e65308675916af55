// Command conformance runs seven servers on loopback that the conformance suites of Socket.IO, of its clients and of WebSocket
// are run against, and that our own tests hold to the letter:
//
//	go run ./sio/internal/conformance --base 21300
//
//	PORT    eio4   echoes, Engine.IO 4
//	PORT+1  eio3   echoes, Engine.IO 3 allowed
//	PORT+2  sio5   what the suite of the Socket.IO protocol asks for
//	PORT+3  eioc   what the suite of Engine.IO's client asks for
//	PORT+4  sioc   what the suite of Socket.IO's client asks for, with connection state recovery
//	PORT+5         sioc with CORS for everybody and Engine.IO 3 allowed, for older clients and those of other languages
//	PORT+6         a WebSocket that echoes messages up to 16 MiB, with permessage-deflate
//
// It prints "ready" when all listen, and ends on SIGTERM. What each of them does is what Node's servers do when they are set up
// for those suites (socket.io 4.8, engine.io 6.6).
package main
