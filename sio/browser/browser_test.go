package browser

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestHandlerServesBothForms(t *testing.T) {
	for name, begins := range map[string]string{"socket.io.esm.js": "/**", "socket.io.js": "(() => {"} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("GET", "/socket.io/"+name, nil))
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), begins) {
			t.Errorf("%s: status %d, body %.20q; want %q", name, w.Code, w.Body, begins)
		}
		if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", name, got)
		}
	}
}

func TestHandlerServesNothingElse(t *testing.T) {
	for _, path := range []string{"/socket.io/", "/socket.io/io.js", "/socket.io/browser.go", "/"} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d; want 404", path, w.Code)
		}
	}
}

func TestEveryModuleIsJoinedAfterThoseItImports(t *testing.T) {
	imports := regexp.MustCompile(`(?m)^import .* from "\./(.*)";$`)
	for i, name := range modules {
		text, err := FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range imports.FindAllSubmatch(text, -1) {
			if at := slices.Index(modules[:], string(match[1])); at < 0 || at >= i {
				t.Errorf("%s imports %s, which is not joined before it", name, match[1])
			}
		}
	}
	files, err := FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".js") && !slices.Contains(modules[:], file.Name()) {
			t.Errorf("%s is not joined", file.Name())
		}
	}
}

func TestNoNameIsDeclaredInTwoModules(t *testing.T) {
	declarations := regexp.MustCompile(`(?m)^(?:export )?(?:async )?(?:const|let|class|function) (\w+)`)
	for _, match := range duplicates(declarations.FindAllSubmatch(Module(), -1)) {
		t.Errorf("%s is declared twice", match)
	}
}

func duplicates(matches [][][]byte) (names []string) {
	seen := make(map[string]bool)
	for _, match := range matches {
		name := string(match[1])
		if seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	return names
}

func TestNothingOfTheModulesIsLeftInTheScript(t *testing.T) {
	if line := regexp.MustCompile(`(?m)^(import|export)\b.*`).Find(Script()); line != nil {
		t.Errorf("the script has the line %q", line)
	}
}
