package spool

import (
	"bytes"
	"io"
	"testing"
)

func TestWhatIsAppendedIsReadBack(t *testing.T) {
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Create("A", []byte("head"))
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for i := range 1000 {
		p := bytes.Repeat([]byte{byte(i)}, i+1)
		want = append(want, p...)
		if err := l.Append(p, byte(i)); err != nil {
			t.Fatal(err)
		}
		if i%7 == 0 {
			if err := l.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := io.ReadAll(io.NewSectionReader(l, 0, l.Size()))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, %v; want %d", len(got), err, len(want))
	}
	if err := l.Seal([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
