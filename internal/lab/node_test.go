package lab

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestScriptsLoadThePackagesByName(t *testing.T) {
	Node(t, "packages.js", "LAB_STATUS="+os.Getenv("LAB_STATUS"))
}

func TestAScriptThatFailsFailsTheTest(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestScriptsLoadThePackagesByName$")
	cmd.Env = append(os.Environ(), "LAB_STATUS=7")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "exit status 7") {
		t.Errorf("a test whose script ends with status 7: %v\n%s", err, out)
	}
}

func TestAScriptThatServesIsReadLineByLine(t *testing.T) {
	s := StartNode(t, "server.js", "here")
	if got := s.Line(); got != "ready here" {
		t.Errorf("Line = %q; want %q", got, "ready here")
	}
}

func TestTheListOfPackagesNamesNoRegistry(t *testing.T) {
	list, err := os.ReadFile("node/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(list), `"resolved"`) {
		t.Error("package-lock.json says where packages come from: npm install with node/.npmrc in force")
	}
}
