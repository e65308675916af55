package main

import (
	"errors"
	"io"
	"sync"
)

// source reads ahead, so that who sends need not wait for who reads, nor the other way round.
type source struct {
	pieces chan []byte // closed at the end of what there is to read
	err    error       // why that was not io.EOF; read it once pieces is closed

	stop chan struct{} // closed when nothing more is wanted
	once sync.Once
}

// newSource begins to read r in pieces of size bytes. Unless they are to be whole, what has arrived goes on at once, as from a
// pipe of live media.
func newSource(r io.Reader, size int64, whole bool) *source {
	s := &source{pieces: make(chan []byte, 1), stop: make(chan struct{})}
	go s.run(r, size, whole)
	return s
}

func (s *source) run(r io.Reader, size int64, whole bool) {
	defer close(s.pieces)
	for {
		p := make([]byte, size)
		n, err := read(r, p, whole)
		if n > 0 {
			select {
			case s.pieces <- p[:n]:
			case <-s.stop:
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				s.err = err
			}
			return
		}
	}
}

func read(r io.Reader, p []byte, whole bool) (int, error) {
	if !whole {
		return r.Read(p)
	}
	n, err := io.ReadFull(r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// close ends the reading. It does not wait for a Read that is under way: nothing can be done about one of a pipe or a terminal
// on which nothing comes, and it ends with the process.
func (s *source) close() { s.once.Do(func() { close(s.stop) }) }
