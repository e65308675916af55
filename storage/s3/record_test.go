package s3

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestTheRecordTellsTheNextProcessWhatIsOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uploads")
	first, err := openUploads(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := first.add(fmt.Sprint("object", i), fmt.Sprint("id", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.remove("id1"); err != nil {
		t.Fatal(err)
	}
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

	second, err := openUploads(file)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	want := map[string]string{"id0": "object0", "id2": "object2", "id3": "object3"}
	if got := second.abandoned(); !maps.Equal(got, want) {
		t.Errorf("abandoned() = %v; want %v", got, want)
	}
	if second.isOpen("id0") {
		t.Error("an upload of the first process counts as open; want it abandoned")
	}
}

func TestTheRecordIsShortened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uploads")
	u, err := openUploads(file)
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	if err := u.add("kept", "kept"); err != nil {
		t.Fatal(err)
	}
	for i := range maxRecordLines {
		id := fmt.Sprint("id", i)
		if err := u.add("object", id); err != nil {
			t.Fatal(err)
		}
		if err := u.remove(id); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > maxRecordLines+1 {
		t.Errorf("the record has %d lines; want at most %d", lines, maxRecordLines+1)
	}
	if left := parseRecord(text); len(left) != 1 || left["kept"] != "kept" {
		t.Errorf("the record says %v; want kept alone", left)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\",\"name\":\"o\"}\n{\"id\":\"a\",\"done\":true}\n"))
	f.Add([]byte("{\"id\":\"a\",\"name\":\"o\"}\n{\"id"))
	f.Fuzz(func(t *testing.T, text []byte) {
		left := parseRecord(text)
		var again []byte
		for id, name := range left {
			if id == "" || name == "" {
				t.Fatalf("parseRecord(%q) = %v", text, left)
			}
			line, err := json.Marshal(recordLine{ID: id, Name: name})
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
