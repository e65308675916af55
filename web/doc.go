// Package web is sluice in a browser: the page on which people join a room, send files and see what others
// send, and sluice.js, the library it rests on, which any page of the same server may import.
//
// All of it is plain ES modules, HTML and CSS, embedded as they lie here, and our Socket.IO client, which sio/browser has
// made: nothing is built, and nothing is loaded from anywhere else, which the Content-Security-Policy of every response holds it to.
package web
