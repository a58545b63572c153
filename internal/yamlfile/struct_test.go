package yamlfile

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type color int

func (c *color) UnmarshalText(text []byte) error {
	if string(text) != "red" {
		return errors.New("want red")
	}
	*c = 1
	return nil
}

// pair reads itself from a list of two.
type pair [2]string

func (p *pair) ReadYAML(d *Decoder, n *Node, key string) {
	for i, e := range d.Texts(n, key) {
		p[i%2] = e.Key
	}
}

type inner struct {
	Name string `yaml:"name"`
	On   *bool  `yaml:"on"`
}

type settings struct {
	Name  string   `yaml:"name"`
	Count int      `yaml:"count"`
	On    bool     `yaml:"on"`
	List  []string `yaml:"list"`
	Inner inner    `yaml:"inner"`
	Many  []inner  `yaml:"many"`
	Maybe *inner   `yaml:"maybe"`
	Color color    `yaml:"color"`
	Pair  pair     `yaml:"pair"`
	Never string   `yaml:"-"`
}

func TestUnmarshal(t *testing.T) {
	got := settings{Never: "kept", List: []string{"replaced"}}
	err := Unmarshal("x.yaml", "x", []byte(`
name: ""
count: -7
on: true
list: [a, 2, null]
inner: &i {name: n, on: false}
many: [{<<: *i, name: m}, {<<: [*i, {name: second}]}, {}]
maybe: *i
color: red
pair: [a, b]
`), &got)
	if err != nil {
		t.Fatal(err)
	}
	no := new(false)
	want := settings{
		Count: -7, On: true, List: []string{"a", "2", "null"}, Inner: inner{"n", no}, Many: []inner{{"m", no}, {"n", no}, {}},
		Maybe: &inner{"n", no}, Color: 1, Pair: pair{"a", "b"}, Never: "kept",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, nothing := range []string{"", "# a comment", "null", "name:"} {
		if err := Unmarshal("x.yaml", "x", []byte(nothing), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", nothing, got, err)
		}
	}
}

// Every problem of a file is reported at once, each with its line, its key and the remedy.
func TestUnmarshalRefuses(t *testing.T) {
	err := Unmarshal("x.yaml", "x", []byte(`
name: [a]
counts: 7
count: 1.5
on: "true"
list: a
inner: {name: a, name: b}
many:
- name: a
  off: 1
color: blue
maybe: {<<: {<<: {}}}
color: red
? [a]
: b
`), new(settings))
	want := `x.yaml:13: color: stated twice; leave one out
x.yaml:14: x: a key that is no word
x.yaml:3: counts: unknown key; known here: name, count, on, list, inner, many, maybe, color, pair
x.yaml:2: name: want a text, got a list
x.yaml:4: count: want a whole number, got "1.5"
x.yaml:5: on: want true or false, got "true"
x.yaml:6: list: want a list, as in [a, b], got "a"
x.yaml:7: inner.name: stated twice; leave one out
x.yaml:10: many.off: unknown key; known here: name, on
x.yaml:12: maybe.<<: unknown key; known here: name, on
x.yaml:11: color: want red`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	for text, says := range map[string]string{
		"- a":       "x.yaml:1: x: want keys with values, got a list",
		"a: [":      "x.yaml: yaml: line 1",
		"a: 1\n---": "x.yaml: line 2: a second document; want one in a file",
		"m: &m [*m": "x.yaml: yaml: line 1",
	} {
		if err := Unmarshal("x.yaml", "x", []byte(text), new(settings)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := Read(path, 5); string(content) != "12345" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := Read(path, 4); err == nil || !strings.Contains(err.Error(), "above 4 bytes") {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := Read(path+"x", 5); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
