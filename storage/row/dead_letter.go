package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// DeadLetter is the row of an event that came over HTTP and was refused: the event as it was sent, and what is needed to
// take it after all. It holds personal data.
type DeadLetter struct {
	Number    uint64 // ascending: the key
	At        int64  // when the event was received, ms since 1970 UTC
	Code      string // why it was refused
	Field     string
	Message   string
	Hint      string
	Source    string // of the events of the request
	Route     string // where the event was sent, as the route table has it
	MessageID string
	Index     uint32 // of the event in its request
	Type      uint8  // that the request had for its events; 0: each says its own
	Live      bool   // the event came as it happened
	Mapping   string // by which the text is read; empty: it is an event
	SentAt    []byte // of the request
	Context   []byte // of the batch
	Missing   bool   // the text was too long to be kept
	Bytes     uint64 // of the event, as it was sent
	Text      []byte
}

const deadLetterRow = 5 // in spaceDeployment

var deadLetterKind = &kind{
	space: spaceDeployment, row: deadLetterRow, name: "dead letter", group: "deployment",
	key:     []field{numberField},
	about:   "one row an event that was refused: why, its text",
	catalog: true,
	check:   parses[DeadLetter]("dead letter"),
}

func appendDeadLetterKey(b []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, byte(spaceDeployment), deadLetterRow), number)
}

const deadLetterFields = 18

func (l *DeadLetter) encode(out *writer) {
	out.start(deadLetterVersion)
	out.array(deadLetterFields)
	out.uint(l.Number)
	out.int(l.At)
	for _, text := range l.texts() {
		out.text(*text)
	}
	out.uint(uint64(l.Index))
	out.uint(uint64(l.Type))
	out.bool(l.Live)
	out.bytes(l.SentAt)
	out.bytes(l.Context)
	out.bool(l.Missing)
	out.uint(l.Bytes)
	out.bytes(l.Text)
}

// texts are the fields that are texts, in the order of the row.
func (l *DeadLetter) texts() []*string {
	return []*string{&l.Code, &l.Field, &l.Message, &l.Hint, &l.Source, &l.Route, &l.MessageID, &l.Mapping}
}

func (l *DeadLetter) decode(in *reader) {
	in.version(deadLetterVersion)
	in.tuple(deadLetterFields)
	*l = DeadLetter{Number: in.uint(), At: in.int()}
	for _, text := range l.texts() {
		*text = in.text()
	}
	l.Index = in.uint32()
	l.Type = in.enum("event type", 0, uint8(graph.EventTypes-1))
	l.Live = in.bool()
	l.SentAt, l.Context = in.bytes(), in.bytes()
	l.Missing = in.bool()
	l.Bytes, l.Text = in.uint(), in.bytes()
}

// Put writes the row.
func (l *DeadLetter) Put(b *storage.Batch) {
	b.Set(appendDeadLetterKey(nil, l.Number), appendValue(nil, l))
}

// DropDeadLetter deletes the row of a number.
func DropDeadLetter(b *storage.Batch, number uint64) { b.Delete(appendDeadLetterKey(nil, number)) }

// ReadDeadLetter reads the row of a number. It fails with ErrNotFound if there is none.
func ReadDeadLetter(s storage.Reader, number uint64) (DeadLetter, error) {
	value, err := s.Get(nil, appendDeadLetterKey(nil, number))
	if err != nil {
		return DeadLetter{}, err
	}
	return parse[DeadLetter]("dead letter", value)
}

// ScanDeadLetters calls fn with each dead letter above a number, the oldest first, and the bytes that its row takes. The
// letter is valid during the call.
func ScanDeadLetters(s storage.Reader, above uint64, fn func(l *DeadLetter, bytes int) error) error {
	lower := appendDeadLetterKey(nil, above+1)
	return s.Iterate(lower, []byte{byte(spaceDeployment), deadLetterRow + 1}, func(key, value []byte) error {
		l, err := parse[DeadLetter]("dead letter", value)
		if err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
		return fn(&l, len(key)+len(value))
	})
}
