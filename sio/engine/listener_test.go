package engine

import (
	"errors"
	"net"
	"testing"
)

// What a client makes crypto/tls say, by asking for new keys, is not written by the sink, and so not bounded by it.
func TestWhatWaitsBelowTLSIsBoundedWhoeverWrites(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	conn, err := Listener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	flow := conn.(*flowConn)
	if !flow.arm() {
		t.Skip("connections can only be written to by waiting here")
	}
	record := make([]byte, 16<<10)
	const kernel = 16 << 20 // more than it takes
	for sent := 0; ; sent += len(record) {
		if _, err := flow.Write(record); err != nil {
			if !errors.Is(err, errCipherFull) {
				t.Errorf("Write: %v; want %v", err, errCipherFull)
			}
			break
		}
		if sent > kernel {
			t.Fatalf("%d bytes wait; want an error at %d", flow.waiting(), maxCipherBytes)
		}
	}
	if n := flow.waiting(); n > maxCipherBytes {
		t.Errorf("%d bytes wait; want %d at most", n, maxCipherBytes)
	}
}
