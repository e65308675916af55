package packet

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
)

// A tokener lends encoding/json short stand-ins for attachments. A token is a []byte like the one it stands
// for, so encoding/json writes and reads it as base64 text of a fixed length, with all its rules about tags;
// what carries a secret of 120 bits is then known to be a token. The large bytes themselves are neither
// copied nor turned into base64.
type tokener struct {
	secret [tokenSecret]byte
	text   [tokenSecret / 3 * 4]byte // secret in base64: what the text of every token begins with
}

const (
	tokenSecret = 15
	tokenSize   = tokenSecret + 3 // a multiple of three: its base64 has no padding
	tokenText   = tokenSize / 3 * 4
)

func newTokener() *tokener {
	t := new(tokener)
	rand.Read(t.secret[:])
	base64.StdEncoding.Encode(t.text[:], t.secret[:])
	return t
}

// token returns the stand-in for attachment n, which is less than 1<<24.
func (t *tokener) token(n int) []byte {
	return append(t.secret[:len(t.secret):len(t.secret)], byte(n>>16), byte(n>>8), byte(n))
}

func (t *tokener) appendText(dst []byte, n int) []byte {
	return base64.StdEncoding.AppendEncode(dst, t.token(n))
}

// number returns which attachment token stands for.
func (t *tokener) number(token []byte) (n int, ok bool) {
	if len(token) != tokenSize || !bytes.HasPrefix(token, t.secret[:]) {
		return 0, false
	}
	return int(token[15])<<16 | int(token[16])<<8 | int(token[17]), true
}

// numberText is number of a token's text.
func (t *tokener) numberText(text string) (n int, ok bool) {
	if len(text) != tokenText || text[:len(t.text)] != string(t.text[:]) {
		return 0, false
	}
	token, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return 0, false
	}
	return t.number(token)
}

// replace returns text, which is JSON, with placeholders for its tokens; number says which.
func (t *tokener) replace(text []byte, number func(n int) int) []byte {
	data := make([]byte, 0, len(text)+16)
	mark := append([]byte{'"'}, t.text[:]...)
	for {
		i := bytes.Index(text, mark)
		if i < 0 || len(text) < i+tokenText+2 {
			return append(data, text...)
		}
		n, ok := t.numberText(string(text[i+1 : i+1+tokenText]))
		if !ok {
			panic("packet: a token that was never made")
		}
		data = append(data, text[:i]...)
		data = appendPlaceholder(data, number(n))
		text = text[i+tokenText+2:]
	}
}
