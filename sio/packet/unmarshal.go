package packet

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Unmarshal decodes raw, an argument of a packet, into v. It is json.Unmarshal, save that a placeholder in
// raw becomes the attachment it stands for, where v has a []byte or an interface to take it; it is not
// copied. A *json.RawMessage keeps the placeholder. Types that unmarshal themselves cannot take binary.
func Unmarshal(raw json.RawMessage, attachments [][]byte, v any) error {
	if len(attachments) == 0 {
		return json.Unmarshal(raw, v)
	}
	if num, ok := IsPlaceholder(raw); ok {
		if done, err := unmarshalWhole(num, attachments, v); done || err != nil {
			return err
		}
	}
	f := filler{tokener: newTokener(), attachments: attachments}
	text, err := f.tokens(raw)
	if err != nil {
		return err
	}
	if f.left == 0 {
		return json.Unmarshal(raw, v)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return err
	}
	return f.fill(reflect.ValueOf(v), 0)
}

// unmarshalWhole serves the common case of an argument that is one attachment.
func unmarshalWhole(num int, attachments [][]byte, v any) (done bool, err error) {
	if num >= len(attachments) {
		return false, missing(num, len(attachments))
	}
	switch v := v.(type) {
	case *[]byte:
		*v = attachments[num]
		return true, nil
	case *any:
		*v = attachments[num]
		return true, nil
	}
	return false, nil
}

func missing(num, have int) error {
	return malformed("placeholder %d of %d attachments", num, have)
}

// filler puts attachments where encoding/json put their tokens.
type filler struct {
	*tokener
	attachments [][]byte
	left        int // tokens not yet seen again
}

// tokens returns raw with tokens for its placeholders.
func (f *filler) tokens(raw []byte) ([]byte, error) {
	var text []byte
	done := 0
	s := scanner{data: raw, binary: true, attachments: len(f.attachments)}
	s.visitPlaceholder = func(start, end, num int) {
		text = append(append(text, raw[done:start]...), '"')
		text = append(f.appendText(text, num), '"')
		done = end
		f.left++
	}
	if err := s.value(); err != nil {
		return nil, err
	}
	return append(text, raw[done:]...), s.end()
}

// fill walks what json.Unmarshal filled. v is settable, or a pointer, map or slice whose elements are.
func (f *filler) fill(v reflect.Value, depth int) error {
	if f.left == 0 {
		return nil
	}
	if depth > maxWalk {
		return errors.New("packet: a value contains itself")
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return f.fill(v.Elem(), depth+1)
	case reflect.String:
		if n, ok := f.numberText(v.String()); ok {
			return fmt.Errorf("packet: attachment %d cannot be a %v", n, v.Type())
		}
	case reflect.Interface:
		return f.fillInterface(v, depth)
	case reflect.Struct:
		return f.fillFields(v, depth)
	case reflect.Map:
		return f.fillMap(v, depth)
	case reflect.Slice, reflect.Array:
		return f.fillElements(v, depth)
	}
	return nil
}

func (f *filler) fillFields(v reflect.Value, depth int) error {
	for i := range v.NumField() {
		if field := v.Type().Field(i); !field.IsExported() && !embedded(field) {
			continue
		}
		if err := f.fill(v.Field(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) fillInterface(v reflect.Value, depth int) error {
	if v.IsNil() {
		return nil
	}
	if v.Elem().Kind() == reflect.String {
		if n, ok := f.numberText(v.Elem().String()); ok {
			return f.set(v, n)
		}
		return nil
	}
	return f.fill(v.Elem(), depth+1)
}

func (f *filler) fillMap(v reflect.Value, depth int) error {
	for iter := v.MapRange(); iter.Next(); {
		elem := reflect.New(v.Type().Elem()).Elem() // the values of a map cannot be set in place
		elem.Set(iter.Value())
		if err := f.fill(elem, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(iter.Key(), elem)
	}
	return nil
}

func (f *filler) fillElements(v reflect.Value, depth int) error {
	switch kind := v.Type().Elem().Kind(); {
	case kind == reflect.Uint8 && v.Kind() == reflect.Slice:
		return f.fillBytes(v)
	case kind <= reflect.Complex128: // numbers
		return nil
	}
	for i := range v.Len() {
		if err := f.fill(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) fillBytes(v reflect.Value) error {
	if n, ok := f.number(v.Bytes()); ok {
		return f.set(v, n)
	}
	if v.Type() != reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	// What stays JSON gets its placeholders back.
	v.SetBytes(f.replace(v.Bytes(), func(n int) int {
		f.left--
		return n
	}))
	return nil
}

func (f *filler) set(v reflect.Value, n int) error {
	if !v.CanSet() {
		return fmt.Errorf("packet: attachment %d cannot be set", n)
	}
	f.left--
	v.Set(reflect.ValueOf(f.attachments[n]).Convert(v.Type()))
	return nil
}
