package dedupe

import (
	"errors"
)

// CheckRow refuses a row of the memory of duplicates that no flush can have written. It looks at
// the row alone: what its parts are together, Memory.Load tells.
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
