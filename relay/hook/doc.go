// Package hook tells a web server what becomes of streams: that one has begun, has come to its end, is archived. Each is one POST of
//
//	{"type": "archived", "timestamp": "2026-01-31T12:00:00Z", "data": {...}}
//
// where type is "stream", "end" or "archived" and data the stream as clients are shown it, with the headers and the signature of
// https://github.com/standard-webhooks/standard-webhooks: webhook-id is the stream's id and the type, and so the same however often it
// is sent; webhook-signature covers id, time and body.
//
// What is told is written down first, and sent until it is answered by 2xx, also by the next process: it comes once at least, unless it
// is not taken for three days, 10,000 others wait, or the machine itself loses what was not on its disk yet. What is told of one stream
// comes in order. After a crash there may be an end of a stream that nobody was told of before. Nobody waits for the web server.
package hook
