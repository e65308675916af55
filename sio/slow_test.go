package sio_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/sio"
	"sluice/sio/siotest"
)

const handshakeText = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: siotest\r\nUpgrade: websocket\r\nX-Long: "

// dawdle drips the handshake, or says nothing, until the server has had enough.
func dawdle(conn net.Conn, drips bool, every time.Duration) {
	defer conn.Close()
	var dripping sync.WaitGroup
	defer dripping.Wait()
	over := make(chan struct{})
	defer close(over)
	if drips {
		dripping.Go(func() {
			for i := 0; ; i = min(i+1, len(handshakeText)-1) {
				if _, err := io.WriteString(conn, handshakeText[i:i+1]); err != nil {
					return
				}
				select {
				case <-over:
					return
				case <-time.After(every):
				}
			}
		})
	}
	io.Copy(io.Discard, conn)
	conn.Close() // a write that waits in memory ends
}

// A server that gives a request's header ten seconds is rid of who takes longer in twenty at most.
func TestHandshakesThatTakeTooLongAreCutOff(t *testing.T) {
	inMemory(t, &sio.Server{}, func(t *testing.T, srv *siotest.Server) {
		begin := time.Now()
		var dawdlers sync.WaitGroup
		for i := range 1000 {
			conn, err := srv.DialContext(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			dawdlers.Go(func() {
				dawdle(conn, i%2 == 0, time.Second)
				if took := time.Since(begin); took > 20*time.Second {
					t.Errorf("client %d was cut off after %v", i, took)
				}
			})
		}
		dawdlers.Wait()
	})
}

// The same on real connections, with less time, while others go about their business.
func TestThoseWhoDawdleDelayNobody(t *testing.T) {
	const clients, limit = 1000, time.Second
	server := &sio.Server{Logger: quiet()}
	heed(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: limit}
	var served sync.WaitGroup
	served.Go(func() { web.Serve(l) })
	t.Cleanup(func() { // after the bystanders have gone, however the test ends
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		web.Close()
		served.Wait()
	})
	url := "http://" + l.Addr().String()
	alone := stand(t, url, "websocket")
	eventually(t, func() bool { return alone.heard.Load() > 200 })
	alone.leave()

	others := []*bystander{stand(t, url, "websocket"), stand(t, url, "polling")}
	before, begin := footprintOf(server), time.Now()
	var dawdlers sync.WaitGroup
	for i := range clients {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		dawdlers.Go(func() { dawdle(conn, i%2 == 0, limit/20) })
	}
	dawdlers.Wait()
	took := time.Since(begin)
	if took > 20*time.Second {
		t.Errorf("%d clients were cut off in %v", clients, took)
	}
	before.awaitReturn(t, server, 8<<20, len(others))
	for _, b := range others {
		if b.leave(); b.percentile99() > time.Second {
			t.Errorf("99 of 100 acks of a bystander took up to %v", b.percentile99())
		}
	}
	t.Logf("%d clients were cut off in %v; 99 of 100 acks took %v alone and %v meanwhile", clients, took, alone.percentile99(), others[0].percentile99())
}
