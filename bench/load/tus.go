package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Tus is the dialect of servers of tus 1.0.0, with uploads at "/files".
type Tus struct{}

// Upload is Uploader's: an upload of a length that is declared at its end, with a PATCH for each message, one after the other on
// one connection: tus has a client wait for the offset before it sends on, so inFlight is one at most.
func (Tus) Upload(ctx context.Context, addr, _ string, m *Message, _ int) (Sender, error) {
	conn, err := dialHTTP(ctx, addr, new(atomic.Int64))
	if err != nil {
		return nil, err
	}
	s := &tusSender{httpConn: conn, message: m.clone()}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := s.create(); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

type tusSender struct {
	*httpConn
	message *Message
	path    string
	offset  int64
}

func (s *tusSender) Close() { s.httpConn.Close() }

func (s *tusSender) create() error {
	response, err := s.ask("POST", "/files", "Tus-Resumable: 1.0.0\r\nUpload-Defer-Length: 1\r\n", nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	at, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		return err
	}
	s.path = at.EscapedPath()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (s *tusSender) Send(ctx context.Context, number int64) error {
	putStamp(s.message.data, number, time.Unix(0, 0))
	return s.patch(ctx, "", s.message.data)
}

// Finish is Sender's: it declares the length.
func (s *tusSender) Finish(ctx context.Context, count int64) error {
	want := count * int64(s.message.Size())
	if s.offset != want {
		return fmt.Errorf("the offset is %d; want %d", s.offset, want)
	}
	return s.patch(ctx, "Upload-Length: "+strconv.FormatInt(want, 10)+"\r\n", nil)
}

// patch appends a part to the upload, and checks that the server has it.
func (s *tusSender) patch(ctx context.Context, headers string, part []byte) error {
	stop := context.AfterFunc(ctx, func() { s.httpConn.Close() })
	defer stop()
	headers += "Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: " + strconv.FormatInt(s.offset, 10) + "\r\n"
	response, err := s.ask("PATCH", s.path, headers, part)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	s.offset += int64(len(part))
	if at := response.Header.Get("Upload-Offset"); at != strconv.FormatInt(s.offset, 10) {
		return fmt.Errorf("the server's offset is %q; want %d", at, s.offset)
	}
	return nil
}

// prove is prover's: the server gives back what it has.
func (s *tusSender) prove(count int64) error {
	sum := sha256.New()
	err := s.each("GET", s.path, "", func(part []byte) error {
		sum.Write(part)
		return nil
	})
	if err != nil {
		return err
	}
	if got, want := hex.EncodeToString(sum.Sum(nil)), s.message.sha256(count); got != want {
		return fmt.Errorf("the server's file has SHA-256 %s; want %s", got, want)
	}
	return nil
}
