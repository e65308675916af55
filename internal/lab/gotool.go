package lab

import (
	"testing"

	"sluice/internal/tools"
)

// GoTool returns the path of a program in a folder of a module that tools.mod pins. It is built once, into the repository's
// .tools.
func GoTool(t testing.TB, module, folder string) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	program, err := tools.Go(t.Context(), root, module, folder)
	if err != nil {
		t.Fatal(err)
	}
	return program
}
