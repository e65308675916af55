package packet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"sluice/internal/lab"
)

// vector is a packet as socket.io-msgpack-parser encodes it, and as ParseMsgpack reads that.
type vector struct {
	Name    string
	Msgpack hexadecimal
	OneWay  bool // the client's decoder would not give it back alike

	Type        Type
	Namespace   string `json:"nsp"`
	ID          *int64
	Data        string
	Attachments []hexadecimal
}

type hexadecimal []byte

func (h *hexadecimal) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(hexadecimal{}, text)
	return err
}

func vectors(t testing.TB) (list []vector) {
	t.Helper()
	data, err := os.ReadFile("testdata/msgpack.json")
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// want returns the packet of v and its attachments.
func (v *vector) want() (Packet, [][]byte) {
	p := Packet{Type: v.Type, Namespace: v.Namespace, ID: NoID, Attachments: len(v.Attachments)}
	if v.ID != nil {
		p.ID = *v.ID
	}
	if v.Data != "" {
		p.Data = []byte(v.Data)
	}
	var attachments [][]byte
	for _, a := range v.Attachments {
		attachments = append(attachments, a)
	}
	return p, attachments
}

func mustAppendMsgpack(t testing.TB, p Packet, attachments [][]byte) []byte {
	t.Helper()
	message, err := p.AppendMsgpack(nil, attachments)
	if err != nil {
		t.Fatalf("AppendMsgpack(%+v): %v", p, err)
	}
	return message
}

func TestParseMsgpackReadsWhatTheClientSends(t *testing.T) {
	for _, v := range vectors(t) {
		want, attachments := v.want()
		got, gotAttachments, err := ParseMsgpack(v.Msgpack)
		if err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotAttachments, attachments) {
			t.Errorf("%s: ParseMsgpack(%x) = %+v, %x, %v; want %+v, %x", v.Name, []byte(v.Msgpack), got, gotAttachments, err, want, attachments)
		}
	}
}

func TestTheClientsParserReadsAppendMsgpack(t *testing.T) {
	messages := make(map[string]string)
	for _, v := range vectors(t) {
		if p, attachments := v.want(); !v.OneWay {
			messages[v.Name] = hex.EncodeToString(mustAppendMsgpack(t, p, attachments))
		}
	}
	env, err := json.Marshal(messages)
	if err != nil {
		t.Fatal(err)
	}
	lab.Node(t, "msgpack.cjs", "MESSAGES="+string(env))
}

// head begins a packet with type, namespace and data.
const head = "\x83\xa4type\x02\xa3nsp\xa1/\xa4data"

func TestParseMsgpackReadsWhatOtherEncodersWrite(t *testing.T) {
	for name, tt := range map[string]struct{ value, want string }{
		"a float of 32 bits":          {"\xca\x3d\xcc\xcc\xcd", `0.10000000149011612`},
		"an integral float":           {"\xcb\x40\x8f\x40\x00\x00\x00\x00\x00", `1000`},
		"a large float":               {"\xcb\x44\x4b\x1a\xe4\xd6\xe2\xef\x50", `1e+21`},
		"minus zero":                  {"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", `-0`},
		"the largest integer":         {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", `18446744073709551615`},
		"the smallest integer":        {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", `-9223372036854775808`},
		"a long form of a number":     {"\xcf\x00\x00\x00\x00\x00\x00\x00\x05", `5`},
		"a signed form of a positive": {"\xd1\x00\x05", `5`},
		"keys that are no strings":    {"\x86\x01\xa1a\xff\xa1b\xc0\xa1c\xc3\xa1d\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00\xa1e\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1f", `{"1":"a","-1":"b","null":"c","true":"d","0.5":"e","18446744073709551615":"f"}`},
		"long forms of everything":    {"\xdd\x00\x00\x00\x02\xdb\x00\x00\x00\x01a\xdf\x00\x00\x00\x01\xd9\x01b\xda\x00\x01c", `["a",{"b":"c"}]`},
		"a date that is none":         {"\xd7\x00\x7f\xff\xff\xff\xff\xff\xff\xff", `null`},
		"the last four-digit date":    {"\xd7\x00\x00\x00\xe6\x77\xd2\x1f\xdb\xff", `"9999-12-31T23:59:59.999Z"`},
		"the first six-digit date":    {"\xd7\x00\x00\x00\xe6\x77\xd2\x1f\xdc\x00", `"+010000-01-01T00:00:00.000Z"`},
		"the first date of year 0":    {"\xd7\x00\xff\xff\xc7\x75\x90\xfb\xa0\x00", `"0000-01-01T00:00:00.000Z"`},
		"the last date before year 0": {"\xd7\x00\xff\xff\xc7\x75\x90\xfb\x9f\xff", `"-000001-12-31T23:59:59.999Z"`},
		"another undefined":           {"\xd4\x00\x07", `null`},
	} {
		p, _, err := ParseMsgpack([]byte(head + "\x92\xa1e" + tt.value))
		if want := `["e",` + tt.want + `]`; err != nil || string(p.Data) != want {
			t.Errorf("%s: %s, %v; want %s", name, p.Data, err, want)
		}
	}
}

func TestNullIsNoDataOfCONNECTAndDISCONNECT(t *testing.T) {
	for _, want := range []Type{Connect, Disconnect} {
		p, _, err := ParseMsgpack([]byte("\x83\xa4type" + string(rune(want)) + "\xa4data\xc0\xa3nsp\xa1/"))
		if err != nil || p.Type != want || p.Data != nil {
			t.Errorf("%v: %+v, %v", want, p, err)
		}
	}
}

func TestUnknownExtensionsArriveAsNodeReadsThem(t *testing.T) {
	p, attachments, err := ParseMsgpack([]byte(head + "\x93\xa1e\xd4\x05x\xc7\x02\xffyz"))
	want := `["e",[5,{"_placeholder":true,"num":0}],[-1,{"_placeholder":true,"num":1}]]`
	if err != nil || string(p.Data) != want || len(attachments) != 2 || string(attachments[1]) != "yz" {
		t.Errorf("%s, %q, %v; want %s", p.Data, attachments, err, want)
	}
}

func TestParseMsgpackRefusesWhatIsNoPacket(t *testing.T) {
	for name, message := range map[string]string{
		"nothing":                             "",
		"no map":                              "\x93\x01\x02\x03",
		"an unknown byte":                     "\xc1",
		"no members":                          "\x80",
		"no type":                             "\x82\xa3nsp\xa1/\xa4data\x91\xa1e",
		"no namespace":                        "\x82\xa4type\x02\xa4data\x91\xa1e",
		"an undefined type":                   "\x83\xa4type\xd4\x00\x00\xa3nsp\xa1/\xa4data\x91\xa1e",
		"an unknown type":                     "\x83\xa4type\x05\xa3nsp\xa1/\xa4data\x91\xa1e",
		"a negative type":                     "\x83\xa4type\xff\xa3nsp\xa1/\xa4data\x91\xa1e",
		"a type that is a float":              "\x83\xa4type\xcb\x40\x00\x00\x00\x00\x00\x00\x00\xa3nsp\xa1/\xa4data\x91\xa1e",
		"a type twice":                        "\x84\xa4type\x02\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"data twice":                          "\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e\xa4data\x91\xa1e",
		"a namespace that is no string":       "\x83\xa4type\x02\xa3nsp\x01\xa4data\x91\xa1e",
		"an empty namespace":                  "\x83\xa4type\x02\xa3nsp\xa0\xa4data\x91\xa1e",
		"a namespace without a slash":         "\x83\xa4type\x02\xa3nsp\xa1a\xa4data\x91\xa1e",
		"a namespace with a comma":            "\x83\xa4type\x02\xa3nsp\xa2/,\xa4data\x91\xa1e",
		"a member that has no string for key": "\x84\x01\x01\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"bytes behind it":                     head + "\x91\xa1e\x00",
		"an id that is no number":             "\x84\xa2id\xa11\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"a negative id":                       "\x84\xa2id\xff\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"an id that is null":                  "\x84\xa2id\xc0\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"an id of 16 digits":                  "\x84\xa2id\xcf\x00\x03\x8d\x7e\xa4\xc6\x80\x00\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1e",
		"an ack without an id":                "\x83\xa4type\x03\xa3nsp\xa1/\xa4data\x90",
		"an event without data":               "\x82\xa4type\x02\xa3nsp\xa1/",
		"an event that is no array":           head + "\x80",
		"an event without a name":             head + "\x90",
		"an event whose name is binary":       head + "\x91\xc4\x01a",
		"a reserved name":                     head + "\x91\xaadisconnect",
		"CONNECT with an array":               "\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x90",
		"CONNECT with binary":                 "\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa1a\xc4\x01a",
		"CONNECT with an id":                  "\x83\xa4type\x00\xa3nsp\xa1/\xa2id\x01",
		"DISCONNECT with data":                "\x83\xa4type\x01\xa3nsp\xa1/\xa4data\x80",
		"a placeholder beside binary":         head + "\x93\xa1e\xc4\x01a\x82\xac_placeholder\xc3\xa3num\x00",
		"a placeholder of no number":          head + "\x93\xa1e\xc4\x01a\x81\xac_placeholder\xc3",
		"a string that is no UTF-8":           head + "\x92\xa1e\xa1\xff",
		"a key that is no UTF-8":              head + "\x92\xa1e\x81\xa1\xff\x01",
		"a key that is an array":              head + "\x92\xa1e\x81\x90\x01",
		"a key that is binary":                head + "\x92\xa1e\x81\xc4\x00\x01",
		"a key that is undefined":             head + "\x92\xa1e\x81\xd4\x00\x00\x01",
		"an array cut short":                  head + "\x92\xa1e",
		"a string cut short":                  head + "\x92\xa1e\xa2a",
		"a number cut short":                  head + "\x92\xa1e\xcd\x01",
		"an extension cut short":              head + "\x92\xa1e\xd7\x00\x01",
		"an extension without a type":         head + "\x92\xa1e\xd7",
		"a length cut short":                  head + "\x92\xa1e\xdb\x00",
		"too many arguments":                  head + "\xdc\x00\x43\xa1e" + strings.Repeat("\x01", 66),
		"too deep":                            head + strings.Repeat("\x91", 65) + "\xa1e",
		"too deep where nobody looks":         "\x84\xa7options" + strings.Repeat("\x91", 65) + "\x01" + head[1:] + "\x91\xa1e",
		"too many attachments":                head + "\x92\xa1e\xdc\x04\x01" + strings.Repeat("\xc4\x00", 1025),
		"an array that claims too much":       head + "\xdd\xff\xff\xff\xff\xa1e",
		"a map that claims too much":          head + "\x92\xa1e\xdf\xff\xff\xff\xff\xa1e",
		"a packet that claims too much":       "\xdf\xff\xff\xff\xff",
		"a string that claims too much":       head + "\x92\xa1e\xdb\xff\xff\xff\xff",
		"binary that claims too much":         head + "\x92\xa1e\xc6\xff\xff\xff\xff",
		"an extension that claims too much":   head + "\x92\xa1e\xc9\xff\xff\xff\xff\x00",
	} {
		p, _, err := ParseMsgpack([]byte(message))
		var format *FormatError
		if !errors.As(err, &format) {
			t.Errorf("%s: ParseMsgpack = %+v, %v; want a FormatError", name, p, err)
		}
	}
}

func TestWhatMsgpackClaimsTakesNoMemory(t *testing.T) {
	// Nested arrays of a whole message each: what is announced grows with the square of what is there.
	message := []byte(head + strings.Repeat("\xdd\x00\x00\x80\x00", 60) + strings.Repeat("\x01", 1<<15))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := ParseMsgpack(message); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes for a message of %d", took, len(message))
	}
}

func TestAttachmentsOfMsgpackAreNotCopied(t *testing.T) {
	message := []byte(head + "\x92\xa1e\xc4\x01a")
	_, attachments, err := ParseMsgpack(message)
	if err != nil || &attachments[0][0] != &message[len(message)-1] {
		t.Errorf("%q, %v; want the message's own bytes", attachments, err)
	}
}

func TestAppendMsgpackKeepsNumbersExactly(t *testing.T) {
	for text, want := range map[string]string{
		"9223372036854775807":  "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff",
		"18446744073709551615": "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
		"-9223372036854775808": "\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
		"18446744073709551616": "\xcb\x43\xf0\x00\x00\x00\x00\x00\x00",
		"0.1":                  "\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a",
		"-0":                   "\xcb\x80\x00\x00\x00\x00\x00\x00\x00",
		"1e400":                "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
	} {
		got := mustAppendMsgpack(t, Packet{Type: Ack, ID: 1, Data: []byte("[" + text + "]")}, nil)
		if !bytes.Contains(got, []byte("\xa4data\x91"+want)) {
			t.Errorf("%s is %q; want %q in it", text, got, want)
		}
	}
}

func TestAppendMsgpackPutsAnAttachmentInOnePlaceOnly(t *testing.T) {
	data := `["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":0,"x":1}]`
	got := mustAppendMsgpack(t, Packet{Type: BinaryEvent, ID: NoID, Attachments: 1, Data: []byte(data)}, [][]byte{[]byte("bytes")})
	if bytes.Count(got, []byte("bytes")) != 1 || bytes.Count(got, []byte("_placeholder")) != 3 {
		t.Errorf("%q; want the bytes once", got)
	}
}

func TestAppendMsgpackGoesAsDeepAsMarshal(t *testing.T) {
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	mustAppendMsgpack(t, Packet{Type: Event, ID: NoID, Data: []byte(deep)}, nil)
}

func TestAppendMsgpackRefusesWhatIsNoPacket(t *testing.T) {
	for _, p := range []Packet{
		{Type: 7}, {Namespace: "x"}, {Namespace: "/a,b"}, {Type: Event, Data: []byte(`["a"`)}, {Type: Event, Data: []byte(`["a"]]`)},
		{Type: Event, Data: []byte(`{"a"}`)}, {Type: Event, Data: []byte(`{a:1}`)}, {Type: Event, Data: []byte(`["a" "b"]`)},
		{Type: Event, Data: []byte(`[01]`)}, {Type: Event, Data: []byte(`["\x"]`)}, {Type: Event, Data: []byte(`[nil]`)},
	} {
		if got, err := p.AppendMsgpack([]byte("x"), nil); err == nil || string(got) != "x" {
			t.Errorf("AppendMsgpack(%+v) = %q, %v; want an error", p, got, err)
		}
	}
}

func TestMarshalRefusesForgedPlaceholdersBesideBinary(t *testing.T) {
	for _, forged := range []string{`{"_placeholder":true,"num":0}`, `[{"num":7,"_placeholder":true}]`, `{"_pl\u0061ceholder":true}`} {
		if data, _, err := Marshal("e", []byte("b"), json.RawMessage(forged)); err == nil {
			t.Errorf("Marshal(%s) = %s; want an error", forged, data)
		}
		if _, _, err := Marshal("e", json.RawMessage(forged)); err != nil {
			t.Errorf("Marshal(%s) without binary: %v", forged, err)
		}
	}
}

func FuzzParseMsgpack(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.Msgpack))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		p, attachments, err := ParseMsgpack(message)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("ParseMsgpack(%x): %v is no FormatError", message, err)
			}
			return
		}
		if most := 6*len(message) + 32*MaxAttachments; len(p.Data) > most {
			t.Fatalf("%d bytes became %d", len(message), len(p.Data))
		}
		// As text it is the same packet, and so it is when it comes back from msgpack.
		text, err := Parse(mustAppend(t, p))
		if err != nil || !reflect.DeepEqual(text, p) {
			t.Fatalf("as text %+v is %+v, %v", p, text, err)
		}
		again, moreAttachments, err := ParseMsgpack(mustAppendMsgpack(t, p, attachments))
		if err != nil || !reflect.DeepEqual(again, p) || !reflect.DeepEqual(moreAttachments, attachments) {
			t.Fatalf("%+v, %x became %+v, %x, %v", p, attachments, again, moreAttachments, err)
		}
	})
}

func BenchmarkParseMsgpackEvent(b *testing.B) {
	p := Packet{Type: Event, Namespace: "/", ID: 7, Data: []byte(`["message",{"text":"hello there","to":["a","b"],"n":12}]`)}
	message := mustAppendMsgpack(b, p, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseMsgpack(message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMsgpackEvent(b *testing.B) {
	p := Packet{Type: Event, Namespace: "/", ID: 7, Data: []byte(`["message",{"text":"hello there, how are you on this fine day?","to":["a","b"],"n":12}]`)}
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.AppendMsgpack(dst, nil); err != nil {
			b.Fatal(err)
		}
	}
}
