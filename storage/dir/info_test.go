package dir

import (
	"bytes"
	"testing"

	"sluice/storage"
)

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"key":"a/b","size":1,"type":"image/png","meta":{"n":"v"},"modTime":"2026-01-31T00:00:00Z","etag":"X"}`))
	f.Add([]byte(`{"key":"../b","size":1,"etag":"X"}`))
	f.Add([]byte(`{"key":"b","size":-1,"etag":"X"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := parseRecord(text)
		if err != nil {
			return
		}
		if storage.CheckKey(info.Key) != nil || info.Size < 0 {
			t.Fatalf("parseRecord(%q) = %+v; want an error", text, info)
		}
		again, err := appendRecord(info)
		if err != nil {
			return // a time that JSON cannot say twice
		}
		info2, err := parseRecord(again)
		if err != nil {
			t.Fatalf("parseRecord(%q) = %v, written from %q", again, err, text)
		}
		if third, _ := appendRecord(info2); !bytes.Equal(third, again) {
			t.Fatalf("%q became %q", again, third)
		}
	})
}
