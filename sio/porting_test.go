package sio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/lab"
)

// portingRows returns the cells of porting.md's tables, Node's and ours.
func portingRows(t *testing.T) (node, ours []string) {
	t.Helper()
	text, err := os.ReadFile("porting.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 2 || !strings.HasPrefix(cells[0], "| ") {
			continue
		}
		node = append(node, cells[0])
		ours = append(ours, cells[1])
	}
	return node, ours
}

var (
	codeSpan = regexp.MustCompile("`[^`]+`")
	exported = regexp.MustCompile(`\b[A-Z]\w+`)
)

// What the table says is here is here.
func TestThePortingTableNamesWhatExists(t *testing.T) {
	have := declared(t)
	for _, name := range []string{"Handler", "Closer", "DeadlineExceeded", "Cause", "ErrUnsupported", "Done", "Sessions", "Request", "Refused"} {
		have[name] = true // of other packages
	}
	_, ours := portingRows(t)
	for _, cell := range ours {
		for _, span := range codeSpan.FindAllString(cell, -1) {
			for _, name := range exported.FindAllString(span, -1) {
				if !have[name] {
					t.Errorf("%s: there is no %s", cell, name)
				}
			}
		}
	}
}

// declared returns the exported names of the package: functions, types, methods and fields.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				names[n.Name.Name] = true
				return false
			case *ast.TypeSpec:
				names[n.Name.Name] = true
			case *ast.Field:
				for _, id := range n.Names {
					names[id.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// nodeMember finds the members of the classes and options that Node's server declares.
var nodeMember = regexp.MustCompile(`(?m)^    (?:readonly |get |set )*([a-zA-Z]\w*)\??[<(:]`)

// What Node's server has is in the table.
func TestThePortingTableIsComplete(t *testing.T) {
	node, _ := portingRows(t)
	table := strings.Join(node, "\n")
	internal := map[string]bool{ // of what the files declare, what is no API
		"constructor": true, "engine": true, "httpServer": true, "encoder": true, "operator": true, "fns": true, "flags": true,
		"message": true, "createChild": true,
	}
	for _, file := range []string{
		"socket.io/dist/index.d.ts", "socket.io/dist/namespace.d.ts", "socket.io/dist/parent-namespace.d.ts", "socket.io/dist/socket.d.ts",
		"socket.io/dist/broadcast-operator.d.ts", "engine.io/build/server.d.ts", "socket.io-adapter/dist/in-memory-adapter.d.ts",
	} {
		text := string(lab.PackageFile(t, file))
		if strings.HasPrefix(file, "engine.io/") {
			text, _, _ = strings.Cut(text, "class BaseServer") // its options only
		}
		for _, member := range nodeMember.FindAllStringSubmatch(text, -1) {
			name := member[1]
			if !internal[name] && !regexp.MustCompile(`\b`+name+`\b`).MatchString(table) {
				t.Errorf("%s: %s is not in the table", file, name)
			}
		}
	}
}
