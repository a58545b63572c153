package variant

// NextVersion makes a program that reads one generation of encodings more, and has other handlers: as one would after a change of
// formats. It writes and does the same.
func NextVersion() []Edit {
	const file = "cluster/version.go"
	return []Edit{
		{file, "generation = 1 ", "generation = 2 "},
		{file, "handlers   = 1 ", "handlers   = 2 "},
	}
}
