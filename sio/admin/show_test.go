package admin

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/sio"
)

func TestEventsAreShownWithWordsForWhatIsBinary(t *testing.T) {
	place := `{"_placeholder":true,"num":1}`
	for _, c := range []struct {
		name        string
		args        []string
		attachments []string
		want        string
	}{
		{"plain", []string{`1`, `{"a":[null]}`}, nil, `["plain",1,{"a":[null]}]`},
		{"none", nil, nil, `["none"]`},
		{"binary", []string{`[` + place + `]`, `{"_placeholder":true,"num":0}`}, []string{"x", "yz"}, `["binary",["binary, 2 B"],"binary, 1 B"]`},
		{"not there yet", []string{`{"deep":` + place + `,"n":1.50}`}, nil, `["not there yet",{"deep":"binary","n":1.50}]`},
		{"a string of it", []string{`"_placeholder"`}, nil, `["a string of it","_placeholder"]`},
		{"false", []string{`{"_placeholder":false,"num":0}`}, nil, `["false",{"_placeholder":false,"num":0}]`},
		{"no number", []string{`{"_placeholder":true,"num":"0"}`}, []string{"x"}, `["no number","binary"]`},
		{"long", []string{`"` + strings.Repeat("x", maxShownBytes) + `"`}, []string{"xyz"}, `["long","4101 bytes, too long to be shown"]`},
		{strings.Repeat("ä", maxNameBytes), nil, nil, `["` + strings.Repeat("ä", maxNameBytes/2) + `..."]`},
	} {
		if got := string(shownEvent(c.name, arguments(c.args, c.attachments))); got != c.want {
			t.Errorf("%.20s: shown as %s; want %s", c.name, got, c.want)
		}
	}
}

func arguments(args, attachments []string) sio.Args {
	var raw []json.RawMessage
	for _, arg := range args {
		raw = append(raw, json.RawMessage(arg))
	}
	var data [][]byte
	for _, a := range attachments {
		data = append(data, []byte(a))
	}
	return sio.NewArgs(raw, data)
}

func FuzzShownEvent(f *testing.F) {
	f.Add("name", `{"_placeholder":true,"num":0}`, "attachment")
	f.Add("name", `[[["_placeholder"]],{"_placeholder":true,"num":1e99}]`, "")
	f.Add("\xff", `"<<<"`, "")
	f.Fuzz(func(t *testing.T, name, arg, attachment string) {
		if !json.Valid([]byte(arg)) {
			return // sio lets no such thing through
		}
		shown := shownEvent(name, arguments([]string{arg}, []string{attachment}))
		var parts []any
		if err := json.Unmarshal(shown, &parts); err != nil || len(parts) != 2 {
			t.Errorf("shown as %s: %v", shown, err)
		}
		if most := 6 * (maxShownBytes + maxNameBytes + 100); len(shown) > most { // JSON makes six bytes of one that HTML has a use for
			t.Errorf("%d bytes; want at most %d", len(shown), most)
		}
	})
}
