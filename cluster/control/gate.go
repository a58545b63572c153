package control

// A Member is what a node of a cluster says of its encodings.
type Member struct {
	Name     string
	Readable uint64 // the newest generation that it reads
}

// Oldest is the generation that every program reads.
const Oldest = 1

// Gate returns the generation that all nodes write: the newest that every member reads, whether it is up or not. A node that is gone
// for good has to be removed before the gate rises. It also returns who holds it down; nobody if all read the newest that one of
// them does.
//
// The gate never sinks, although nothing keeps it: a member comes in, or comes back with another program, only if it reads what is
// written (Admit), and changes of members are ordered.
func Gate(members []Member) (written uint64, held []string) {
	if len(members) == 0 {
		return Oldest, nil
	}
	least, newest := members[0].Readable, members[0].Readable
	for _, m := range members {
		least, newest = min(least, m.Readable), max(newest, m.Readable)
	}
	for _, m := range members {
		if m.Readable == least && least < newest {
			held = append(held, m.Name)
		}
	}
	return max(Oldest, least), held
}

// Admit reports whether a node may come in: it reads what is written.
func Admit(written uint64, m Member) bool { return m.Readable >= written }
