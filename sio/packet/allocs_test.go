//go:build !race

package packet

import "testing"

const (
	plainText  = `27["message",{"text":"hello there, how are you on this fine day?","to":["a","b"],"n":12}]`
	binaryText = `51-12["chunk",{"stream":"01JD2Z6Y8Y3Q5X7K9M1N3P5R7T","offset":123456789},{"_placeholder":true,"num":0}]`
	ackText    = `37[{"ok":true,"offset":123456789}]`
	otherText  = `2/chat,["message","hello"]`
)

func TestParseAllocatesTheNameOfTheNamespaceOnly(t *testing.T) {
	for text, want := range map[string]float64{plainText: 0, binaryText: 0, ackText: 0, otherText: 1} {
		b := []byte(text)
		if n := testing.AllocsPerRun(100, func() { Parse(b) }); n != want {
			t.Errorf("%s: %v times; want %v", text, n, want)
		}
	}
}

func TestAppendTextAllocatesNothingWhereThereIsRoom(t *testing.T) {
	for _, text := range []string{plainText, binaryText, ackText, otherText} {
		p, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() { p.AppendText(dst) }); n != 0 {
			t.Errorf("%s: %v times; want 0", text, n)
		}
	}
}

func TestWhatIsTakenOutOfAnEventAllocatesOnce(t *testing.T) {
	p, err := Parse([]byte(binaryText))
	if err != nil {
		t.Fatal(err)
	}
	args, err := Args(p.Data)
	if err != nil {
		t.Fatal(err)
	}
	attachments := [][]byte{make([]byte, 1<<10)}
	var data []byte
	for what, tt := range map[string]struct {
		do   func()
		want float64
	}{
		"Args: the list":                    {func() { Args(p.Data) }, 1},
		"Name: the string":                  {func() { Name(args[0]) }, 1},
		"IsPlaceholder":                     {func() { IsPlaceholder(args[2]) }, 0},
		"Unmarshal of an attachment: it is": {func() { Unmarshal(args[2], attachments, &data) }, 0},
	} {
		if n := testing.AllocsPerRun(100, tt.do); n != tt.want {
			t.Errorf("%s: %v times; want %v", what, n, tt.want)
		}
	}
}

func TestMsgpackAllocatesWhatItBecomesOnly(t *testing.T) {
	for text, want := range map[string]float64{
		plainText:  1, // the JSON
		ackText:    1,
		otherText:  2, // and the namespace
		binaryText: 2, // and the list of attachments
	} {
		p, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var attachments [][]byte
		if p.Attachments > 0 {
			attachments = [][]byte{make([]byte, 1<<10)}
		}
		message := mustAppendMsgpack(t, p, attachments)
		if n := testing.AllocsPerRun(100, func() { ParseMsgpack(message) }); n != want {
			t.Errorf("ParseMsgpack of %s: %v times; want %v", text, n, want)
		}
		dst := make([]byte, 0, 2<<10)
		want := float64(p.Attachments) // which have been taken
		if n := testing.AllocsPerRun(100, func() { p.AppendMsgpack(dst, attachments) }); n != want {
			t.Errorf("AppendMsgpack of %s: %v times; want %v", text, n, want)
		}
	}
}
