package variant

// versions is the file with the numbers that programs of several versions agree on.
const versions = "cluster/version.go"

// NextVersion makes a program that reads one generation of encodings more, and has other handlers: as one would after a change of
// formats. It writes and does the same.
func NextVersion() []Edit {
	return []Edit{{versions, "generation = 1 ", "generation = 2 "}, {versions, "handlers   = 1 ", "handlers   = 2 "}}
}

// OtherHandlers is what a program that was built with HandlersByEnv needs in its environment to have other handlers.
const OtherHandlers = "KINDRED_TEST_HANDLERS=2"

// HandlersByEnv makes a program whose handlers have the version that its environment says: two programs for one build.
func HandlersByEnv() []Edit {
	return []Edit{
		{versions, "\thandlers   = 1 // of the inputs in a shard's log\n)\n", `)

var handlers = func() uint64 {
	if os.Getenv("KINDRED_TEST_HANDLERS") == "2" {
		return 2
	}
	return 1
}()
`},
		{versions, "\t\"maps\"\n", "\t\"maps\"\n\t\"os\"\n"},
	}
}
