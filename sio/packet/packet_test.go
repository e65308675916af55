package packet

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseReadsWhatTheProtocolShows(t *testing.T) {
	tests := []struct {
		text string
		want Packet
	}{
		{`0`, Packet{Type: Connect, Namespace: "/", ID: NoID}},
		{`0{"token":"123"}`, Packet{Type: Connect, Namespace: "/", ID: NoID, Data: []byte(`{"token":"123"}`)}},
		{`0/admin,{"sid":"a"}`, Packet{Type: Connect, Namespace: "/admin", ID: NoID, Data: []byte(`{"sid":"a"}`)}},
		{`0/admin`, Packet{Type: Connect, Namespace: "/admin", ID: NoID}},
		{`0/admin?token=1&b=2,`, Packet{Type: Connect, Namespace: "/admin", Query: "token=1&b=2", ID: NoID}},
		{`1/admin,`, Packet{Type: Disconnect, Namespace: "/admin", ID: NoID}},
		{`1`, Packet{Type: Disconnect, Namespace: "/", ID: NoID}},
		{`2["foo"]`, Packet{Type: Event, Namespace: "/", ID: NoID, Data: []byte(`["foo"]`)}},
		{`2[5,null]`, Packet{Type: Event, Namespace: "/", ID: NoID, Data: []byte(`[5,null]`)}},
		{`2/admin,12["foo",{"_placeholder":true,"num":9}]`, Packet{Type: Event, Namespace: "/admin", ID: 12, Data: []byte(`["foo",{"_placeholder":true,"num":9}]`)}},
		{`3/admin,13[]`, Packet{Type: Ack, Namespace: "/admin", ID: 13, Data: []byte(`[]`)}},
		{`30[1]`, Packet{Type: Ack, Namespace: "/", ID: 0, Data: []byte(`[1]`)}},
		{`4{"message":"Not authorized"}`, Packet{Type: ConnectError, Namespace: "/", ID: NoID, Data: []byte(`{"message":"Not authorized"}`)}},
		{`4"no"`, Packet{Type: ConnectError, Namespace: "/", ID: NoID, Data: []byte(`"no"`)}},
		{`51-["baz",{"_placeholder":true,"num":0}]`, Packet{Type: BinaryEvent, Namespace: "/", ID: NoID, Attachments: 1, Data: []byte(`["baz",{"_placeholder":true,"num":0}]`)}},
		{
			`52-/admin,7["b",{"x":{"num":1,"_placeholder":true}},[{"_placeholder":true,"num":0}]]`,
			Packet{Type: BinaryEvent, Namespace: "/admin", ID: 7, Attachments: 2, Data: []byte(`["b",{"x":{"num":1,"_placeholder":true}},[{"_placeholder":true,"num":0}]]`)},
		},
		{`61-/admin,456[{"_placeholder":true,"num":0}]`, Packet{Type: BinaryAck, Namespace: "/admin", ID: 456, Attachments: 1, Data: []byte(`[{"_placeholder":true,"num":0}]`)}},
	}
	for _, tt := range tests {
		got, err := Parse([]byte(tt.text))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%s) = %+v, %v; want %+v", tt.text, got, err, tt.want)
			continue
		}
		again, err := Parse(mustAppend(t, got))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("Parse(AppendText(%s)) = %+v, %v", tt.text, again, err)
		}
	}
}

func mustAppend(t testing.TB, p Packet) []byte {
	t.Helper()
	text, err := p.AppendText(nil)
	if err != nil {
		t.Fatalf("AppendText(%+v): %v", p, err)
	}
	return text
}

func TestParseRefusesWhatIsNoPacket(t *testing.T) {
	const one = `["a",{"_placeholder":true,"num":0}]`
	placeholder := func(body string) string { return `51-["a",` + body + `]` }
	tests := []string{
		``, `7`, `x`, ` 2["a"]`, `-1["a"]`, "\x00",
		// CONNECT and DISCONNECT
		`0[]`, `0"a"`, `01{}`, `0{`, `0{}x`, `0{"a":1,}`, `0nope`, `1{}`, `15`, `4[]`, `41`,
		// no array, no name
		`2`, `2{}`, `2[]`, `2"a"`, `2[`, `2["a"`, `2["a",]`, `2["a"]]`, `2["a"]x`, `2[null]`, `2[true]`, `2[{}]`, `2[["a"]]`,
		// reserved names
		`2["connect"]`, `2["connect_error"]`, `2["disconnect"]`, `2["disconnecting"]`, `2["newListener"]`, `2["removeListener"]`,
		`2["con\u006eect"]`, `51-["disconnect",{"_placeholder":true,"num":0}]`,
		// ack ids
		`2abc["a"]`, `2-1["a"]`, `21.5["a"]`, `20x1["a"]`, `21e3["a"]`, `2` + strings.Repeat("9", 16) + `["a"]`, `3[]`, `3"1"[]`, `31`, `31{}`,
		// counts of attachments
		`5` + one, `5-` + one, `50-["a"]`, `5-1-` + one, `51.0-` + one, `50x1-` + one, `51e0-` + one, `5 1-` + one, `501-` + one,
		`5+1-` + one, `51` + one, `52-` + one, `599999-` + one, `51025-` + one, `599999999999999999999-` + one, `60-1[]`, `6-1[]`, `51-["a"]`,
		`51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
		`52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
		// placeholders
		placeholder(`{"_placeholder":true}`), placeholder(`{"_placeholder":true,"num":1}`), placeholder(`{"_placeholder":true,"num":-1}`),
		placeholder(`{"_placeholder":true,"num":-0}`), placeholder(`{"_placeholder":true,"num":0.0}`), placeholder(`{"_placeholder":true,"num":0e0}`),
		placeholder(`{"_placeholder":true,"num":00}`), placeholder(`{"_placeholder":true,"num":"0"}`), placeholder(`{"_placeholder":true,"num":null}`),
		placeholder(`{"_placeholder":true,"num":[0]}`), placeholder(`{"_placeholder":true,"num":{}}`), placeholder(`{"_placeholder":true,"num":true}`),
		placeholder(`{"_placeholder":true,"num":"splice"}`), placeholder(`{"_placeholder":true,"num":1e999}`), placeholder(`{"_placeholder":true,"NUM":0}`),
		placeholder(`{"_placeholder":true,"num":99999999999999999999}`), placeholder(`{"_placeholder":"true","num":0}`), placeholder(`{"_placeholder":1,"num":0}`),
		placeholder(`{"_placeholder":true,"num":0,"num":0}`), placeholder(`{"_placeholder":true,"num":0,"x":1}`),
		placeholder(`{"_placeholder":false,"_placeholder":true,"num":0}`), placeholder(`{"_placeholder":true,"_placeholder":false,"num":0}`),
		placeholder(`{"\u005fplaceholder":true,"num":0,"__proto__":1}`),
		// JSON
		`2["a",01]`, `2["a",1.]`, `2["a",.5]`, `2["a",+1]`, `2["a",1e]`, `2["a",-]`, `2["a",tru]`, `2["a",NaN]`, `2["a",undefined]`,
		`2["a","` + "\n" + `"]`, `2["a","\x"]`, `2["a","\u12g4"]`, `2["a","\u12`, `2["a","`, `2["a",{a:1}]`, `2["a",{"a"}]`, `2["a",{"a":}]`, `2["a" "b"]`, `2["a"}`,
		`2['a']`, `2["a",{"a":1]]`, "2[\"a\",\x00]",
	}
	for _, text := range tests {
		p, err := Parse([]byte(text))
		var want *FormatError
		if !errors.As(err, &want) {
			t.Errorf("Parse(%s) = %+v, %v; want a FormatError", text, p, err)
		}
	}
}

func TestPlaceholdersWithEscapedKeysCount(t *testing.T) {
	p, err := Parse([]byte(`51-["a",{"\u005fplaceholder":true,"n\u0075m":0}]`))
	if err != nil || p.Attachments != 1 {
		t.Errorf("Parse = %+v, %v", p, err)
	}
}

func TestParseBoundsArgumentsAndDepth(t *testing.T) {
	args := func(n int) string { return `"a"` + strings.Repeat(`,1`, n) }
	nested := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for text, ok := range map[string]bool{
		`2[` + args(MaxArgs+1) + `]`:        true, // with an offset
		`2[` + args(MaxArgs+2) + `]`:        false,
		`31[` + args(MaxArgs-1) + `]`:       true,
		`31[` + args(MaxArgs) + `]`:         false,
		`2["a",` + nested(MaxDepth-1) + `]`: true,
		`2["a",` + nested(MaxDepth) + `]`:   false,
		`0{"a":` + nested(MaxDepth-1) + `}`: true,
		`0{"a":` + nested(MaxDepth) + `}`:   false,
	} {
		if _, err := Parse([]byte(text)); (err == nil) != ok {
			t.Errorf("Parse(%.40s...) = %v; want ok %v", text, err, ok)
		}
	}
}

func TestHostileShapesCostLittle(t *testing.T) {
	const n = 100_000
	for name, text := range map[string]string{
		"deep arrays":        `2["a",` + strings.Repeat(`[`, n),
		"deep closed arrays": `2["a",` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `]`,
		"deep objects":       `2["a",` + strings.Repeat(`{"a":`, n),
		"wide":               `2["a"` + strings.Repeat(`,1`, n) + `]`,
		"wide inside":        `2["a",[1` + strings.Repeat(`,1`, n) + `]]`,
		"many keys":          `2["a",{"a":1` + strings.Repeat(`,"a":1`, n) + `}]`,
		"digits of an id":    `2` + strings.Repeat(`1`, n) + `["a"]`,
		"digits of a count":  `5` + strings.Repeat(`1`, n) + `-["a"]`,
		"a long namespace":   `0/` + strings.Repeat(`a`, n),
		"a long number":      `2["a",` + strings.Repeat(`1`, n) + `]`,
		"escapes":            `2["a","` + strings.Repeat(`\u0000`, n) + `"]`,
		"escaped keys":       `51-["a",{"` + strings.Repeat(`\u0000`, n) + `":1}]`,
		"placeholders":       `51-["a"` + strings.Repeat(`,[{"_placeholder":true,"num":1}]`, n) + `]`,
		"nested brackets":    `2["a",` + strings.Repeat(`[{"a":`, n),
		"flat placeholders":  `51-["a",[` + strings.Repeat(`{"_placeholder":false,"num":1},`, n) + `1]]`,
	} {
		took := quickest(func() {
			if p, err := Parse([]byte(text)); err == nil && p.Type != Connect {
				Args(p.Data)
			}
		})
		if took > hostileLimit() {
			t.Errorf("%s: %v; want < %v", name, took, hostileLimit())
		}
	}
}

func TestAppendTextRefusesWhatCouldNotBeReadBack(t *testing.T) {
	for _, p := range []Packet{
		{Type: 7}, {Namespace: "admin"}, {Namespace: "/a,b"}, {Namespace: "/a?b"}, {Namespace: "/a", Query: "b,c"},
	} {
		if text, err := p.AppendText(nil); err == nil {
			t.Errorf("AppendText(%+v) = %s; want an error", p, text)
		}
	}
}

func TestArgsAreTheElementsAsTheyStand(t *testing.T) {
	args, err := Args([]byte(`[ "a" , {"b": [1, 2]},3,"]"]`))
	want := []string{`"a"`, `{"b": [1, 2]}`, `3`, `"]"`}
	if err != nil || len(args) != len(want) {
		t.Fatalf("Args = %s, %v; want %s", args, err, want)
	}
	for i := range want {
		if string(args[i]) != want[i] {
			t.Errorf("Args[%d] = %s; want %s", i, args[i], want[i])
		}
	}
	if args, err := Args([]byte(`[]`)); err != nil || len(args) != 0 {
		t.Errorf("Args([]) = %s, %v", args, err)
	}
}

func TestIsPlaceholderSeesOnlyWholeOnes(t *testing.T) {
	for raw, ok := range map[string]bool{
		`{"_placeholder":true,"num":3}`:          true,
		` {"num":3 , "_placeholder" : true}`:     true,
		`{"_placeholder":true,"num":3,"x":1}`:    false,
		`{"a":{"_placeholder":true,"num":3}}`:    false,
		`[{"_placeholder":true,"num":3}]`:        false,
		`{"_placeholder":true}`:                  false,
		`{}`:                                     false,
		`"{\"_placeholder\":true,\"num\":3}"`:    false,
		``:                                       false,
		`{"_placeholder":true,"num":3`:           false,
		`{"_placeholder":true,"num":1234567890}`: false,
	} {
		num, got := IsPlaceholder([]byte(raw))
		if got != ok || ok && num != 3 {
			t.Errorf("IsPlaceholder(%s) = %d, %v; want %v", raw, num, got, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`0/admin?x=y,{"a":1}`, `1`, `2/a,12["foo",{"a":[1,-0.5e+7,true,null,"\u00e9\\"]}]`, `313[]`, `4{"message":"no"}`,
		`51-["baz",{"_placeholder":true,"num":0}]`, `62-/admin,456[{"a":{"num":1,"_placeholder":true}},{"\u005fplaceholder":true,"num":0}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(mustAppend(t, p))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("Parse(%q) = %+v, and once more %+v, %v", text, p, again, err)
		}
		checkAgainstJSON(t, p)
	})
}

func BenchmarkParseEvent(b *testing.B) {
	text := []byte(`2/chat,["chat message",{"text":"hello there, how are you?","to":["a","b"],"n":1.5}]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseBinaryEvent(b *testing.B) {
	text := []byte(`51-12["chunk",{"stream":"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T","offset":123456789},{"_placeholder":true,"num":0}]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkArgs(b *testing.B) {
	data := []byte(`["chunk",{"stream":"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T","offset":123456789},{"_placeholder":true,"num":0}]`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Args(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIsPlaceholder(b *testing.B) {
	raw := []byte(`{"_placeholder":true,"num":0}`)
	b.ReportAllocs()
	for b.Loop() {
		IsPlaceholder(raw)
	}
}

func BenchmarkParseAck(b *testing.B) {
	text := []byte(`37[{"ok":true,"offset":123456789}]`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendText(b *testing.B) {
	p := Packet{Type: Event, Namespace: "/chat", ID: 7, Data: []byte(`["message",{"text":"hello there","to":["a","b"],"n":12}]`)}
	dst := make([]byte, 0, 1024)
	b.SetBytes(int64(len(p.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.AppendText(dst); err != nil {
			b.Fatal(err)
		}
	}
}
