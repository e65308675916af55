package packet

import (
	"encoding/json"
	"unicode/utf8"
)

// reserved are the names that sockets themselves emit to the application, on either side.
var reserved = [...]string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

// usualArgs is how many arguments, the name of the event included, there is room for before there are more.
const usualArgs = 4

// Reserved reports whether name may not be used for an event.
func Reserved(name string) bool { return isReserved(name) }

func isReserved[S string | []byte](name S) bool {
	for _, r := range reserved {
		if r == string(name) {
			return true
		}
	}
	return false
}

// Args returns the elements of an array of arguments; of an event the first is its name. They alias data.
// It refuses more than MaxArgs arguments, a name and an offset.
func Args(data []byte) ([]json.RawMessage, error) {
	s := scanner{data: data, kept: make([]json.RawMessage, 0, usualArgs)}
	if _, err := s.args(2 + MaxArgs); err != nil {
		return nil, err
	}
	return s.kept, nil
}

// Name decodes the name of an event, which is a string or, as JavaScript allows, a number.
func Name(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", malformed("an event without a name")
	}
	if c := raw[0]; c == '-' || isDigit(c) {
		return string(raw), nil
	}
	if raw[0] != '"' {
		return "", malformed("an event whose name is no string")
	}
	name, err := unquote(raw)
	if err != nil {
		return "", malformed("an event whose name is no string")
	}
	if Reserved(name) {
		return "", malformed("reserved event name %q", name)
	}
	return name, nil
}

// checkName returns the error of Name.
func checkName(raw json.RawMessage) error {
	if name, ok := plain(raw); ok && !isReserved(name) {
		return nil // before it is made a string
	}
	_, err := Name(raw)
	return err
}

// unquote decodes what begins as a string.
func unquote(raw []byte) (string, error) {
	if text, ok := plain(raw); ok {
		return string(text), nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err
}

// plain returns what is between the quotes of a string in which nothing stands for anything else, as in most.
func plain(raw []byte) (text []byte, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil, false
	}
	text = raw[1 : len(raw)-1]
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return text, true
}

// IsPlaceholder returns the number of the attachment that raw stands for, and whether it is a placeholder
// and nothing else. It may be asked about arguments of binary packets only: elsewhere a placeholder is data.
func IsPlaceholder(raw json.RawMessage) (num int, ok bool) {
	s := scanner{data: raw, binary: true, attachments: MaxAttachments}
	if s.space(); s.peek() != '{' || s.value() != nil || s.found != 1 || s.inside {
		return 0, false
	}
	return s.num, true
}

// Pick returns args, some of those of a binary packet, with their placeholders numbered anew, and which of its attachments they stand for.
func Pick(args []json.RawMessage, attachments [][]byte) (picked []json.RawMessage, held [][]byte, err error) {
	for _, raw := range args {
		var text []byte
		done := 0
		s := scanner{data: raw, binary: true, attachments: len(attachments)}
		s.visitPlaceholder = func(start, end, num int) {
			text = appendPlaceholder(append(text, raw[done:start]...), len(held))
			held = append(held, attachments[num])
			done = end
		}
		if err := s.value(); err != nil {
			return nil, nil, err
		}
		picked = append(picked, append(text, raw[done:]...))
	}
	return picked, held, nil
}
