package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/admin"
	"sluice/sio/client"
)

// patienceMS is how long the page may take for anything.
const patienceMS = 20_000

// tab is the real page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) run(expression string) (value any) {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// wait waits until an expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	const script = `new Promise((resolve) => {
		const done = (value) => { clearInterval(look); clearTimeout(end); resolve(value); };
		const look = setInterval(() => { if (%s) done(true); }, 20);
		const end = setTimeout(() => done(false), %d);
	})`
	if p.run(fmt.Sprintf(script, expression, patienceMS)) != true {
		p.t.Fatalf("not in %d ms: %s\nthe page says: %s", patienceMS, expression, p.run("document.body.innerText"))
	}
}

// shows waits until the page shows a text.
func (p *tab) shows(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector("main").textContent.includes(%s)`, js(text)))
}

// visit goes to a view of the page.
func (p *tab) visit(view string) {
	p.t.Helper()
	p.run(fmt.Sprintf("location.hash = %s", js("#"+view)))
}

// row is the expression of the table's row that shows a text.
func row(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("main tbody tr")].find((r) => r.textContent.includes(%s))`, js(text))
}

// press presses a button in a row, by its number.
func (p *tab) press(text string, button int) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`%s?.querySelectorAll("button")[%d]`, row(text), button))
	p.run(fmt.Sprintf(`%s.querySelectorAll("button")[%d].click()`, row(text), button))
}

func js(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // of a text
	}
	return string(b)
}

// serve starts io and the files of the page on loopback.
func serve(t *testing.T, io *sio.Server) (url string) {
	t.Helper()
	files := http.FileServer(http.Dir(lab.PackagePath(t, "@socket.io/admin-ui/ui/dist")))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "style-src 'self' 'unsafe-inline'; font-src 'self'") // fonts of others are not asked for
		files.ServeHTTP(w, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		srv.Close()
	})
	return srv.URL
}

// TestTheRealPageShowsAndCommands goes through what somebody does with it, in order.
func TestTheRealPageShowsAndCommands(t *testing.T) {
	io := &sio.Server{}
	ui := admin.Instrument(io, admin.Options{
		Authenticate: func(username, password string) bool {
			return admin.Equal(username, "admin") && admin.Equal(password, "changeit")
		},
		Verbose: true, ServerID: "the server",
	})
	defer ui.Close()
	defer admin.Instrument(io, admin.Options{Open: true, Namespace: "/numbers", ServerID: "the counter"}).Close()
	io.Of("/").OnConnect(func(s *sio.Socket) { s.SetData(map[string]string{"name": "Ada"}) })
	io.Of("/").On("enter", func(e *sio.Event) {
		e.Socket.Join("harbour")
		e.Socket.Emit("welcome", "aboard")
		e.Ack()
	})
	url := serve(t, io)
	ada, err := client.Dial(t.Context(), url, client.Options{NoReconnect: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ada.Close()
	id := ada.ID()
	socket := io.Of("/").Socket(id)

	p := &tab{t, lab.Chromium(t)}
	p.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(url+"/"))

	// Who does not know the password stays outside.
	p.do(chromedp.WaitVisible(".v-dialog form"))
	p.do(chromedp.SendKeys(".v-dialog form .v-text-field:nth-of-type(1) input", url))
	p.do(chromedp.SendKeys(".v-dialog form .v-text-field:nth-of-type(2) input", "admin"))
	p.do(chromedp.SendKeys(".v-dialog form input[type=password]", "changei"))
	p.do(chromedp.Click(".v-dialog form button[type=submit]"))
	p.wait(`document.querySelector(".v-dialog form").textContent.includes("Invalid credentials")`)
	p.do(chromedp.SendKeys(".v-dialog form input[type=password]", "t"))
	p.do(chromedp.Click(".v-dialog form button[type=submit]"))
	p.wait(`!document.querySelector(".v-dialog--active")`)

	// What there is, and what happens.
	p.shows("Healthy")
	p.visit("/sockets/")
	p.shows(id)
	if _, err := ada.EmitWithAck(t.Context(), "enter", "quietly", []byte("and with luggage")); err != nil {
		t.Fatal(err)
	}
	p.visit("/events/")
	p.wait(row("Event received") + `?.textContent.includes("enter")`)
	p.wait(row("Event sent") + `?.textContent.includes("welcome")`)
	p.wait(row("Room joined") + `?.textContent.includes("harbour")`)
	p.press("Event received", 0)
	p.shows("binary")
	p.visit("/clients/")
	p.shows(socket.ConnID()[:12])
	p.visit("/servers/")
	p.shows("the server")
	p.visit("/rooms/")
	p.shows("harbour")
	p.visit("/n/%2F/sockets/" + id)
	p.shows(`"name": "Ada"`)
	p.shows("127.0.0.1")

	// Commands.
	p.visit("/rooms/")
	p.press("harbour", 0) // all out; pressing also leads to the room's details
	p.wait(`/deleted/i.test(document.querySelector("main").textContent)`)
	if rooms := socket.Rooms(); len(rooms) != 1 {
		t.Errorf("the socket is in %q", rooms)
	}

	// It comes back without the password, and with another parser.
	p.run(`localStorage.setItem("parser", "msgpack")`)
	p.do(chromedp.Reload())
	p.visit("/sockets/")
	p.shows(id)
	p.press(id, 0) // disconnect
	p.visit("/sockets/")
	p.wait("!" + row(id))
	select {
	case <-socket.Context().Done():
	case <-time.After(patienceMS * time.Millisecond):
		t.Error("the socket is still connected")
	}

	// Where single events are not shown, the page offers no more than numbers.
	p.run(`localStorage.setItem("namespace", "/numbers")`)
	p.do(chromedp.Reload())
	p.visit("/servers/")
	p.shows("the counter")
	if got := p.run(`document.querySelector("nav").textContent`).(string); strings.Contains(got, "Rooms") || !strings.Contains(got, "Servers") {
		t.Errorf("the page offers %q", got)
	}
}
