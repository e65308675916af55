package browser_test

import (
	"os/exec"
	"testing"

	"sluice/internal/lab"
)

func TestTheTypesHoldForAProgram(t *testing.T) { compile(t, "testdata/types") }

func TestTheSameProgramHoldsForTheStockClient(t *testing.T) {
	compile(t, "testdata/types/tsconfig.stock.json")
}

// compile checks the types of a project.
func compile(t *testing.T, project string) {
	t.Helper()
	out, err := exec.Command("node", lab.PackagePath(t, "typescript/bin/tsc"), "-p", project).CombinedOutput()
	if err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
}
