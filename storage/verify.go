package storage

import (
	"errors"
)

// CheckSeenRow refuses a row of the memory of duplicates that no flush can have written. It looks at
// the row alone: what its parts are together, Seen.Load tells.
func CheckSeenRow(key, value []byte) error {
	k, err := parseSeenKey(key)
	if err != nil {
		return err
	}
	if k.kind >= seenEnd {
		k.kind -= seenIDs
	}
	switch k.kind {
	case seenAdded:
		_, err = decodeSeenBlock(value, seenAddedBlock)
	case seenRun:
		_, err = decodeSeenRun(value)
	case seenFilter:
		err = checkSeenPart(value)
	default:
		err = errors.New("row of no known kind")
	}
	return err
}
