package jsonscan

// balanced returns the offset after the value at start by brackets and quotes alone, or the offset of a problem and
// what is missing there. It accepts much that is no JSON: a bracket may close one of the other kind, and a scalar is
// all up to the next comma, bracket or space. That is enough to cut a list, as each element is scanned strictly later.
func balanced(data []byte, start int) (end int, want string) {
	open := 0
	for i := start; i < len(data); i++ {
		switch data[i] {
		case '"':
			if i = closingQuote(data, i+1); i < 0 {
				return len(data), "the closing '\"' of a string"
			}
			if open == 0 {
				return i + 1, ""
			}
		case '{', '[':
			open++
		case '}', ']':
			if open == 0 {
				return some(start, i)
			}
			if open--; open == 0 {
				return i + 1, ""
			}
		case ',', ' ', '\t', '\r', '\n':
			if open == 0 {
				return some(start, i)
			}
		}
	}
	if open > 0 {
		return len(data), "a closing bracket"
	}
	return some(start, len(data))
}

// some returns the end of a value, which is not empty.
func some(start, end int) (int, string) {
	if start == end {
		return start, "a value"
	}
	return end, ""
}

// closingQuote returns the offset of the first quote from i on without a backslash before it, or -1.
func closingQuote(data []byte, i int) int {
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
