//go:build !race

package webtransport_test

// streams is how many streams a client floods a server with.
const streams = 100_000
