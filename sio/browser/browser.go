package browser

import (
	"embed"
	"net/http"
	"path"
	"strings"

	"sluice/internal/static"
)

// FS holds the client's modules, and its types in socket.io.d.ts.
//
//go:embed *.js socket.io.d.ts
var FS embed.FS

// modules in the order in which they rest on each other.
var modules = [...]string{
	"emitter.js", "packet.js", "polling.js", "websocket.js", "engine.js", "socket.js", "manager.js", "io.js",
}

// Handler serves the client: socket.io.esm.js for import, socket.io.js for a script element, whatever the
// directory in the request.
func Handler() http.Handler {
	const javascript = "text/javascript; charset=utf-8"
	var files static.Files
	files.Add("socket.io.esm.js", javascript, Module())
	files.Add("socket.io.js", javascript, Script())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.Serve(w, r, path.Base(r.URL.Path))
	})
}

// Module returns the client as one ES module. It exports io (the default, too), connect, Emitter, Manager,
// Socket and protocol.
func Module() []byte {
	var b strings.Builder
	for _, name := range modules {
		b.WriteString(join(name, name == "io.js"))
	}
	return []byte(b.String())
}

// Script returns the client as a classic script, which defines io and nothing else.
func Script() []byte {
	var b strings.Builder
	b.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range modules {
		b.WriteString(join(name, false))
	}
	b.WriteString("globalThis.io = io;\n})();\n")
	return []byte(b.String())
}

// join returns a module's text without its imports, which come before it in the joined file, and, unless
// exports is set, without its exports. In these files both are whole lines.
func join(name string, exports bool) string {
	text, err := FS.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "import "):
		case exports:
			b.WriteString(line)
		case strings.HasPrefix(line, "export {"):
		default:
			b.WriteString(strings.TrimPrefix(line, "export "))
		}
	}
	return b.String()
}
