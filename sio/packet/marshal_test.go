package packet

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

type blob []byte

type inner struct {
	Image []byte `json:"image"`
	Note  string `json:"note"`
}

type shapes struct {
	Name    string            `json:"name"`
	Thumb   blob              `json:"thumb,omitempty"`
	Inner   *inner            `json:"inner,omitempty"`
	List    [][]byte          `json:"list,omitempty"`
	Map     map[string][]byte `json:"map,omitempty"`
	Any     any               `json:"any,omitempty"`
	Raw     json.RawMessage   `json:"raw,omitempty"`
	When    time.Time         `json:"when,omitzero"`
	Skipped []byte            `json:"-"`
	private []byte
}

func TestMarshalTakesBinaryFromAnywhere(t *testing.T) {
	a, b, c := []byte("aaa"), []byte("bb"), []byte{}
	tests := []struct {
		name string
		args []any
		data string
		want []string
	}{
		{"none", nil, `[]`, nil},
		{"plain", []any{"x", 1, true, nil, 1.5, "<&>"}, `["x",1,true,null,1.5,"<&>"]`, nil},
		{"an argument", []any{"x", a}, `["x",{"_placeholder":true,"num":0}]`, []string{"aaa"}},
		{"nil is null", []any{[]byte(nil)}, `[null]`, nil},
		{"empty is an attachment", []any{c}, `[{"_placeholder":true,"num":0}]`, []string{""}},
		{"the same twice", []any{a, a}, `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, []string{"aaa", "aaa"}},
		{"a map", []any{map[string]any{"z": a, "b": map[string][]byte{"c": b}}}, `[{"b":{"c":{"_placeholder":true,"num":0}},"z":{"_placeholder":true,"num":1}}]`, []string{"bb", "aaa"}},
		{"a slice", []any{[]any{1, a, []any{b}}}, `[[1,{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]]`, []string{"aaa", "bb"}},
		{"an array", []any{[2][]byte{a, b}}, `[[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]]`, []string{"aaa", "bb"}},
		{"raw JSON", []any{json.RawMessage(`{"a":1}`), a}, `[{"a":1},{"_placeholder":true,"num":0}]`, []string{"aaa"}},
		{"an empty struct", []any{shapes{Name: "n", Skipped: a, private: b}}, `[{"name":"n"}]`, nil},
		{
			"a struct",
			[]any{&shapes{Name: "n", Thumb: blob(a), Inner: &inner{Image: b, Note: "x"}, List: [][]byte{a}, Map: map[string][]byte{"k": b}, Any: a, Raw: json.RawMessage(`"r"`), Skipped: a}},
			`[{"name":"n","thumb":{"_placeholder":true,"num":0},"inner":{"image":{"_placeholder":true,"num":1},"note":"x"},"list":[{"_placeholder":true,"num":2}],"map":{"k":{"_placeholder":true,"num":3}},"any":{"_placeholder":true,"num":4},"raw":"r"}]`,
			[]string{"aaa", "bb", "aaa", "bb", "aaa"},
		},
	}
	for _, tt := range tests {
		data, attachments, err := Marshal(tt.args...)
		if err != nil || string(data) != tt.data {
			t.Errorf("%s: Marshal = %s, %v; want %s", tt.name, data, err, tt.data)
		}
		var got []string
		for _, a := range attachments {
			got = append(got, string(a))
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: attachments %q; want %q", tt.name, got, tt.want)
		}
	}
}

type hidden struct{ Data []byte }

type promoting struct {
	hidden
	N int
}

func TestBinaryInEmbeddedStructsTravels(t *testing.T) {
	data, attachments, err := Marshal(promoting{hidden{[]byte("abc")}, 1})
	if err != nil || string(data) != `[{"Data":{"_placeholder":true,"num":0},"N":1}]` {
		t.Fatalf("Marshal = %s, %v", data, err)
	}
	var got promoting
	if err := Unmarshal(data[1:len(data)-1], attachments, &got); err != nil || string(got.Data) != "abc" {
		t.Errorf("Unmarshal = %+v, %v", got, err)
	}
}

func TestMarshalLeavesItsArgumentsAlone(t *testing.T) {
	v := &shapes{Inner: &inner{Image: []byte("img")}, Map: map[string][]byte{"k": []byte("v")}, List: [][]byte{[]byte("l")}}
	if _, _, err := Marshal(v); err != nil {
		t.Fatal(err)
	}
	if string(v.Inner.Image) != "img" || string(v.Map["k"]) != "v" || string(v.List[0]) != "l" {
		t.Errorf("Marshal changed its argument to %+v", v)
	}
}

func TestMarshalDoesNotCopyAttachments(t *testing.T) {
	big := make([]byte, 1<<20)
	_, attachments, err := Marshal(map[string]any{"a": big})
	if err != nil || &attachments[0][0] != &big[0] {
		t.Errorf("Marshal copied the attachment (%v)", err)
	}
}

func TestAValueThatContainsItselfIsAnError(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = loop
	if data, _, err := Marshal(loop); err == nil {
		t.Errorf("Marshal = %s; want an error", data)
	}
}

func TestUnmarshalReturnsBinaryToItsPlace(t *testing.T) {
	when := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	want := shapes{
		Name: "n", Thumb: blob("aaa"), Inner: &inner{Image: []byte("bb"), Note: "x"}, List: [][]byte{{1}, {}},
		Map: map[string][]byte{"k": {2}}, Any: map[string]any{"deep": []any{[]byte("any"), 1.0}}, When: when,
	}
	data, attachments, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got shapes
	if err := Unmarshal(data[1:len(data)-1], attachments, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Unmarshal = %+v, %v; want %+v", got, err, want)
	}
}

func TestUnmarshalIntoAnyGivesBytes(t *testing.T) {
	attachments := [][]byte{[]byte("zero"), []byte("one")}
	var got any
	raw := `{"a":[{"_placeholder":true,"num":1}],"b":{"_placeholder":true,"num":0},"c":"text"}`
	if err := Unmarshal([]byte(raw), attachments, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": []any{[]byte("one")}, "b": []byte("zero"), "c": "text"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Unmarshal = %v; want %v", got, want)
	}
	if err := Unmarshal([]byte(`{"_placeholder":true,"num":1}`), attachments, &got); err != nil || string(got.([]byte)) != "one" {
		t.Errorf("Unmarshal = %v, %v; want the attachment", got, err)
	}
}

func TestUnmarshalKeepsPlaceholdersInRawJSON(t *testing.T) {
	var got struct{ Raw json.RawMessage }
	raw := `{"Raw":[{"_placeholder":true,"num":1},"x"]}`
	if err := Unmarshal([]byte(raw), [][]byte{{1}, {2}}, &got); err != nil || string(got.Raw) != `[{"_placeholder":true,"num":1},"x"]` {
		t.Errorf("Unmarshal = %s, %v", got.Raw, err)
	}
}

func TestUnmarshalOfBinaryIntoTextIsAnError(t *testing.T) {
	var s string
	if err := Unmarshal([]byte(`{"_placeholder":true,"num":0}`), [][]byte{{1}}, &s); err == nil {
		t.Errorf("Unmarshal into a string = %q; want an error", s)
	}
	var m map[string]string
	if err := Unmarshal([]byte(`{"a":{"_placeholder":true,"num":0}}`), [][]byte{{1}}, &m); err == nil {
		t.Errorf("Unmarshal into a map of strings = %q; want an error", m)
	}
	var n int
	if err := Unmarshal([]byte(`{"_placeholder":true,"num":0}`), [][]byte{{1}}, &n); err == nil {
		t.Error("Unmarshal into a number; want an error")
	}
}

func TestUnmarshalRefusesAttachmentsThatAreNotThere(t *testing.T) {
	for _, raw := range []string{`{"_placeholder":true,"num":1}`, `[{"_placeholder":true,"num":1}]`} {
		var v any
		if err := Unmarshal([]byte(raw), [][]byte{{1}}, &v); err == nil {
			t.Errorf("Unmarshal(%s) = %v; want an error", raw, v)
		}
	}
}

func TestUnmarshalIgnoresBinaryNobodyAskedFor(t *testing.T) {
	var got struct{ A int }
	if err := Unmarshal([]byte(`{"a":1,"b":{"_placeholder":true,"num":0}}`), [][]byte{{1}}, &got); err != nil || got.A != 1 {
		t.Errorf("Unmarshal = %+v, %v", got, err)
	}
}

// checkAgainstJSON holds the scanner to encoding/json: what it admits is valid, and decodes.
func checkAgainstJSON(t *testing.T, p Packet) {
	if p.Data == nil {
		return
	}
	if !json.Valid(p.Data) {
		t.Fatalf("%q is no JSON", p.Data)
	}
	if p.Type == Connect || p.Type == ConnectError {
		return
	}
	args, err := Args(p.Data)
	if err != nil {
		t.Fatalf("Args(%q): %v", p.Data, err)
	}
	attachments := make([][]byte, p.Attachments)
	for i := range attachments {
		attachments[i] = []byte{byte(i)}
	}
	for _, arg := range args {
		var v any
		if err := Unmarshal(arg, attachments, &v); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("Unmarshal(%q): %v", arg, err)
		}
		checkMarshal(t, v)
	}
}

func checkMarshal(t *testing.T, v any) {
	data, attachments, err := Marshal(v)
	if err != nil {
		t.Fatalf("Marshal(%v): %v", v, err)
	}
	var again any
	if err := Unmarshal(data[1:len(data)-1], attachments, &again); err != nil {
		t.Fatalf("Unmarshal(%q): %v", data, err)
	}
	if !reflect.DeepEqual(again, v) && !bytes.Contains(data, []byte("_placeholder")) {
		t.Fatalf("%v became %v", v, again)
	}
}

func BenchmarkMarshal(b *testing.B) {
	type chunk struct {
		Stream string `json:"stream"`
		Offset int64  `json:"offset"`
	}
	big := make([]byte, 256<<10)
	for name, args := range map[string][]any{
		"plain":  {"chunk", chunk{"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T", 123456789}},
		"binary": {"chunk", chunk{"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T", 123456789}, big},
		"map":    {"chat", map[string]any{"message": "hello", "n": 1}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Marshal(args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	big := [][]byte{make([]byte, 256<<10)}
	raw := []byte(`{"name":"n","inner":{"image":{"_placeholder":true,"num":0},"note":"x"}}`)
	b.ReportAllocs()
	for b.Loop() {
		var v shapes
		if err := Unmarshal(raw, big, &v); err != nil {
			b.Fatal(err)
		}
	}
}
