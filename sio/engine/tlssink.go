package engine

import (
	"crypto/tls"
	"net"
)

// tlsSink writes to a TLS connection over a flowConn: it encrypts only what the buffer below has room for.
type tlsSink struct {
	conn *tls.Conn
	flow *flowConn
}

func (s *tlsSink) tryWrite(bufs *net.Buffers) (int, error) {
	return s.encrypt(bufs, sink.tryWrite)
}

// write waits until the buffer below is empty once.
func (s *tlsSink) write(bufs *net.Buffers) (int, error) {
	for s.flow.waiting() > 0 {
		if err := s.flush(sink.write); err != nil {
			return 0, err
		}
	}
	n, err := s.encrypt(bufs, sink.tryWrite)
	if err == errBusy {
		err = nil
	}
	return n, err
}

// encrypt fills the buffer below from bufs, and flushes it, until all is written or the buffer stays full.
func (s *tlsSink) encrypt(bufs *net.Buffers, write func(sink, *net.Buffers) (int, error)) (n int, err error) {
	s.flow.cork(true)
	defer s.flow.cork(false)
	var record []byte
	for {
		for len(*bufs) > 0 && s.flow.waiting() < cipherBytes {
			if record == nil && len(*bufs) > 1 { // one segment goes as it is
				record = make([]byte, 0, min(recordBytes, length(*bufs)))
			}
			plain := nextRecord(record, *bufs)
			if _, err := s.conn.Write(plain); err != nil {
				return n, err
			}
			take(bufs, len(plain))
			n += len(plain)
		}
		if err := s.flush(write); err != nil || len(*bufs) == 0 {
			return n, err
		}
	}
}

func (s *tlsSink) flush(write func(sink, *net.Buffers) (int, error)) error {
	s.flow.mu.Lock()
	defer s.flow.mu.Unlock()
	return s.flow.flush(write)
}

// nextRecord returns the next bytes of bufs, at most a record; small segments are copied together into record.
func nextRecord(record []byte, bufs net.Buffers) []byte {
	if len(bufs) == 1 || len(bufs[0]) >= recordBytes {
		return bufs[0][:min(len(bufs[0]), recordBytes)]
	}
	for _, b := range bufs {
		b = b[:min(len(b), cap(record)-len(record))]
		record = append(record, b...)
		if len(record) == cap(record) {
			break
		}
	}
	return record
}

// length returns the bytes of bufs.
func length(bufs net.Buffers) (n int) {
	for _, b := range bufs {
		n += len(b)
	}
	return n
}
