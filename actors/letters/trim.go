package letters

import (
	"bytes"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/storage/row"
)

// trim bounds the texts of a letter, and returns about how much memory it takes. Context and sentAt that are too long are
// left out: they are of the batch, and the event stays.
func trim(l *row.DeadLetter) int {
	l.Bytes = uint64(len(l.Text))
	if len(l.Text) > MaxText {
		l.Text, l.Missing = nil, true
	}
	if len(l.Context) > maxContext {
		l.Context = nil
	}
	if len(l.SentAt) > maxName {
		l.SentAt = nil
	}
	for _, text := range []*string{&l.MessageID, &l.Source, &l.Route, &l.Mapping} {
		if len(*text) > maxName {
			*text = (*text)[:maxName]
		}
	}
	return len(l.Text) + len(l.Context) + len(l.Message) + len(l.Hint) + rowBytes
}

// rowBytes is about what a letter takes beside its texts.
const rowBytes = 512

// hidden stands for a write key. An event with it is as valid as before.
const hidden = `"(key)"`

// hide takes access keys out of a letter (L3): the value of a member writeKey, which libraries for browsers put into each event,
// whatever its form, and everything that has the form of a key. The letter gets texts of its own: those that it had belong to a
// request.
func hide(l *row.DeadLetter) {
	l.Text = []byte(keyring.Hide(string(withoutWriteKey(l.Text))))
	l.Context = []byte(keyring.Hide(string(l.Context)))
	l.SentAt = bytes.Clone(l.SentAt)
	if keyring.Is(l.MessageID) {
		l.MessageID = ""
	}
}

// withoutWriteKey replaces the values of a member writeKey of an object, as far as it can be read.
func withoutWriteKey(raw []byte) []byte {
	if !bytes.Contains(raw, []byte("writeKey")) && !bytes.Contains(raw, []byte(`\u`)) { // escapes may spell it
		return raw
	}
	var s jsonscan.Scanner
	s.Reset(raw, new(jsonscan.Arena))
	if !s.Object() {
		return raw
	}
	var out []byte
	copied := 0
	for s.Next() {
		is := string(s.Key()) == "writeKey"
		start := s.Pos()
		v := s.Value()
		if s.Err() != nil {
			break
		}
		if is && len(v.Raw) > 0 {
			end := s.Pos()
			at := start + bytes.Index(raw[start:end], v.Raw)
			out = append(append(out, raw[copied:at]...), hidden...)
			copied = at + len(v.Raw)
		}
	}
	return append(out, raw[copied:]...)
}
