package control

// A Member is what a node of a cluster says of its encodings.
type Member struct {
	Name     string
	Readable uint64 // the newest generation that it reads
}

// Gate returns the generation that all nodes write: the newest that every member reads, whether it is up or not, and never below
// the one that is in force, since rows of that are in the log. A node that is gone for good has to be removed before the gate
// rises. It also returns who holds it down; nobody if all read the newest that one of them does.
func Gate(inForce uint64, members []Member) (written uint64, held []string) {
	if len(members) == 0 {
		return inForce, nil
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
	return max(inForce, least), held
}

// Admit reports whether a node may come in: it reads what is written.
func Admit(inForce uint64, m Member) bool { return m.Readable >= inForce }
