package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func TestAWholeIsMaskedAcrossItsPieces(t *testing.T) {
	w := NewWhole(Noise(64), 5)
	var plain, masked bytes.Buffer
	if err := w.write(&plain, [4]byte{}); err != nil {
		t.Fatal(err)
	}
	if err := w.write(&masked, mask); err != nil {
		t.Fatal(err)
	}
	if int64(plain.Len()) != w.Size() {
		t.Fatalf("%d bytes; want %d", plain.Len(), w.Size())
	}
	hash := sha256.Sum256(plain.Bytes())
	if got, want := w.SHA256(), hex.EncodeToString(hash[:]); got != want {
		t.Errorf("SHA256() = %s; want %s", got, want)
	}
	xor(masked.Bytes(), mask)
	if !bytes.Equal(masked.Bytes(), plain.Bytes()) {
		t.Error("unmasked at once it is something else")
	}
	c := NewChecker(w.Message)
	if err := c.Feed(plain.Bytes()); err != nil || c.Messages() != w.Messages {
		t.Errorf("%d messages, %v; want %d", c.Messages(), err, w.Messages)
	}
}

func TestVerifyComparesTheHashAndTheCount(t *testing.T) {
	w := NewWhole(Noise(64), 5)
	var data bytes.Buffer
	if err := w.write(&data, [4]byte{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		data     []byte
		messages int64
		hash     string
		ok       bool
	}{
		{"as it was sent", data.Bytes(), 5, w.SHA256(), true},
		{"a byte short", data.Bytes()[:data.Len()-1], 5, w.SHA256(), false},
		{"a message short", data.Bytes()[:4*64], 5, w.SHA256(), false},
		{"another hash", data.Bytes(), 5, NewWhole(w.Message, 4).SHA256(), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := verify(bytes.NewReader(c.data), NewChecker(w.Message), c.messages, c.hash)
			if (err == nil) != c.ok {
				t.Errorf("verify() = %v; want ok %v", err, c.ok)
			}
		})
	}
}
