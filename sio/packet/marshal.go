package packet

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
)

// maxWalk bounds how deep Marshal and Unmarshal follow values, so that one that contains itself is an error.
const maxWalk = 256

// Marshal encodes args as the JSON array of a packet's data. It is encoding/json, save that every []byte in
// args, however deep in maps, slices, structs and pointers, becomes a placeholder and one of the attachments,
// which are numbered in the order of the text and alias args. A nil []byte is null. Types that marshal
// themselves are left to do so: a json.RawMessage is JSON, not binary. What reads as a placeholder and is none is an error beside
// binary.
func Marshal(args ...any) (data []byte, attachments [][]byte, err error) {
	for i, arg := range args {
		if holdsBinary(reflect.TypeOf(arg)) {
			return marshalBinary(args, i)
		}
	}
	data, err = encode(args)
	return data, nil, err
}

func encode(args []any) ([]byte, error) {
	if len(args) == 0 {
		return []byte("[]"), nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(args); err != nil {
		return nil, err
	}
	return buf.Bytes()[:buf.Len()-1], nil // Encode ends with a newline
}

// marshalBinary encodes args, of which those before first hold no binary.
func marshalBinary(args []any, first int) ([]byte, [][]byte, error) {
	x := extractor{tokener: newTokener()}
	copied := append([]any(nil), args...)
	for i := first; i < len(args); i++ {
		if !holdsBinary(reflect.TypeOf(args[i])) {
			continue
		}
		v, err := x.extract(reflect.ValueOf(args[i]), 0)
		if err != nil {
			return nil, nil, err
		}
		copied[i] = v.Interface()
	}
	text, err := encode(copied)
	if err != nil || len(x.found) == 0 {
		return text, nil, err
	}
	data, attachments := x.placeholders(text)
	s := scanner{data: data, own: true, binary: true, attachments: len(attachments)}
	if s.value() != nil || s.found != len(attachments) {
		return nil, nil, errForgedPlaceholder
	}
	return data, attachments, nil
}

// errForgedPlaceholder keeps what a client made up, and an application passes on beside binary, from breaking other clients.
var errForgedPlaceholder = errors.New("packet: beside binary there is what reads as a placeholder of it")

// extractor copies values with tokens in place of their []byte.
type extractor struct {
	*tokener
	found [][]byte
}

// extract returns a copy of v as far as it holds binary; the rest is shared.
func (x *extractor) extract(v reflect.Value, depth int) (reflect.Value, error) {
	if depth > maxWalk {
		return v, errors.New("packet: a value contains itself")
	}
	if !v.IsValid() || !holdsBinary(v.Type()) {
		return v, nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return x.extractElem(v, depth)
	case reflect.Struct:
		return x.extractStruct(v, depth)
	case reflect.Map:
		return x.extractMap(v, depth)
	case reflect.Array:
		c := reflect.New(v.Type()).Elem()
		return c, x.extractElements(c, v, depth)
	default: // a slice: holdsBinary admits nothing else
		if v.IsNil() {
			return v, nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			token := x.token(len(x.found))
			x.found = append(x.found, v.Bytes())
			return reflect.ValueOf(token).Convert(v.Type()), nil
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		return c, x.extractElements(c, v, depth)
	}
}

func (x *extractor) extractElem(v reflect.Value, depth int) (reflect.Value, error) {
	if v.IsNil() {
		return v, nil
	}
	elem, err := x.extract(v.Elem(), depth+1)
	if err != nil {
		return v, err
	}
	if v.Kind() == reflect.Interface {
		c := reflect.New(v.Type()).Elem()
		c.Set(elem)
		return c, nil
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(elem)
	return c.Convert(v.Type()), nil
}

func (x *extractor) extractStruct(v reflect.Value, depth int) (reflect.Value, error) {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c, x.extractFields(c, v, depth)
}

func (x *extractor) extractFields(c, v reflect.Value, depth int) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case omitted(field, v.Field(i)):
			continue
		case embedded(field):
			if err := x.extractFields(c.Field(i), v.Field(i), depth+1); err != nil {
				return err
			}
			continue
		case !field.IsExported():
			continue
		}
		value, err := x.extract(v.Field(i), depth+1)
		if err != nil {
			return err
		}
		c.Field(i).Set(value)
	}
	return nil
}

// embedded reports whether field is an unexported struct whose exported fields are promoted.
func embedded(field reflect.StructField) bool {
	return field.Anonymous && !field.IsExported() && field.Type.Kind() == reflect.Struct
}

// omitted reports whether encoding/json leaves out an empty []byte, which a token would hide from it.
func omitted(field reflect.StructField, v reflect.Value) bool {
	tag := field.Tag.Get("json")
	return tag == "-" || v.Kind() == reflect.Slice && v.Len() == 0 && strings.Contains(tag, ",omitempty")
}

func (x *extractor) extractMap(v reflect.Value, depth int) (reflect.Value, error) {
	if v.IsNil() {
		return v, nil
	}
	c := reflect.MakeMapWithSize(v.Type(), v.Len())
	for iter := v.MapRange(); iter.Next(); {
		value, err := x.extract(iter.Value(), depth+1)
		if err != nil {
			return c, err
		}
		c.SetMapIndex(iter.Key(), value)
	}
	return c, nil
}

func (x *extractor) extractElements(c, v reflect.Value, depth int) error {
	for i := range v.Len() {
		value, err := x.extract(v.Index(i), depth+1)
		if err != nil {
			return err
		}
		c.Index(i).Set(value)
	}
	return nil
}

// placeholders replaces the tokens in text, and returns the attachments in the order in which they appear.
func (x *extractor) placeholders(text []byte) (data []byte, attachments [][]byte) {
	data = x.replace(text, func(n int) int {
		attachments = append(attachments, x.found[n])
		return len(attachments) - 1
	})
	return data, attachments
}

// binaryTypes remembers holdsBinary. It is a cache and holds nothing but what the types themselves say.
var binaryTypes sync.Map // of reflect.Type to bool

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// holdsBinary reports whether a value of type t can hold a []byte that Marshal makes an attachment of.
func holdsBinary(t reflect.Type) bool {
	if t == nil {
		return false
	}
	if holds, ok := binaryTypes.Load(t); ok {
		return holds.(bool)
	}
	holds := findBinary(t, make(map[reflect.Type]bool))
	binaryTypes.Store(t, holds)
	return holds
}

// findBinary looks through t; the types in visited are being looked through already.
func findBinary(t reflect.Type, visited map[reflect.Type]bool) bool {
	if visited[t] {
		return false
	}
	visited[t] = true
	if marshalsItself(t) || marshalsItself(reflect.PointerTo(t)) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Map, reflect.Array:
		return findBinary(t.Elem(), visited)
	case reflect.Slice:
		return isBytes(t) || findBinary(t.Elem(), visited)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || embedded(f)) && findBinary(f.Type, visited) {
				return true
			}
		}
	}
	return false
}

// isBytes reports whether encoding/json writes a t as base64.
func isBytes(t reflect.Type) bool {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Uint8 {
		return false
	}
	return !marshalsItself(reflect.PointerTo(t.Elem()))
}

func marshalsItself(t reflect.Type) bool {
	return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
}
