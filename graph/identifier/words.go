package identifier

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/kindred-id/kindred/graph"
)

//go:embed words.txt
var wordsText string

// Word is one of the words that name nobody, or a rule that stands for many of them. The set is fixed when the program
// is built, so its members may be told in answers, logs and metrics, where a value that was sent may not.
type Word struct {
	Text string // "notset"; of a rule its name in parentheses, such as "(template)"
	Kind string // the reason that people are told: "no value"

	classes classSet
	marked  bool // with marks around it, in every class
	err     *BlockedError
}

// classSet has a bit for each class.
type classSet uint8

const anyClass = ^classSet(0)

func (s classSet) has(c graph.Class) bool { return s&(1<<c) != 0 }

// wordSet is a set of words. A word has at most wordBytesMax bytes. Nearly no value is a word, and each is asked for at
// least once: so a look-up first compares the first byte and the length, which refuses most values without a hash.
type wordSet struct {
	words map[string]*Word
	// lengths has, by the first byte of a word, a bit for each length that such words have. It spares the map nearly
	// every value.
	lengths [256]uint64
}

// wordBytesMax bounds a word: lengths has a bit for each.
const wordBytesMax = 63

var (
	allWords []*Word
	words    = newWordSet()
)

func newWord(text, kind string, classes classSet) *Word {
	w := &Word{Text: text, Kind: kind, classes: classes}
	w.err = &BlockedError{Word: w}
	allWords = append(allWords, w)
	return w
}

// newWordSet reads words.txt. The text is compiled in, so what is wrong with it is a bug.
func newWordSet() *wordSet {
	set := &wordSet{words: make(map[string]*Word)}
	var kind string
	var classes classSet
	var marked bool
	for line := range strings.Lines(wordsText) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if head, ok := strings.CutPrefix(line, "== "); ok {
			var list string
			kind, list, _ = strings.Cut(head, ": ")
			list, marked = strings.CutSuffix(list, ", marked")
			classes = parseClasses(list)
			continue
		}
		line = strings.ReplaceAll(line, "ς", "σ")
		if len(line) > wordBytesMax || set.words[line] != nil || kind == "" {
			panic(fmt.Sprintf("words.txt: word %q: too long, twice, or in no section", line))
		}
		set.words[line] = newWord(line, kind, classes)
		set.words[line].marked = marked
		set.lengths[line[0]] |= 1 << len(line)
	}
	return set
}

func parseClasses(list string) (set classSet) {
	for name := range strings.SplitSeq(list, ", ") {
		if name == "any" {
			return anyClass
		}
		if name == "id" {
			set |= 1 // class 0
			continue
		}
		class, err := graph.ParseClass(name)
		if err != nil {
			panic("words.txt: " + err.Error())
		}
		set |= 1 << class
	}
	return set
}

// names reports whether a word that was found in a value stands for nobody in a class.
func (w *Word) names(value []byte, class graph.Class) bool {
	return w.classes.has(class) || w.marked && isMark(value[0]) && isMark(value[len(value)-1])
}

// isMark reports whether a byte is a mark that programs print around a word, and people do not put around their names.
func isMark(b byte) bool {
	return b < utf8.RuneSelf && !isAlphanumeric(b) && b != '_' && b != '-' && b != '.' && b != ' '
}

// find returns the word that is written as in words.txt; nil if no word is.
func (s *wordSet) find(text []byte) *Word {
	if len(text) == 0 || len(text) > wordBytesMax || s.lengths[text[0]]&(1<<len(text)) == 0 {
		return nil
	}
	return s.words[string(text)]
}

// skeletonSourceMax bounds the values that may be a word written with marks between and around its letters.
const skeletonSourceMax = wordBytesMax

// match returns the word that a value is; nil if it is not a word. A value with a digit is compared whole but for its
// case, since every character of such a word matters. Any other is compared by its letters alone, whatever stands
// around them, and whatever joins them: (not set), not_set, "not-set".
func (s *wordSet) match(value []byte, seen marks) *Word {
	switch {
	case len(value) > skeletonSourceMax:
		return nil
	case seen&markWide != 0:
		return s.find(wideSkeleton(nil, value))
	case seen&(markDigit|markAt) == 0:
		return s.matchLetters(value)
	case s.lengths[lowerByte(value[0])]&(1<<len(value)) != 0:
		return s.matchWhole(value)
	case seen&markAt == 0 && len(value) == macBytes && (value[2] == ':' || value[2] == '-'):
		return s.matchDigits(value)
	}
	return nil
}

// matchWhole finds a word that is written as in words.txt, in any case. REQUIRES: value is ASCII.
func (s *wordSet) matchWhole(value []byte) *Word {
	var room [skeletonSourceMax]byte
	lower := room[:len(value)]
	for i, b := range value {
		lower[i] = lowerByte(b)
	}
	return s.words[string(lower)]
}

// matchLetters finds a word by its letters. REQUIRES: value is ASCII.
func (s *wordSet) matchLetters(value []byte) *Word {
	for len(value) > 0 && !isAlphanumeric(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && !isAlphanumeric(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	var room [skeletonSourceMax]byte
	skeleton := room[:0]
	for _, b := range value {
		switch b = lowerByte(b); {
		case 'a' <= b && b <= 'z':
			skeleton = append(skeleton, b)
		case b != '_' && b != '-' && b != ' ' && b != '.' && b != '/':
			return nil
		}
	}
	return s.find(skeleton)
}

// macBytes is the length of an address of a network card, 02:00:00:00:00:00.
const macBytes = len("02:00:00:00:00:00")

// matchDigits finds a device id that is written with colons or dashes.
func (s *wordSet) matchDigits(value []byte) *Word {
	var room [macBytes]byte
	bare := room[:0]
	for _, b := range value {
		if b != ':' && b != '-' {
			bare = append(bare, lowerByte(b))
		}
	}
	return s.find(bare)
}

// wideSkeleton appends the letters and digits of a value in NFKC and lower case.
func wideSkeleton(dst, value []byte) []byte {
	for _, r := range string(norm.NFKC.Bytes(value)) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			if r = unicode.ToLower(r); r == 'ς' {
				r = 'σ' // capitals do not tell them apart
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
