package engine

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Over HTTP/2 requests share a connection, and deadlines are a stream's own: the end of a session ends its requests, and no others.
func TestTheEndOfASessionEndsItsRequestsOverHTTP2(t *testing.T) {
	sessions := make(chan *echo, 10)
	srv := &Server{Accept: func(s *Session, _ *http.Request) (Receiver, error) {
		e := &echo{session: s, ended: make(chan error, 1)}
		sessions <- e
		return e, nil
	}}
	s := &site{Server: httptest.NewUnstartedServer(srv), engine: srv, sessions: sessions}
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	defer s.Client().CloseIdleConnections()
	open := func() (string, *echo) {
		sid := s.polling(t)
		return s.URL + "/engine.io/?EIO=4&transport=polling&sid=" + sid, wait(t, sessions)
	}

	upload, uploading := open()
	body, rest := io.Pipe()
	defer rest.Close()
	begun, posted := make(chan bool, 1), make(chan string, 1)
	uploading.onMessage(func(Message) { begun <- true })
	go func() { posted <- answer(http.MethodPost, s.Client(), upload, body) }()
	io.WriteString(rest, "bAQID")
	wait(t, begun)
	uploading.session.Close(nil)
	// It is cut off while it is read, or is not read any further.
	if got := wait(t, posted); !strings.HasPrefix(got, "HTTP/2.0 400") && got != "HTTP/2.0 200 OK ok" {
		t.Errorf("the POST under way: %s", got)
	}

	download, downloading := open()
	resp, err := make(chan *http.Response, 1), make(chan error, 1)
	go func() {
		r, e := s.Client().Get(download)
		resp <- r
		err <- e
	}()
	downloading.send(Outgoing{Data: make([]byte, 64<<20)})
	unread := wait(t, resp)
	if e := wait(t, err); e != nil {
		t.Fatal(e)
	}
	defer unread.Body.Close()

	waiting, _ := open()
	got := make(chan string, 1)
	go func() { got <- answer(http.MethodGet, s.Client(), waiting, nil) }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if got := wait(t, got); got != "HTTP/2.0 200 OK 1" && !strings.HasPrefix(got, "HTTP/2.0 503") { // if it came too late
		t.Errorf("the GET that waited: %s", got)
	}
}

// answer returns the protocol, the status and the body of a reply.
func answer(method string, c *http.Client, url string, body io.Reader) string {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		return err.Error()
	}
	resp, err := c.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body) // what came before the end
	return resp.Proto + " " + resp.Status + " " + string(b)
}
