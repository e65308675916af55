package admin_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"sluice/sio"
	"sluice/sio/admin"
	"sluice/sio/client"
)

func Example() {
	// "changeit", as in: htpasswd -bnBC 10 "" changeit
	auth, err := admin.Basic("admin", "$2a$10$DbzwOP/KYKcl7ig7wCfCbebFA0GNpPXTKvBZvZarSyP9bfLvVxMby")
	if err != nil {
		log.Fatal(err)
	}
	io := &sio.Server{}
	ui := admin.Instrument(io, admin.Options{Authenticate: auth, Verbose: true})
	defer ui.Close()

	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.Handle("/ui/", http.StripPrefix("/ui/", http.FileServer(http.Dir("node_modules/@socket.io/admin-ui/ui/dist"))))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer io.Shutdown(context.Background())

	// What the page does when its user has filled in the form.
	page, err := client.New(srv.URL, client.Options{
		Namespace: "/admin",
		Auth:      map[string]string{"username": "admin", "password": "changeit"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer page.Close()
	can := make(chan string, 1)
	page.On("config", func(e *client.Event) { can <- string(e.Raw(0)) })
	if err := page.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-can)
	// Output: {"supportedFeatures":["EMIT","JOIN","LEAVE","DISCONNECT","MJOIN","MLEAVE","MDISCONNECT","AGGREGATED_EVENTS","ALL_EVENTS"]}
}
