package webtransport_test

import (
	"crypto/tls"
	"log"
	"net/http"

	"sluice/sio"
	"sluice/sio/webtransport"
)

func Example() {
	cert, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	io := &sio.Server{}
	http.Handle("/socket.io/", io)

	door := &webtransport.Server{Handler: io, Addr: ":3000", TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	go func() { log.Fatal(door.ListenAndServe()) }()
	log.Fatal(http.ListenAndServeTLS(":3000", "cert.pem", "key.pem", nil))
}
