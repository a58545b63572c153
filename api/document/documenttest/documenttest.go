// Package documenttest checks that hand-written encoders and the structs of package document agree.
package documenttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// fataler is what tests and properties have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// CheckSame checks that text, which a hand-written encoder made, has exactly the members of a T, in the order of its
// fields, with the values that encoding/json would write (D1): it decodes text into a T, which may have no other members,
// encodes that again, and compares token by token. Numbers are compared by value, as 1e-7 is 0.0000001.
func CheckSame[T any](t fataler, text []byte) {
	t.Helper()
	var value T
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%T: %v: %s", value, err, text)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameJSON(text, again); err != nil {
		t.Fatalf("%T: %v:\n%s\nas encoding/json has it:\n%s", value, err, text, again)
	}
}

// sameJSON says where two texts differ in more than the spelling of numbers and strings.
func sameJSON(a, b []byte) error {
	x, y := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	x.UseNumber()
	y.UseNumber()
	for {
		p, err := x.Token()
		q, other := y.Token()
		switch {
		case errors.Is(err, io.EOF) && errors.Is(other, io.EOF):
			return nil
		case err != nil || other != nil:
			return errors.Join(err, other)
		case !sameToken(p, q):
			return fmt.Errorf("%v is not %v, before byte %d", p, q, x.InputOffset())
		}
	}
}

func sameToken(p, q json.Token) bool {
	if n, ok := p.(json.Number); ok && p != q {
		m, ok := q.(json.Number)
		a, err := n.Float64()
		b, other := m.Float64()
		return ok && err == nil && other == nil && a == b
	}
	return p == q
}

// CheckMembers checks that every member that a T can have, at any depth, was seen in one of the texts: a test that never
// draws a member would prove nothing about it.
func CheckMembers[T any](t *testing.T, texts []byte) {
	t.Helper()
	var walk func(reflect.Type)
	seen := map[reflect.Type]bool{}
	walk = func(typ reflect.Type) {
		if alias, ok := reflect.Zero(typ).Interface().(interface{ JSONSchemaAlias() any }); ok {
			typ = reflect.TypeOf(alias.JSONSchemaAlias())
		}
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !bytes.Contains(texts, []byte(`"`+name+`":`)) {
					t.Errorf("no text has %s.%s (%q)", typ, f.Name, name)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[T]())
}
