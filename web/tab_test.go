package web

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/internal/lab"
)

// tab is one page of a browser, and who looks at it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	name string
}

// patienceMS is how long a page may take for anything.
const patienceMS = 20_000

// newTabs opens tabs of one browser, one for each name.
func newTabs(t *testing.T, names ...string) []*tab {
	t.Helper()
	first := lab.Chromium(t)
	tabs := []*tab{{t, first, names[0]}}
	for _, name := range names[1:] {
		ctx, cancel := chromedp.NewContext(first)
		t.Cleanup(cancel)
		tabs = append(tabs, &tab{t, ctx, name})
	}
	return tabs
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// run evaluates an expression, a promise's value once it is there.
func run[T any](p *tab, format string, args ...any) T {
	p.t.Helper()
	expression := fmt.Sprintf(format, args...)
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return v
}

// wait waits until an expression is true.
func (p *tab) wait(format string, args ...any) {
	p.t.Helper()
	const script = `new Promise((resolve) => {
		const done = (value) => { clearInterval(look); clearTimeout(end); resolve(value); };
		const look = setInterval(() => { if (%s) done(true); }, 20);
		const end = setTimeout(() => done(false), %d);
	})`
	condition := fmt.Sprintf(format, args...)
	if !run[bool](p, script, condition, patienceMS) {
		p.t.Fatalf("%s: not in %d ms: %s\nthe page says: %s", p.name, patienceMS, condition, run[string](p, "document.body.innerText"))
	}
}

// enter opens a room as somebody does who comes to the door.
func (p *tab) enter(s *lab.Server, room string) {
	p.t.Helper()
	p.do(chromedp.Navigate(s.URL + "/"))
	p.wait(`document.querySelector("#door") && !document.querySelector("#door").hidden`)
	run[any](p, `(([room, name]) => {
		const { elements } = document.querySelector("#enter");
		elements.room.value = room;
		elements.name.value = name;
		document.querySelector("#enter").requestSubmit();
	})(%s)`, js([]string{room, p.name}))
	p.waitConnected()
}

func (p *tab) waitConnected() {
	p.t.Helper()
	p.wait(`document.querySelector("#status")?.dataset.transport === "websocket" && document.querySelector("#people").children.length > 0`)
}

// choose chooses files as the dialog does.
func (p *tab) choose(files ...string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles("#files", files))
}

// entry is the expression of the timeline's entry with this name.
func entry(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".entry")].find((e) => e.querySelector(".entry-name").textContent === %s)`, js(name))
}

// within is the expression of an element inside an entry.
func within(name, selector string) string {
	return fmt.Sprintf(`%s?.querySelector(%s)`, entry(name), js(selector))
}

// js writes a value as JavaScript does.
func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of strings and lists of them
	}
	return string(b)
}
