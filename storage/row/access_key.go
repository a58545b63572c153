package row

import (
	"github.com/kindred-id/kindred/storage"
)

// AccessKey is the row of an access key: what a client of the HTTP interface shows. It has the hash of the key, from which
// the key can't be made. The row stays when the key is revoked, so that its use is told from that of an unknown key.
type AccessKey struct {
	ID        string // the first digits of Hash
	Hash      [32]byte
	Name      string // for people
	Kind      string
	Role      string // empty: the scopes were chosen one by one
	Scopes    []string
	Source    string // of the events that come with it
	Created   int64  // ms since 1970 UTC, as the following
	Expires   int64  // 0: never
	Revoked   int64  // 0: it is not
	PerSecond uint32 // requests that it may make in a second; 0: as many as the server allows each key
	Successor string // id of the key that takes its place, once it was rotated
}

const accessKeyRow = 3 // in spaceDeployment

var accessKeyKind = &kind{
	space: spaceDeployment, row: accessKeyRow, name: "access key", group: "deployment",
	key:     []field{{"id", 0}},
	about:   "one row an access key: its hash, scopes, expiry",
	catalog: true,
	check:   parses[AccessKey]("access key"),
}

// appendAccessKeyKey appends the key of an access key's row. REQUIRES: 1 <= len(id) <= maxNamedLen-2
func appendAccessKeyKey(b []byte, id string) []byte {
	return append(append(b, byte(spaceDeployment), accessKeyRow), id...)
}

const accessKeyFields = 12

func (k *AccessKey) encode(out *writer) {
	out.start(accessKeyVersion)
	out.array(accessKeyFields)
	out.text(k.ID)
	out.bytes(k.Hash[:])
	for _, text := range []string{k.Name, k.Kind, k.Role} {
		out.text(text)
	}
	out.array(len(k.Scopes))
	for _, scope := range k.Scopes {
		out.text(scope)
	}
	out.text(k.Source)
	for _, at := range []int64{k.Created, k.Expires, k.Revoked} {
		out.int(at)
	}
	out.uint(uint64(k.PerSecond))
	out.text(k.Successor)
}

func (k *AccessKey) decode(in *reader) {
	in.version(accessKeyVersion)
	in.tuple(accessKeyFields)
	*k = AccessKey{ID: in.text()}
	in.fixed("hash", k.Hash[:])
	k.Name, k.Kind, k.Role = in.text(), in.text(), in.text()
	if n := in.list(1, 1); n > 0 {
		k.Scopes = make([]string, n)
	}
	for i := range k.Scopes {
		k.Scopes[i] = in.text()
	}
	k.Source = in.text()
	k.Created, k.Expires, k.Revoked = in.int(), in.int(), in.int()
	k.PerSecond, k.Successor = in.uint32(), in.text()
}

// Put writes the row of an access key.
func (k *AccessKey) Put(b *storage.Batch) {
	b.Set(appendAccessKeyKey(nil, k.ID), appendValue(nil, k))
}

// ReadAccessKey reads the row of an access key. It fails with ErrNotFound if no key has the id.
func ReadAccessKey(s storage.Reader, id string) (AccessKey, error) {
	value, err := s.Get(nil, appendAccessKeyKey(nil, id))
	if err != nil {
		return AccessKey{}, err
	}
	return parse[AccessKey]("access key", value)
}

// ScanAccessKeys calls fn with all access keys, by id.
func ScanAccessKeys(s storage.Reader, fn func(k AccessKey) error) error {
	return scanDeployment(s, accessKeyRow, "access key", fn)
}
