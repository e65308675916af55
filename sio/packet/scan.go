package packet

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"strconv"
)

// scanner validates JSON and finds the placeholders in it, in one pass and without allocating. It goes no
// deeper than MaxDepth, so it may recurse.
type scanner struct {
	data  []byte
	pos   int
	depth int
	own   bool // data is not a peer's: its depth is not bounded

	// With binary set, placeholders are looked for: each must name one of the attachments, and no two the same.
	binary      bool
	attachments int
	found       int
	num         int  // of the newest one found
	inside      bool // of something else
	seen        [(MaxAttachments + bits.UintSize - 1) / bits.UintSize]uint

	kept []json.RawMessage // the arguments, unless it is nil

	// Called, where set, with each placeholder, in order.
	visitPlaceholder func(start, end, num int)
}

// args scans an array of at most most elements, and nothing after it. It returns the first as it stands, nil
// if there is none.
func (s *scanner) args(most int) (first []byte, err error) {
	s.space()
	if s.peek() != '[' {
		return nil, malformed("data is no array")
	}
	n := 0
	err = s.elements(func(start int) error {
		if n++; n > most {
			return malformed("more than %d arguments", MaxArgs)
		}
		raw := s.data[start:s.pos:s.pos]
		if n == 1 {
			first = raw
		}
		if s.kept != nil {
			s.kept = append(s.kept, raw)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return first, s.end()
}

// end reports an error if anything but space follows.
func (s *scanner) end() error {
	s.space()
	if s.pos < len(s.data) {
		return s.unexpected()
	}
	return nil
}

func (s *scanner) value() error {
	s.space()
	switch c := s.peek(); c {
	case '{':
		return s.object()
	case '[':
		return s.elements(nil)
	case '"':
		_, err := s.text()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// elements scans an array and calls each, if given, with where every element began.
func (s *scanner) elements(each func(start int) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.space(); s.peek() == ']' {
		s.leave()
		return nil
	}
	for {
		s.space()
		start := s.pos
		if err := s.value(); err != nil {
			return err
		}
		if each != nil {
			if err := each(start); err != nil {
				return err
			}
		}
		more, err := s.next(']')
		if !more {
			return err
		}
	}
}

// object is what matters of an object: whether it is a placeholder, which it is when its member "_placeholder" is true.
type object struct {
	start   int
	members int
	marked  bool
	num     []byte // the value of its member "num"
}

func (s *scanner) object() error {
	o := object{start: s.pos}
	if err := s.enter(); err != nil {
		return err
	}
	if s.space(); s.peek() == '}' {
		s.leave()
		return nil
	}
	for {
		if err := s.member(&o); err != nil {
			return err
		}
		more, err := s.next('}')
		switch {
		case err != nil:
			return err
		case more:
		case o.marked:
			return s.placeholder(&o)
		default:
			return nil
		}
	}
}

func (s *scanner) member(o *object) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	s.space()
	from := s.pos
	if err := s.value(); err != nil {
		return err
	}
	o.members++
	if s.binary {
		o.note(key, s.data[from:s.pos])
	}
	return nil
}

// note remembers a member that matters.
func (o *object) note(key, raw []byte) {
	switch {
	case isKey(key, "_placeholder"):
		o.marked = string(raw) == "true"
	case isKey(key, "num"):
		o.num = raw
	}
}

func isPlaceholderNumber(raw []byte) bool {
	return 0 < len(raw) && len(raw) <= 4 && isDigits(raw) && (raw[0] != '0' || len(raw) == 1)
}

// placeholder holds o to the rules. JavaScript takes the last of two equal members, Go the last in any case of letters: a
// placeholder has two members, so that no such choice is left open.
func (s *scanner) placeholder(o *object) error {
	if o.members != 2 {
		return malformed("a placeholder with %d members", o.members)
	}
	if !isPlaceholderNumber(o.num) {
		return malformed("bad placeholder number")
	}
	n, _ := strconv.Atoi(string(o.num))
	if n >= s.attachments {
		return malformed("placeholder %d of %d attachments", n, s.attachments)
	}
	word, bit := n/bits.UintSize, uint(1)<<(n%bits.UintSize)
	if s.seen[word]&bit != 0 {
		return malformed("placeholder %d twice", n)
	}
	s.seen[word] |= bit
	s.found++
	s.num, s.inside = n, s.depth > 0
	if s.visitPlaceholder != nil {
		s.visitPlaceholder(o.start, s.pos, n)
	}
	return nil
}

// key scans a member's name and the colon after it.
func (s *scanner) key() ([]byte, error) {
	s.space()
	if s.peek() != '"' {
		return nil, s.unexpected()
	}
	key, err := s.text()
	if err != nil {
		return nil, err
	}
	if s.space(); s.peek() != ':' {
		return nil, s.unexpected()
	}
	s.pos++
	return key, nil
}

// isKey compares a quoted key to a name, escapes resolved.
func isKey(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	if len(quoted) > 2+6*len(name) { // no escape is longer than \u0000
		return false
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && key == name
}

func (s *scanner) enter() error {
	if s.depth++; s.depth > MaxDepth && !s.own {
		return malformed("JSON deeper than %d", MaxDepth)
	}
	s.pos++
	return nil
}

func (s *scanner) leave() {
	s.depth--
	s.pos++
}

// next steps over the comma before another element, or over the bracket that closes.
func (s *scanner) next(closing byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.leave()
		return false, nil
	}
	return false, s.unexpected()
}

// text scans a string and returns it with its quotes.
func (s *scanner) text() ([]byte, error) {
	start := s.pos
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start:s.pos], nil
		case c < ' ':
			return nil, s.unexpected()
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		}
	}
	return nil, s.unexpected()
}

// escape leaves pos at the last byte of an escape.
func (s *scanner) escape() error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			s.pos++
			if c := s.peek(); !isDigit(c) && !('a' <= c|0x20 && c|0x20 <= 'f') {
				return s.unexpected()
			}
		}
		return nil
	}
	return s.unexpected()
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return s.unexpected()
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) number() error {
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.unexpected()
	}
	if s.peek() == '.' {
		if s.pos++; !s.digits() {
			return s.unexpected()
		}
	}
	if s.peek()|0x20 == 'e' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.unexpected()
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end: no JSON token contains a 0.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) unexpected() error {
	if s.pos >= len(s.data) {
		return malformed("JSON ends early")
	}
	return malformed("unexpected %q in JSON at %d", s.data[s.pos], s.pos)
}
