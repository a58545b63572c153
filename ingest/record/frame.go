package record

import (
	"errors"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/twmb/franz-go/pkg/sr"
)

// messageIndexesMax bounds how deep a Protobuf message may be nested in others.
const messageIndexesMax = 32

// unframe removes Confluent's frame and returns the id of the schema and the payload:
//
//	 1 B   4 B, big-endian
//	+----+---------------+---------------------------------------------+
//	| 00 | schema id     | payload; of Protobuf, message indexes first |
//	+----+---------------+---------------------------------------------+
func unframe(value []byte) (id int, payload []byte, err error) {
	id, payload, err = new(sr.ConfluentHeader).DecodeID(value)
	if err != nil {
		return 0, nil, &segment.Rejection{
			Code:    segment.CodeUndecodable,
			Message: "does not begin with the frame of a schema registry: a zero byte and the schema's id",
			Hint:    "use the registry's own serializer, or declare the topic with another format",
		}
	}
	return id, payload, nil
}

// messageIndexes reads which message of its schema a Protobuf record contains: the index of a message in the file, then
// of one within it, and so on (messageAt).
//
//	+-------+-------+-----+-------+---------+
//	| count | index | ... | index | message |   numbers are zigzag varints
//	+-------+-------+-----+-------+---------+
//
// A single zero byte stands for one index of 0: the first message of the file, which most records are.
func messageIndexes(payload []byte) (indexes []int, message []byte, err error) {
	if len(payload) == 0 {
		return nil, nil, errors.New("ends before the message indexes")
	}
	return new(sr.ConfluentHeader).DecodeIndex(payload, messageIndexesMax)
}
