// Package faults is the test that nothing is lost: uploads go on while the server, the S3 server and the wire between them fail in every
// way, and in the end the bucket has each upload that was acknowledged, once and with the right hash.
//
// A short form is a part of `make test`; `make faults` is the long one, with a table of what was injected and what became of it.
package faults
