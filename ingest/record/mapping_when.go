package record

import (
	"strconv"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// condition is what a value of a record has to be:
//
//	status: paid               this text
//	status: [paid, shipped]    one of these
//	status: {not: [draft]}     none of these; also absent
//	user_id: {present: true}   there, not null and not empty
//	refunded: {above: 0}       a number above this one
type condition struct {
	path    string
	is      []string
	not     []string
	present presence
	above   *float64
}

// presence is whether a value has to be there.
type presence uint8

const (
	presenceAny presence = iota
	presenceThere
	presenceAbsent
)

// String is part of that of a mapping.
func (c condition) String() string {
	text := strconv.Quote(c.path)
	for _, is := range c.is {
		text += "=" + strconv.Quote(is)
	}
	for _, not := range c.not {
		text += "!" + strconv.Quote(not)
	}
	if c.above != nil {
		text += ">" + strconv.FormatFloat(*c.above, 'g', -1, 64)
	}
	return text + strconv.Itoa(int(c.present))
}

// holds reports whether a value meets the condition; text is its text, if it is a scalar.
func (c *condition) holds(v jsonscan.Value, text []byte) bool {
	there := isThere(v)
	switch {
	case c.present == presenceThere && !there, c.present == presenceAbsent && there:
		return false
	case c.is != nil && !(there && oneOf(text, c.is)):
		return false
	case c.not != nil && there && oneOf(text, c.not):
		return false
	}
	if c.above != nil {
		n, err := strconv.ParseFloat(string(text), 64)
		return err == nil && n > *c.above
	}
	return true
}

// isThere reports whether a value is one: not absent, null or an empty text.
func isThere(v jsonscan.Value) bool {
	return v.Kind > jsonscan.Null && (v.Kind != jsonscan.String || len(v.Raw) > 2)
}

func oneOf(text []byte, list []string) bool {
	for _, one := range list {
		if string(text) == one {
			return true
		}
	}
	return false
}
