package generate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// An event as anybody may read it who knows the form: the tests share no code with the truth.
type parsedEvent struct {
	Timestamp   time.Time                  `json:"timestamp"`
	MessageID   string                     `json:"messageId"`
	Type        string                     `json:"type"`
	Event       string                     `json:"event"`
	AnonymousID string                     `json:"anonymousId"`
	UserID      *string                    `json:"userId"`
	PreviousID  string                     `json:"previousId"`
	Traits      map[string]json.RawMessage `json:"traits"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Context     struct {
		Library     struct{ Name string }
		IP          string
		UserAgent   string
		Locale      string
		Page        *struct{ URL, Title, Referrer string }
		Device      struct{ ID string }
		Traits      struct{ Email, Phone string }
		ExternalIDs []struct{ ID, Type string } `json:"externalIds"`
	} `json:"context"`
	line string
}

var parsedJunk = []string{
	"", "null", "undefined", "anonymous", "00000000-0000-0000-0000-000000000000", "{{email}}", "%%email%%", "[object Object]", "none", "n/a",
}

// identifiers gives "namespace:value" of every identifier, normalised; spoiled counts the junk.
func (e *parsedEvent) identifiers(t *testing.T) (ids []string, spoiled int) {
	t.Helper()
	add := func(namespace, value string) {
		value = strings.TrimSpace(value)
		if slices.Contains(parsedJunk, value) {
			if value != "" {
				spoiled++
			}
			return
		}
		switch namespace {
		case "email", "device_id", "anonymous_id":
			value = strings.ToLower(value)
		case "phone":
			number, err := phonenumbers.Parse(value, "US")
			if err != nil {
				t.Fatalf("phone %q: %v", value, err)
			}
			value = phonenumbers.Format(number, phonenumbers.E164)
		}
		if id := namespace + ":" + value; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if e.UserID != nil {
		add("user_id", *e.UserID)
	}
	add("user_id", e.PreviousID)
	add("anonymous_id", e.AnonymousID)
	for namespace, remembered := range map[string]string{"email": e.Context.Traits.Email, "phone": e.Context.Traits.Phone} {
		raw, told := e.Traits[namespace]
		switch {
		case e.Type != "identify" || !told:
			add(namespace, remembered)
		case slices.Contains(parsedJunk, remembered) && remembered != "":
			spoiled++ // the call's own address silences it, but it is there
		}
		if e.Type == "identify" && told {
			var value string
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Fatal(err)
			}
			add(namespace, value)
		}
	}
	add("device_id", e.Context.Device.ID)
	for _, external := range e.Context.ExternalIDs {
		add(external.Type, external.ID)
	}
	return ids, spoiled
}

// small is a stream with every difficulty, for tests.
func small() Config {
	cfg := Default()
	cfg.People, cfg.Events, cfg.Generic, cfg.Loyalty = 2500, 25_000, 0.01, 0.2
	return cfg
}

func newGenerator(t testing.TB, cfg Config) *Generator {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// drain makes a whole stream, each line with its end.
func drain(g *Generator) []byte {
	var stream []byte
	for {
		line, ok := g.Next(stream)
		if !ok {
			return line
		}
		stream = append(line, '\n')
	}
}

// parse reads a stream, re-deliveries included.
func parse(t *testing.T, stream []byte) []parsedEvent {
	t.Helper()
	var events []parsedEvent
	for line := range bytes.Lines(stream) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		e := parsedEvent{line: string(line)}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// distinct leaves the first delivery of each event.
func distinct(events []parsedEvent) (first []parsedEvent) {
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.MessageID] {
			seen[e.MessageID] = true
			first = append(first, e)
		}
	}
	return first
}

func testStream(t *testing.T, cfg Config) []parsedEvent {
	t.Helper()
	return parse(t, drain(newGenerator(t, cfg)))
}
