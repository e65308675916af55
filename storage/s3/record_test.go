package s3

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestTheRecordTellsTheNextProcessWhatIsOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uploads")
	first, err := openUploads(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		first.add(begun{fmt.Sprint("object", i), fmt.Sprint("commit", i)}, fmt.Sprint("id", i))
	}
	first.remove("id1")
	first.leave("id2")
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	// The process was killed in the middle of a line.
	cut, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cut.WriteString(`{"id":"id9","na`); err != nil {
		t.Fatal(err)
	}
	_ = cut.Close()

	second, err := openUploads(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	want := map[string]begun{"id0": {"object0", "commit0"}, "id2": {"object2", "commit2"}, "id3": {"object3", "commit3"}}
	if got := second.abandoned(); !maps.Equal(got, want) {
		t.Errorf("abandoned() = %v; want %v", got, want)
	}
	if second.isOpen("id0") {
		t.Error("an upload of the first process counts as open; want it abandoned")
	}
	if id, commit := second.claim("object2", mark{}); id != "id2" || commit != "commit2" || !second.isOpen(id) {
		t.Errorf("claim() = %q, %q; want what the first process left of it", id, commit)
	}
	for _, name := range []string{"object1", "object2", "object9"} {
		if id, _ := second.claim(name, mark{}); id != "" {
			t.Errorf("claim(%s) = %q; want nothing", name, id)
		}
	}
	second.suspect("object4", "id4")
	if id, _ := second.claim("object4", mark{}); id != "" {
		t.Errorf("claim() = %q, which the server was told to forget", id)
	}
}

func TestTheRecordIsShortened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uploads")
	u, err := openUploads(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	u.add(begun{name: "kept"}, "kept")
	for i := range maxRecordLines {
		id := fmt.Sprint("id", i)
		u.add(begun{name: "object"}, id)
		u.remove(id)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > maxRecordLines+1 {
		t.Errorf("the record has %d lines; want at most %d", lines, maxRecordLines+1)
	}
	if left := parseRecord(text); len(left) != 1 || left["kept"].name != "kept" {
		t.Errorf("the record says %v; want kept alone", left)
	}
}

func TestALineThatIsCutOffHidesNoOther(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uploads")
	u, err := openUploads(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	whole := u.file
	if u.file, err = os.Open(file); err != nil { // which takes no writes
		t.Fatal(err)
	}
	u.add(begun{name: "object"}, "lost")
	u.file.Close()
	if _, err := whole.WriteString(`{"id":"lo`); err != nil { // as much as there was room for
		t.Fatal(err)
	}
	u.file = whole
	u.add(begun{name: "object"}, "next")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if left := parseRecord(text); len(left) != 1 || left["next"].name != "object" {
		t.Errorf("the record says %v; want next", left)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\",\"name\":\"o\"}\n{\"id\":\"a\",\"done\":true}\n"))
	f.Add([]byte("{\"id\":\"a\",\"name\":\"o\"}\n{\"id"))
	f.Fuzz(func(t *testing.T, text []byte) {
		left := parseRecord(text)
		var again []byte
		for id, b := range left {
			if id == "" || b.name == "" {
				t.Fatalf("parseRecord(%q) = %v", text, left)
			}
			line, err := json.Marshal(b.line(id))
			if err != nil {
				t.Fatal(err)
			}
			again = append(append(again, line...), '\n')
		}
		if got := parseRecord(again); len(again) < 64<<10 && len(got) != len(left) {
			t.Fatalf("%v was written and read back as %v", left, got)
		}
	})
}
