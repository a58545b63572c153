package row

import (
	"github.com/kindred-id/kindred/storage"
)

// KeptAnswer is the row of a request with an idempotency key: what it was, and how it was answered. Without an answer the
// request was begun and may have had its effect.
type KeptAnswer struct {
	Key    [16]byte // the first half of the SHA-256 of the idempotency key
	Body   [32]byte // SHA-256 of the request
	Effect string   // id of what the request makes
	At     int64    // when it began, ms since 1970 UTC
	Answer []byte   // empty: it is not answered yet
}

const keptAnswerRow = 4 // in spaceDeployment

var keptAnswerKind = &kind{
	space: spaceDeployment, row: keptAnswerRow, name: "kept answer", group: "deployment",
	key:     []field{{"hash", 16}},
	about:   "one row a request with an idempotency key: its hash, answer, time",
	catalog: true,
	check:   parses[KeptAnswer]("kept answer"),
}

func appendKeptAnswerKey(b []byte, key *[16]byte) []byte {
	return append(append(b, byte(spaceDeployment), keptAnswerRow), key[:]...)
}

const keptAnswerFields = 5

func (k *KeptAnswer) encode(out *writer) {
	out.start(keptAnswerVersion)
	out.array(keptAnswerFields)
	out.bytes(k.Key[:])
	out.bytes(k.Body[:])
	out.text(k.Effect)
	out.int(k.At)
	out.bytes(k.Answer)
}

func (k *KeptAnswer) decode(in *reader) {
	in.version(keptAnswerVersion)
	in.tuple(keptAnswerFields)
	*k = KeptAnswer{}
	in.fixed("key", k.Key[:])
	in.fixed("body", k.Body[:])
	k.Effect, k.At, k.Answer = in.text(), in.int(), in.bytes()
}

// Put writes the row.
func (k *KeptAnswer) Put(b *storage.Batch) {
	b.Set(appendKeptAnswerKey(nil, &k.Key), appendValue(nil, k))
}

// Drop deletes the row.
func (k *KeptAnswer) Drop(b *storage.Batch) { b.Delete(appendKeptAnswerKey(nil, &k.Key)) }

// ReadKeptAnswer reads the row of an idempotency key. It fails with ErrNotFound if there is none.
func ReadKeptAnswer(s storage.Reader, key [16]byte) (KeptAnswer, error) {
	value, err := s.Get(nil, appendKeptAnswerKey(nil, &key))
	if err != nil {
		return KeptAnswer{}, err
	}
	return parse[KeptAnswer]("kept answer", value)
}

// ScanKeptAnswers calls fn with all kept answers, by the hash of their keys.
func ScanKeptAnswers(s storage.Reader, fn func(k KeptAnswer) error) error {
	return scanDeployment(s, keptAnswerRow, "kept answer", fn)
}
