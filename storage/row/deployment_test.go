package row

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

func sampleDeployment() Deployment {
	return Deployment{Shards: 64, Secret: Secret{1, 2, 3, 0xfe}, Created: 1.7e12, RulesName: "default", RulesVersion: 1 << 63}
}

func TestDeploymentRow(t *testing.T) {
	d := sampleDeployment()
	row := appendDeployment(nil, &d)
	if got, err := decodeDeployment(row); err != nil || got != d {
		t.Errorf("%v, %v", got, err)
	}
	old := d
	old.PlainKeys = true // a row of version 1
	if got, err := decodeDeployment(appendDeployment(nil, &old)); err != nil || got != old || row[0] != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for i := range row {
		for bit := range 8 {
			row[i] ^= 1 << bit
			if _, err := decodeDeployment(row); err == nil {
				t.Errorf("bit %d of byte %d flipped, and no error", bit, i)
			}
			row[i] ^= 1 << bit
		}
		if _, err := decodeDeployment(row[:i]); err == nil {
			t.Errorf("cut at %d, and no error", i)
		}
	}
}

// S7.
func TestSecretIsNotPrinted(t *testing.T) {
	d := sampleDeployment()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "deployment", d, "secret", d.Secret)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "deployment", d, "secret", d.Secret)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	out := log.String() + string(text) + fmt.Sprintf("%s %d %q", d.Secret, d.Secret, d.Secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
		out += fmt.Sprintf(verb, d)
	}
	for _, leak := range []string{"010203", "1 2 3", "1,2,3", "0x1, 0x2", "AQID"} {
		if strings.Contains(out, leak) {
			t.Errorf("%q in %s", leak, out)
		}
	}
}

func TestInitialise(t *testing.T) {
	s := storage.NewMemStore()
	first, err := Initialise(s, Deployment{Shards: 16, Created: 5})
	if err != nil || first.Shards != 16 || first.Created != 5 || first.Secret == (Secret{}) {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, c := range []struct {
		ask   Deployment
		class error
	}{
		{Deployment{}, nil},
		{Deployment{Shards: 16, Created: 99}, nil},
		{Deployment{Shards: 16, Secret: first.Secret}, nil},
		{Deployment{Shards: 17}, storage.ErrMismatch},
		{Deployment{Secret: Secret{9}}, storage.ErrMismatch},
	} {
		got, err := Initialise(s, c.ask)
		if !errors.Is(err, c.class) || err == nil && got != first {
			t.Errorf("%+v: %+v, %v", c.ask, got, err)
		}
	}

	var b storage.Batch
	if err := first.SetRules(&b, "open", 77); err != nil {
		t.Fatal(err)
	}
	if err := first.SetRules(&b, strings.Repeat("x", 256), 77); err == nil || first.RulesName != "open" {
		t.Errorf("a name of 256 bytes: %v", err)
	}
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadDeployment(s); err != nil || got != first || got.RulesVersion != 77 {
		t.Errorf("%+v, %v", got, err)
	}

	b.Reset()
	b.Delete(appendDeploymentKey(nil))
	b.Set(appendMetaKey(nil, 1), []byte("x"))
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := Initialise(s, Deployment{Shards: 16}); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("the row is lost and others are there: %v", err)
	}
	for _, shards := range []int{0, -1, MaxShards + 1} {
		if _, err := Initialise(storage.NewMemStore(), Deployment{Shards: shards}); err == nil {
			t.Errorf("%d shards, and no error", shards)
		}
	}
}

func FuzzDeploymentRow(f *testing.F) {
	d := sampleDeployment()
	f.Add(appendDeployment(nil, &d))
	f.Add([]byte{deploymentVersion})
	f.Fuzz(func(t *testing.T, row []byte) {
		if d, err := decodeDeployment(row); err == nil && !bytes.Equal(appendDeployment(nil, &d), row) {
			t.Errorf("% x was read, and written otherwise", row)
		}
	})
}
