package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"sluice/relay"
)

// reception is one stream as it comes in.
type reception struct {
	info  relay.Info
	to    io.Writer // nil: it is only told of
	file  *saving   // what to is, if that is a file
	meter *meter

	at     int64     // received up to here, or known to be missing
	missed int64     // of that, bytes that are missing
	sum    hash.Hash // of what was received

	credited int64 // the server was told to go on from here
}

func newReception(info relay.Info) *reception {
	return &reception{info: info, sum: sha256.New()}
}

// errGapUntold: the server breaks its word that chunks are contiguous but for gaps.
var errGapUntold = errors.New("the server has left something out")

// chunk takes in a chunk. What is known of it already is left out: after a reconnection there may be some.
func (r *reception) chunk(c chunkEvent, data []byte) error {
	if r.to == nil {
		return nil
	}
	if c.Init {
		_, err := r.to.Write(data)
		return err
	}
	switch end := c.Offset + int64(len(data)); {
	case c.Offset > r.at:
		return fmt.Errorf("%w: after %d came %d", errGapUntold, r.at, c.Offset)
	case end <= r.at:
		return nil
	}
	data = data[r.at-c.Offset:]
	if _, err := r.to.Write(data); err != nil {
		return err
	}
	r.sum.Write(data)
	r.at += int64(len(data))
	r.meter.at(r.at)
	return nil
}

// gap takes note that bytes will not come, and reports whether that was news.
func (r *reception) gap(g gapEvent) bool {
	if g.To <= r.at {
		return false
	}
	r.missed += g.To - max(g.From, r.at)
	r.at = g.To
	return true
}

// restart forgets all that was received, and reports whether that could be done.
func (r *reception) restart() bool {
	if r.file == nil || r.file.restart() != nil {
		return false
	}
	r.at, r.missed = 0, 0
	r.sum.Reset()
	return true
}

// piece reports whether what came is of use although it is not all: a live stream is watched from its middle, and until its
// end or one's own.
func (r *reception) piece() bool {
	return r.info.Kind == relay.Live && r.at > r.missed && (r.missed > 0 || !r.info.Whole())
}

// check compares what came with what the stream is, at its end.
func (r *reception) check() error {
	switch {
	case r.piece():
		return nil
	case !r.info.Whole():
		return fmt.Errorf("it was not finished: it is %s", r.info.State)
	case r.missed > 0:
		return fmt.Errorf("%d bytes of it are missing", r.missed)
	case r.info.Size != nil && r.at != *r.info.Size:
		return fmt.Errorf("%d bytes came of %d", r.at, *r.info.Size)
	case r.info.SHA256 != "" && hex.EncodeToString(r.sum.Sum(nil)) != r.info.SHA256:
		return errors.New("its content is not what was published: the SHA-256 differs")
	}
	return nil
}

// close ends the reception: a file is kept when that makes sense. It returns the file's name, if there is one.
func (r *reception) close() (name string, err error) {
	err = r.check()
	if r.file != nil {
		if err != nil {
			r.file.discard()
			return "", err
		}
		name, err = r.file.keep(fileName(r.info))
	}
	if err == nil {
		r.meter.done()
	}
	return name, err
}

// abandon ends a reception in the middle. What came of a live stream is kept.
func (r *reception) abandon() (name string, err error) {
	r.meter.abort()
	switch {
	case r.file == nil:
		return "", nil
	case r.piece():
		return r.file.keep(fileName(r.info))
	}
	r.file.discard()
	return "", nil
}
