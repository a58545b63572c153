package identifier

import (
	"errors"
	"fmt"
)

// Returned by Identify and Parse, for a value that never becomes a node. The event that carries it
// is kept.
var (
	// ErrBlocked is returned for a value that stands for nobody: "null", a zero UUID, an unrendered
	// template, or what the configuration blocks.
	ErrBlocked = errors.New("identifier is blocked: it stands for nobody")
	// ErrEmpty is returned for nothing but white space. It is an ErrBlocked.
	ErrEmpty = fmt.Errorf("%w: empty", ErrBlocked)
	// ErrInvalid is returned for a value that is not UTF-8 text, or does not have the form of its namespace.
	ErrInvalid = errors.New("identifier is invalid")
	// ErrRounded is returned for a phone number that has, or may have, lost digits. It is an ErrInvalid.
	ErrRounded = fmt.Errorf("%w: a phone number that was written as a decimal or rounded number", ErrInvalid)
	// ErrTooLong is returned, as a *TooLongError, for a value above MaxBytes.
	ErrTooLong = errors.New("identifier is too long")
)

// Returned by Parse alone.
var (
	// ErrSyntax is returned for a text that is not "namespace:value".
	ErrSyntax = errors.New("not an identifier: want namespace:value, such as email:ann@example.com")
	// ErrUnknownNamespace is returned for a namespace that is not registered.
	ErrUnknownNamespace = errors.New("unknown namespace")
)

var (
	errNotUTF8     = fmt.Errorf("%w: not UTF-8", ErrInvalid)
	errControl     = fmt.Errorf("%w: holds a control character", ErrInvalid)
	errNotEmail    = fmt.Errorf("%w: no e-mail address: want one name@domain.example, and no white space within", ErrInvalid)
	errNoDigits    = fmt.Errorf("%w: a phone number has digits", ErrInvalid)
	errNotPossible = fmt.Errorf("%w: no possible phone number: of no country by its country code and length", ErrInvalid)
	errTwoNumbers  = fmt.Errorf("%w: more than one phone number in one field", ErrInvalid)
)

// BlockedError names the word or rule by which a value stands for nobody. It is an ErrBlocked. There is one for each word, so
// that it is returned without allocation.
type BlockedError struct{ Word *Word }

func (e *BlockedError) Error() string { return ErrBlocked.Error() + ": " + e.Word.Kind }

// Is reports whether target is ErrBlocked, or ErrEmpty where the value is empty.
func (e *BlockedError) Is(target error) bool { return target == ErrBlocked }

// TooLongError names the namespace that had a value above MaxBytes, and how long it was, in bytes,
// without the white space around it. It is an ErrTooLong.
type TooLongError struct {
	Namespace string
	Bytes     int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("identifier is too long: %d bytes in namespace %q, want %d or fewer", e.Bytes, e.Namespace, MaxBytes)
}

// Is reports whether target is ErrTooLong.
func (e *TooLongError) Is(target error) bool { return target == ErrTooLong }
