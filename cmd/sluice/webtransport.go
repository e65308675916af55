package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"sluice/sio"
	"sluice/sio/webtransport"
)

// quicDoor lets clients in over WebTransport.
type quicDoor struct {
	srv    *webtransport.Server
	served chan error
}

// openQUIC opens the door at the port of UDP that HTTPS has of TCP, if --webtransport asks for it; nil if not.
func (c *Serve) openQUIC(io *sio.Server, https net.Addr, log *slog.Logger) (*quicDoor, error) {
	if !c.WebTransport {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	udp, err := net.ListenPacket("udp", https.String())
	if err != nil {
		return nil, fmt.Errorf("--webtransport: %w", err)
	}
	d := &quicDoor{
		srv:    &webtransport.Server{Handler: io, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Logger: log},
		served: make(chan error, 1),
	}
	go func() { d.served <- d.srv.Serve(udp) }()
	return d, nil
}

// failed returns a channel that tells when the door has shut by itself, nil if there is no door.
func (d *quicDoor) failed() <-chan error {
	if d == nil {
		return nil
	}
	return d.served
}

// close waits until the clients, who have been told to go, have gone.
func (d *quicDoor) close(ctx context.Context) error {
	if d == nil {
		return nil
	}
	if err := d.srv.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
