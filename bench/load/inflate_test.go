package load

import (
	"bytes"
	"compress/flate"
	"fmt"
	"testing"
)

// deflated is p as a message of permessage-deflate.
func deflated(t *testing.T, p []byte) string {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 1)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(p)
	w.Flush()
	return string(bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff}))
}

func TestInflaterTellsMessagesApartAndForgetsTheOldest(t *testing.T) {
	i := NewInflater()
	packed := make([]string, rememberedMessages+10)
	for n := range packed {
		packed[n] = deflated(t, fmt.Appendf(nil, "message %d", n))
	}
	for range 2 {
		for n, p := range packed {
			if got, err := i.Inflate([]byte(p)); err != nil || string(got) != fmt.Sprintf("message %d", n) {
				t.Fatalf("Inflate = %q, %v; want message %d", got, err, n)
			}
		}
	}
	if len(i.known) != rememberedMessages || len(i.order) != rememberedMessages {
		t.Errorf("%d messages are remembered; want %d", len(i.known), rememberedMessages)
	}
}

func TestInflaterRefusesWhatIsNotDeflated(t *testing.T) {
	if got, err := NewInflater().Inflate([]byte("\xff\xff\xff\xff")); err == nil {
		t.Errorf("Inflate = %q; want an error", got)
	}
}
