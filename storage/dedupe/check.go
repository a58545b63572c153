package dedupe

import (
	"errors"
)

// CheckRow rejects a row of the memory of duplicates that no flush can have written. It checks the row alone;
// Memory.Load checks whether the parts of a description fit together.
func CheckRow(key, value []byte) error {
	k, err := parseKey(key)
	if err != nil {
		return err
	}
	if k.kind >= rowKinds {
		k.kind -= idRows
	}
	switch k.kind {
	case addedRow:
		_, err = decodeBlock(value, addedBlock)
	case runRow:
		_, err = decodeRun(value)
	case filterRow:
		err = checkPart(value)
	default:
		err = errors.New("row of no known kind")
	}
	return err
}
