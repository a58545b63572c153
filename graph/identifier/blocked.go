package identifier

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kindred-id/kindred/graph"
)

// The rules beside the words of words.txt, each counted under its name.
var (
	ruleEmpty       = newWord("(empty)", "no value", anyClass)
	ruleZeros       = newWord("(zeros)", "nothing but zeros", anyClass)
	ruleMinusOne    = newWord("-1", "no value", anyClass)
	ruleAllF        = newWord("(all f)", "an id of nothing but f", anyClass)
	rulePunctuation = newWord("(punctuation)", "empty, or a mark for any value", anyClass)
	ruleTemplate    = newWord("(template)", "a place that was to be filled in", anyClass)
	ruleObject      = newWord("(object)", "the text of an object", anyClass)
	ruleNoReply     = newWord("(no-reply)", "address that nobody reads", anyClass)
	ruleUndefined   = newWord("(undefined)", "an id put together of a value that is missing", anyClass)
	ruleDigits      = newWord("(one digit)", "a number of one digit over and over", anyClass)
	ruleConfigured  = newWord("(configured)", "blocked by the rules file", anyClass)
)

// Junk reports whether text stands for nobody and nothing, as "null", a zero UUID or an unrendered template do. It knows
// the words of every class and no configuration. It is for ids that are no identifiers: message ids, order ids.
//
// It does not allocate for ASCII.
func Junk(text []byte) bool {
	value := trim(text)
	if len(value) == 0 {
		return true
	}
	return blocked(value, marksOf(value), 0) != nil
}

// NoValue reports whether text is what programs print in place of a value that they do not have. It is narrower than Junk, for
// values that people make up: a coupon may be called "guest" or "test", and none is called "null".
func NoValue(text []byte) bool {
	value := trim(text)
	if len(value) == 0 {
		return true
	}
	w := blocked(value, marksOf(value), 0)
	if w == nil {
		return false
	}
	switch w.Kind {
	case ruleEmpty.Kind, "yes or no", ruleZeros.Kind, rulePunctuation.Kind, ruleTemplate.Kind, ruleObject.Kind:
		return true
	}
	return false
}

// blocked returns the word or rule by which a value stands for nobody; nil if none applies. Words are what programs print in place
// of a value that they do not have, and addresses that nobody reads.
// Class 0 has the words of every class alone.
// REQUIRES: value is not empty; seen are its marks.
func blocked(value []byte, seen marks, class graph.Class) *Word {
	switch lowerByte(value[0]) {
	case '0', '-', '+', '.':
		if isZeros(value) {
			return ruleZeros
		}
		if isMinusOne(value) {
			return ruleMinusOne
		}
	case 'f':
		if isAllF(value) {
			return ruleAllF
		}
	case 'n', 'd', 'u':
		if seen&markAt != 0 && isNoReply(value) {
			return ruleNoReply
		}
	}
	if w := words.match(value, seen); w != nil && w.names(value, class) {
		return w
	}
	if class != 0 && seen&markAt == 0 && isUndefined(value) { // with something of its own in it, a message id is one
		return ruleUndefined
	}
	if seen&markOdd != 0 {
		return blockedForm(value, seen)
	}
	if seen&markWide != 0 && isDashes(value) {
		return rulePunctuation
	}
	return nil
}

// isUndefined reports whether a value was put together by a program of parts of which the last is missing: user_undefined,
// 12:undefined, GA1.2.undefined; or null, nan, none or nil after nothing but words: user-null, NaN.NaN. Those alone may be
// what people are called: chris.null.
func isUndefined(value []byte) bool {
	var last string
	switch lowerByte(value[len(value)-1]) {
	case 'd':
		last = "undefined"
	case 'l':
		last = "null"
		if n := len(value); n > 2 && lowerByte(value[n-2]) == 'i' {
			last = "nil"
		}
	case 'n':
		last = "nan"
	case 'e':
		last = "none"
	default:
		return false
	}
	at := len(value) - len(last)
	if at < 2 || !isJoint(value[at-1]) || !equalFold(value[at:], last) {
		return false
	}
	if last == "undefined" {
		return true
	}
	for part := range bytes.FieldsFuncSeq(value[:at-1], func(r rune) bool { return r < utf8.RuneSelf && isJoint(byte(r)) }) {
		if w := words.match(part, marksOf(part)); w == nil || !w.names(part, 0) {
			return false
		}
	}
	return true
}

// isJoint reports whether a byte is what programs put between the parts of an id.
func isJoint(b byte) bool {
	switch b {
	case '_', '-', '.', ':', '/', '|', ',', ';', ' ', '#', '=':
		return true
	}
	return false
}

// isMinusOne reports whether a value is -1, as a whole number or a decimal one.
func isMinusOne(value []byte) bool {
	rest, ok := bytes.CutPrefix(value, []byte("-1"))
	return ok && (len(rest) == 0 || len(rest) > 1 && rest[0] == '.' && len(bytes.Trim(rest[1:], "0")) == 0)
}

// isDashes reports whether a value is dashes and dots alone of which some are no ASCII, as editors make them: —, –, ….
func isDashes(value []byte) bool {
	return len(bytes.TrimFunc(value, func(r rune) bool {
		return unicode.Is(unicode.Pd, r) || r == '…' || r == '−' || r == '.' || r == ' '
	})) == 0
}

// nothing finds the rule for a value of zeros, or of nothing but f.
func nothing(value []byte) *Word {
	switch {
	case len(value) == 0:
		return nil
	case isZeros(value):
		return ruleZeros
	case isMinusOne(value):
		return ruleMinusOne
	case isAllF(value):
		return ruleAllF
	}
	return nil
}

// blockedForm finds the rule by which a value with odd marks in it stands for nobody.
func blockedForm(value []byte, seen marks) *Word {
	if w := nothing(bytes.TrimFunc(value, isWrap)); w != nil { // "0", {00000000-…}
		return w
	}
	switch {
	case isPunctuation(value):
		return rulePunctuation
	case isObject(value):
		return ruleObject
	case seen&markTemplate != 0 && isTemplate(value) || isField(value, seen):
		return ruleTemplate
	}
	return nil
}

// isWrap reports whether a character is what programs and spreadsheets print around a value.
func isWrap(r rune) bool { return strings.ContainsRune("\"'`=(){}[]<>", r) }

// isZeros reports whether a value is zeros, with marks as numbers and UUIDs have them, or dashes alone: 0, 0.0, -0,
// 000-00-0000, ---, the zero UUID.
func isZeros(value []byte) bool {
	marks, zeros := 0, 0
	for i, b := range value {
		switch b {
		case '0':
			zeros++
		case '-':
		case '.', ':', '_':
			marks++
		case '+':
			if i > 0 {
				return false
			}
			marks++
		default:
			return false
		}
	}
	return zeros > 0 || marks == 0
}

// allFBytesMin is the length from which nothing but f is an id and no word.
const allFBytesMin = 8

// isAllF reports whether a value is f and dashes alone, as in the UUID of nothing but f.
func isAllF(value []byte) bool {
	for _, b := range value {
		if lowerByte(b) != 'f' && b != '-' {
			return false
		}
	}
	return len(value) >= allFBytesMin
}

// noReply are the names of mailboxes that nobody reads.
var noReply = [...]string{
	"noreply", "no-reply", "no_reply", "no.reply", "donotreply", "do-not-reply", "do_not_reply", "do.not.reply",
	"noemail", "no-email", "nomail", "undefined", "null",
}

func isNoReply(value []byte) bool {
	at := bytes.IndexByte(value, '@')
	for _, name := range noReply {
		if equalFold(value[:at], name) {
			return true
		}
	}
	return false
}

// isPunctuation reports whether a value is an empty list, object or text, or a mark that stands for any value.
func isPunctuation(value []byte) bool {
	switch string(value) {
	case "[]", "{}", "()", "<>", `""`, "''", "``", "{ }", "[ ]":
		return true
	}
	for _, b := range value {
		if b != value[0] || b != '?' && b != '*' && b != '#' {
			return false
		}
	}
	return true
}

func isAlphanumeric(b byte) bool {
	lower := b | 0x20
	return b >= '0' && b <= '9' || lower >= 'a' && lower <= 'z'
}

// templates are how languages and mailing systems mark a place that was to be filled in.
var templates = [...]struct{ open, end string }{
	{"%%", "%%"},
	{"{{", "}}"},
	{"${", "}"},
	{"#{", "}"},
	{"{$", "}"},
	{"{!", "}"},
	{"{%", "%}"},
	{"<%", "%>"},
	{"*|", "|*"},
	{"[[", "]]"},
	{"<<", ">>"},
	{"[%", "%]"},
	{"%7B%7B", "%7D%7D"},
	{"%7b%7b", "%7d%7d"},
}

// isTemplate reports whether a value holds a place that was to be filled in and was not.
func isTemplate(value []byte) bool {
	for _, t := range templates {
		at := bytes.Index(value, []byte(t.open))
		if at >= 0 && bytes.Contains(value[at+len(t.open):], []byte(t.end)) {
			return true
		}
	}
	return false
}

// isField reports whether a value is, as a whole, the mark of a field: {user_id}, <user_id>, %USER_ID%, [user.id]; or, with
// more than one word in it, $user_id or :user_id.
func isField(value []byte, seen marks) bool {
	switch string(value) {
	case "%s", "%d", "%@", "%v": // of a format
		return true
	}
	if seen&(markDigit|markWide) != 0 || len(value) < 3 {
		return false
	}
	end := value[len(value)-1]
	switch value[0] {
	case '{':
		return end == '}' && isFieldName(value[1:len(value)-1], false)
	case '<':
		return end == '>' && isFieldName(value[1:len(value)-1], false)
	case '[':
		return end == ']' && isFieldName(value[1:len(value)-1], false)
	case '%':
		return end == '%' && isFieldName(value[1:len(value)-1], false)
	case '$', ':':
		return isFieldName(value[1:], true)
	}
	return false
}

// isFieldName reports whether text is a name as programs have it, of several words where that is wanted.
func isFieldName(text []byte, several bool) bool {
	joints := 0
	for i, b := range text {
		switch {
		case lowerByte(b) >= 'a' && lowerByte(b) <= 'z':
		case i > 0 && (b == '_' || b == '.' || b == '-' || b == '>' || b == ' '):
			joints++
		default:
			return false
		}
	}
	return !several || joints > 0
}

// wrappers are what languages print around the value of a type that they do not take the value out of.
var wrappers = [...]string{
	"Optional(", "Some(", "Just(", "[object ", "#<", "function ", "function(", "Promise {", "Promise(",
	"[object%20", "[object+", "%5Bobject", "%5bobject",
}

// isObject reports whether a value is the text of an object rather than what is in it: Optional("u1"), [object Object],
// <User: 0x7ffee>.
func isObject(value []byte) bool {
	for _, w := range wrappers {
		if len(value) > len(w) && string(value[:len(w)]) == w {
			return true
		}
	}
	return value[0] == '<' && value[len(value)-1] == '>' && bytes.Contains(value, []byte("0x")) ||
		len(value) > 8 && equalFold(value[:8], "[object ")
}

// block adds a configured value, "value" or "namespace:value": as it is and, since people write down
// what they saw, as it is normalised. Not so for phone numbers that don't say that they are: "room 12"
// must not block the number that is in it.
func (r *Registry) block(text string) error {
	return r.configure("blocked", text, func(ns *Namespace) *map[string]struct{} { return &ns.blocked })
}

// allow takes a value out of the built-in words, "value" or "namespace:value". Values that the configuration blocks stay blocked.
func (r *Registry) allow(text string) error {
	return r.configure("allowed", text, func(ns *Namespace) *map[string]struct{} { return &ns.allowed })
}

// configure adds a value to a set of the namespaces that it is meant for.
func (r *Registry) configure(what, text string, set func(ns *Namespace) *map[string]struct{}) error {
	ns, value := r.scope(text)
	bare := trim([]byte(value))
	if len(bare) == 0 {
		return fmt.Errorf("%s value %q: empty; empty values are always blocked, leave it out", what, text)
	}
	if ns != nil {
		r.addTo(ns, set, bare, true)
		return nil
	}
	for _, ns := range r.namespaces {
		r.addTo(ns, set, bare, ns.kind != kindPhone)
	}
	return nil
}

// scope splits "namespace:value". A text that does not begin with a namespace is a value as a whole.
func (r *Registry) scope(text string) (*Namespace, string) {
	if name, value, ok := strings.Cut(text, ":"); ok && r.namespaces[name] != nil {
		return r.namespaces[name], value
	}
	return nil, text
}

func (r *Registry) addTo(ns *Namespace, of func(ns *Namespace) *map[string]struct{}, value []byte, normalise bool) {
	set := of(ns)
	if *set == nil {
		*set = make(map[string]struct{})
	}
	(*set)[string(appendLower(nil, value))] = struct{}{}
	seen, err := scan(value)
	if err != nil || !normalise {
		return
	}
	normal, err := r.NewNormaliser().normalise(ns.kind, value, seen)
	if err != nil {
		return
	}
	(*set)[string(appendLower(nil, normal))] = struct{}{}
	if ns.hashed != nil { // one identifier, by either name
		hashes := of(ns.hashed)
		if *hashes == nil {
			*hashes = make(map[string]struct{})
		}
		(*hashes)[string(appendSHA256(nil, normal))] = struct{}{}
	}
}

// blockedBy finds why a value stands for nobody in a namespace; nil when it does not.
// REQUIRES: as for blocked.
func (n *Normaliser) blockedBy(ns *Namespace, value []byte, seen marks) *Word {
	if ns.blocked != nil && n.isIn(ns.blocked, value) {
		return ruleConfigured
	}
	w := blocked(value, seen, ns.Class)
	if w == nil || ns.allowed != nil && n.isIn(ns.allowed, value) {
		return nil
	}
	return w
}

// isIn reports whether a value is, in lower case, in a configured set.
func (n *Normaliser) isIn(set map[string]struct{}, value []byte) bool {
	n.fold = appendLower(n.fold[:0], value)
	_, ok := set[string(n.fold)]
	return ok
}

// blockedByPattern reports whether a normalised value matches a configured expression.
func (r *Registry) blockedByPattern(value []byte) bool {
	for _, p := range r.patterns {
		if p.Match(value) {
			return true
		}
	}
	return false
}

// isOneDigit reports whether a number is one digit over and over, or counts up from 1 or 0, as people type who give none.
func isOneDigit(digits string) bool {
	if digits == "1234567890" || digits == "0123456789" || digits == "123456789" {
		return true
	}
	return len(digits) >= oneDigitBytesMin && strings.Count(digits, digits[:1]) == len(digits)
}

// oneDigitBytesMin is the length from which a number that repeats one digit is not a telephone number. Shorter ones are real in countries of
// short numbers, 22 22 22 22 in Denmark.
const oneDigitBytesMin = 9
