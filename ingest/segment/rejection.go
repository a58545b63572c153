package segment

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Code is the reason for a rejection. Codes are part of the API: they do not change.
type Code string

// The codes.
const (
	// CodeInvalidJSON is for a record that is not JSON; the message names the byte.
	CodeInvalidJSON Code = "invalid_json"
	// CodeBadUTF8 is for a record that is not UTF-8; the message names the byte.
	CodeBadUTF8 Code = "bad_utf8"
	// CodeTooDeep is for objects and arrays nested more than jsonscan.MaxDepth deep.
	CodeTooDeep Code = "too_deep"
	// CodeEventTooLarge is for an event, or a line of a file, above the limit.
	CodeEventTooLarge Code = "event_too_large"
	// CodeBadType is for a field with another kind of value than it should have.
	CodeBadType Code = "bad_type"
	// CodeUnknownType is for an event whose type is missing, or not one of the Segment spec.
	CodeUnknownType Code = "unknown_type"
	// CodeTypeMismatch is for an event of another type than those of its route.
	CodeTypeMismatch Code = "type_mismatch"
	// CodeNoIdentifier is for an event without identifiers, or with only blocked and invalid ones. The event is valid;
	// callers count it separately.
	CodeNoIdentifier Code = "no_identifier"
	// CodeTooManyIdentifiers is for an event with more than maxIdentifiers identifiers.
	CodeTooManyIdentifiers Code = "too_many_identifiers"
	// CodeBadTimestamp is for an unreadable time.
	CodeBadTimestamp Code = "bad_timestamp"
	// CodeTimestampOutOfRange is for an implausible time: see Options.Times.
	CodeTimestampOutOfRange Code = "timestamp_out_of_range"
	// CodeBadMoney is for an amount of an order that is textual, negative, or beyond 64 bits.
	CodeBadMoney Code = "bad_money"
	// CodeJunkID is for a placeholder instead of a message id: "undefined", a zero UUID.
	CodeJunkID Code = "junk_id"
	// CodeFieldTooLarge is for a value that is too large to be stored with its event.
	CodeFieldTooLarge Code = "field_too_large"
	// CodeBadIP is for an invalid address in context.ip.
	CodeBadIP Code = "bad_ip"
	// CodeUndecodable is for a record that is not in the declared format of its topic.
	CodeUndecodable Code = "undecodable"
	// CodeUnknownSchema is for a record whose schema is unusable, or unknown to the registry.
	CodeUnknownSchema Code = "unknown_schema"
	// CodeBlockedIdentifier is for an identifier that stands for no one.
	CodeBlockedIdentifier Code = "blocked_identifier"
	// CodeBadIdentifier is for an identifier that is invalid in its namespace, such as a phone number without a country.
	CodeBadIdentifier Code = "bad_identifier"
	// CodeLongIdentifier is for an identifier above identifier.MaxBytes.
	CodeLongIdentifier Code = "identifier_too_long"
	// CodeAnonymousUserID is for a user id that is the event's own anonymous id.
	CodeAnonymousUserID Code = "anonymous_user_id"
	// CodeRemembered is for an address or a phone number in context.traits if the call itself has another.
	CodeRemembered Code = "remembered"
	// CodeNoGroup is for a group event whose groupId is missing or empty, or stands for no group.
	CodeNoGroup Code = "no_group"
	// CodeBadCurrency is for a currency of an order that ISO 4217 does not list.
	CodeBadCurrency Code = "bad_currency"
)

// Rejection is the reason why one event was not accepted. It is an error; find it with errors.As.
type Rejection struct {
	Code    Code
	Field   string // a path such as properties.revenue; "" for the whole record
	Message string // the problem
	Hint    string // the remedy
}

func (r *Rejection) Error() string {
	if r.Field == "" {
		return fmt.Sprintf("%s: %s", r.Code, r.Message)
	}
	return fmt.Sprintf("%s: %s: %s", r.Code, r.Field, r.Message)
}

// AsRejection returns the rejection in err; for any other error, a rejection that the event can't be read.
func AsRejection(err error) *Rejection {
	var r *Rejection
	if errors.As(err, &r) {
		return r
	}
	return &Rejection{Code: CodeInvalidJSON, Message: err.Error(), Hint: "send one complete JSON object per event"}
}

// quotedMax bounds how much of a bad value a message quotes, in bytes.
const quotedMax = 40

// quote returns a value as messages show it.
func quote(text []byte) string {
	if len(text) > quotedMax {
		return fmt.Sprintf("%q and %d bytes more", text[:quotedMax], len(text)-quotedMax)
	}
	return fmt.Sprintf("%q", text)
}

// badType rejects a field with the wrong kind of value.
func badType(field, want string, found jsonscan.Kind) *Rejection {
	return &Rejection{
		Code:    CodeBadType,
		Field:   field,
		Message: fmt.Sprintf("is %s, want %s", found, want),
		Hint:    "send " + want + ", or leave the field out",
	}
}

// wrongType rejects an event that came by the route of another type.
func wrongType(is, want graph.EventType) *Rejection {
	return &Rejection{
		Code:    CodeTypeMismatch,
		Field:   "type",
		Message: "is " + is.String() + ", and the route is that of " + want.String(),
		Hint:    "send it to /v1/" + is.String() + " or /v1/batch, or leave the type out",
	}
}

// TooLarge rejects a record above limit bytes.
func TooLarge(limit int) *Rejection {
	return &Rejection{
		Code:    CodeEventTooLarge,
		Message: fmt.Sprintf("more than %d bytes", limit),
		Hint:    "split the event, or send large contents as a reference",
	}
}

// unreadable rejects a record that the scanner refused.
func unreadable(err error) *Rejection {
	r := &Rejection{
		Code:    CodeInvalidJSON,
		Message: err.Error(),
		Hint:    "send one complete JSON object per event",
	}
	var at *jsonscan.Error
	if errors.As(err, &at) {
		switch at.Code {
		case jsonscan.UTF8:
			r.Code, r.Hint = CodeBadUTF8, "encode the event as UTF-8"
		case jsonscan.Depth:
			r.Code, r.Hint = CodeTooDeep, "flatten the event"
		}
	}
	return r
}

// errNoIdentifier is shared, because there may be many of them.
var errNoIdentifier = &Rejection{
	Code:    CodeNoIdentifier,
	Message: "names nobody: no identifier, or only blocked or invalid ones",
	Hint:    "send userId or anonymousId",
}
