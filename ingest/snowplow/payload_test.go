package snowplow

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/keyring"
)

var rewrite = flag.Bool("rewrite", false, "write what bodies are translated to into testdata")

// Each file of testdata is the body of one request, in the form of the tracker that it names, and the batch in Segment's
// format that it is translated to.
func TestPayload(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			head, want, ok := bytes.Cut(text, []byte("\n----\n"))
			_, body, commented := bytes.Cut(head, []byte("\n"))
			if !ok || !commented {
				t.Fatal("want a comment, a body, ---- and what becomes of it")
			}
			batch, err := Payload(body, noSecret)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, batch, "", " "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			if *rewrite {
				if err := os.WriteFile(path, []byte(string(head)+"\n----\n"+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != string(want) {
				t.Errorf("got\n%swant\n%s", &got, want)
			}
		})
	}
}

func noSecret(string) bool { return false }

// A secret app id is the write key, and in no event.
func TestSecretAppID(t *testing.T) {
	got, err := Payload([]byte(`{"data":[{"e":"pv","aid":"wk_1","tv":"js"},{"e":"pv","aid":"shop"}]}`), func(id string) bool { return id == "wk_1" })
	const want = `{"writeKey":"wk_1","batch":[{"context":{"library":{"name":"snowplow","version":"js"}},"type":"page"},{"context":{"app":{"name":"shop"}},"type":"page"}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

func TestQuery(t *testing.T) {
	query, err := url.ParseQuery("e=pv&eid=e-1&duid=d-1&aid=shop&p=web&url=https%3A%2F%2Fshop.example%2F&page=Home&dtm=1767261600123&unknown=x")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Query(query, noSecret)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"writeKey":"shop","batch":[{"anonymousId":"d-1","channel":"web","context":{"app":{"name":"shop"},"page":{"title":"Home","url":"https://shop.example/"}},` +
		`"messageId":"e-1","name":"Home","properties":{"title":"Home","url":"https://shop.example/"},"timestamp":"1767261600123","type":"page"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBodiesThatAreNoPayloads(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"data":{}}`, `{"data":null}`, `{"batch":[]}`, `{"data":[{}]`} {
		if got, err := Payload([]byte(body), noSecret); err == nil {
			t.Errorf("%s gives %s", body, got)
		}
	}
}

// An odd event is passed on, for the decoder to reject it by name, and costs the others nothing.
func TestOddEvents(t *testing.T) {
	for body, want := range map[string]string{
		`{"data":[7,{"e":"pv"}]}`:                                  `{"batch":[7,{"type":"page"}]}`,
		`{"data":[null]}`:                                          `{"batch":[null]}`,
		`{"data":[{"e":"xx"}]}`:                                    `{"batch":[{"type":"xx"}]}`,
		`{"data":[{}]}`:                                            `{"batch":[{"type":""}]}`,
		`{"data":[{"e":"ue","ue_pr":"{"}]}`:                        `{"batch":[{"type":"unstruct_event"}]}`,
		`{"data":[{"e":"ue","ue_px":"!"}]}`:                        `{"batch":[{"type":"unstruct_event"}]}`,
		`{"data":[{"e":"ue","ue_pr":"{\"data\":7}"}]}`:             `{"batch":[{"type":"unstruct_event"}]}`,
		`{"data":[{"e":"se","se_ac":"play","se_va":7,"co":"[]"}]}`: `{"batch":[{"event":"play","properties":{"value":"7"},"type":"track"}]}`,
	} {
		got, err := Payload([]byte(body), noSecret)
		if err != nil || string(got) != want {
			t.Errorf("%s gives %s, %v; want %s", body, got, err, want)
		}
	}
}

func FuzzPayload(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.txt")
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		head, _, _ := bytes.Cut(text, []byte("\n----\n"))
		_, body, _ := bytes.Cut(head, []byte("\n"))
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Payload(body, noSecret)
		if err == nil && !json.Valid(got) {
			t.Errorf("%q gives %q", body, got)
		}
	})
}

// An app id that is an access key is the write key of the batch, and no part of its event.
func TestKeysAreNotKept(t *testing.T) {
	key := "wk_" + strings.Repeat("a", 52)
	for app, want := range map[string]int{key: 1, "shop": 2} {
		batch, err := Query(url.Values{"e": {"pv"}, "aid": {app}}, keyring.Is)
		if n := bytes.Count(batch, []byte(app)); n != want || err != nil {
			t.Errorf("%s: %d times in %s: %v", app, n, batch, err)
		}
	}
}
