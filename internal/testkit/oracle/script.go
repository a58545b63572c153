package oracle

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/graph"
)

//go:embed cases.txt
var caseText string

// Cases returns the cases of cases.txt, parsed anew at every call. That file explains their notation.
func Cases() []Case {
	cases, err := parseCases(caseText)
	if err != nil {
		panic(err) // a bug in the embedded text
	}
	return cases
}

// shorthand is the namespace of an identifier written as one letter and the rest of its value.
var shorthand = map[string]string{
	"u": "user_id", "l": "loyalty_card", "e": "email", "p": "phone", "d": "device_id", "a": "anonymous_id",
}

// parseCases reads the whole file: an explanation, then cases, each after a line that begins with "=== ".
func parseCases(text string) ([]Case, error) {
	var cases []Case
	for i, part := range strings.Split(text, "\n=== ") {
		if i == 0 {
			continue // the explanation
		}
		c, err := parseCase(part)
		if err != nil {
			return nil, fmt.Errorf("cases.txt: case %s: %w", c.Name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// parseCase reads one case: its name, steps and rules down to a line of four dashes, and the wanted identities after
// it. A case without rules or without that line is an error, and errors quote the line that cannot be read.
func parseCase(text string) (Case, error) {
	name, body, _ := strings.Cut(text, "\n")
	c := Case{Name: name}
	body, wants, ok := strings.Cut(body, "\n----\n")
	if !ok {
		return c, fmt.Errorf("no line ---- between steps and identities")
	}
	for line := range strings.Lines(body) {
		if err := c.parseLine(strings.TrimSpace(line)); err != nil {
			return c, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
	}
	if c.Rules == nil {
		return c, fmt.Errorf("no rules")
	}
	for line := range strings.Lines(wants) {
		if err := c.parseWant(strings.TrimSpace(line)); err != nil {
			return c, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
	}
	return c, nil
}

// parseLine reads a line above the dashes. "replay" repeats all steps so far with the ids that they had, so nothing
// may change by it.
func (c *Case) parseLine(line string) (err error) {
	switch {
	case line == "":
	case strings.HasPrefix(line, "# "):
		c.Why = strings.TrimSpace(c.Why + " " + line[2:])
	case strings.HasPrefix(line, "rules "):
		c.Rules, err = parseRules(line)
	case line == "replay":
		c.Steps = append(c.Steps, c.Steps...)
	default:
		var s Step
		s, err = parseStep(line, len(c.Steps))
		c.Steps = append(c.Steps, s)
	}
	return err
}

// parseRules reads "rules PRECEDENCE NAME=N[/WINDOW]…". A NAME that is no setting is a namespace with a limit.
// Settings that the line omits have the values below. The version is a hash of the line, so equal lines are equal
// rules.
func parseRules(line string) (*graph.Rules, error) {
	words := strings.Fields(line)[1:]
	precedence := slices.Index([]string{"keep_first", "latest_wins"}, words[0])
	if precedence < 0 {
		return nil, fmt.Errorf("precedence %q", words[0])
	}
	r := &graph.Rules{
		Name: "case", Precedence: graph.Precedence(precedence),
		GenericCustomers: 10, GenericNeighbours: 100,
		MaxMembers: 1000, MaxLinks: 10000,
	}
	r.Version, _ = hash("rules", line)
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		number, window, _ := strings.Cut(value, "/")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		switch name {
		case "generic.customers":
			r.GenericCustomers = n
		case "alias":
			// n is 1 for refused
			r.Alias = graph.AliasRule(n)
		case "generic.neighbours":
			r.GenericNeighbours = n
		case "caps.identifiers":
			r.MaxIdentity = n
		default:
			within, err := parseSpan(window)
			if err != nil {
				return nil, err
			}
			r.Limits = append(r.Limits, graph.Limit{Namespace: name, Max: n, Within: within})
		}
	}
	return r, r.Check()
}

// parseSpan reads minutes ("7") or days ("7d"); empty text means 0.
func parseSpan(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	unit := time.Minute
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = digits, 24*time.Hour
	}
	n, err := strconv.Atoi(text)
	return time.Duration(n) * unit, err
}

// assertionVerbs are the words that begin an operator's assertion; "withdraw" before one withdraws it.
var assertionVerbs = map[string]graph.AssertionVerb{
	"force": graph.AssertForce, "cannot": graph.AssertCannot,
	"retract": graph.AssertRetract, "forget": graph.AssertForget,
}

// parseStep reads an event or an assertion; number makes its id unique.
// The last word of a line is its time, in minutes or days after worldStart. The type of an event and m=ID come first,
// in this order; previousId, blocked values, the order and identifiers follow in any order (cases.txt).
func parseStep(line string, number int) (Step, error) {
	words := strings.Fields(line)
	since, err := parseSpan(strings.TrimPrefix(words[len(words)-1], "@"))
	if err != nil {
		return Step{}, err
	}
	at := worldStart + since.Milliseconds()
	words = words[:len(words)-1]

	withdrawn := words[0] == "withdraw"
	if withdrawn {
		words = words[1:]
	}
	if verb, ok := assertionVerbs[words[0]]; ok {
		names, err := parseNames(words[1:])
		if err != nil {
			return Step{}, err
		}
		a := &graph.Assertion{Verb: verb, Withdrawn: withdrawn, A: names[0], At: at, ID: fmt.Sprintf("x%02d", number), By: "operator"}
		if verb != graph.AssertForget {
			a.B = names[1]
		}
		return Step{Text: line, Assertion: a}, nil
	}

	e := newEvent("web", fmt.Sprintf("m%02d", number), at, 0)
	if t := graph.ParseEventType([]byte(words[0])); t != 0 {
		e.Type, words = t, words[1:]
	}
	if id, ok := strings.CutPrefix(words[0], "m="); ok {
		e.ID, words = []byte(id), words[1:]
	}
	s := Step{Text: line, Event: &e}
	previous := ""
	if at := slices.Index(words, "from"); at >= 0 && at+1 < len(words) {
		previous = words[at+1]
		words = slices.Delete(words, at, at+2)
	}
	words = slices.DeleteFunc(words, func(w string) bool {
		blocked, ok := strings.CutPrefix(w, "!")
		if ok {
			namespace, value := splitName(blocked)
			s.Blocked = append(s.Blocked, namespace+":"+value)
		}
		return ok
	})
	words = slices.DeleteFunc(words, func(w string) bool {
		c, ok, bad := parseOrder(w)
		if ok {
			e.Order, err = c, cmp.Or(err, bad)
		}
		return ok
	})
	if err != nil {
		return Step{}, err
	}
	names, err := parseNames(words)
	for _, n := range names {
		e.Identifiers = append(e.Identifiers, identifierOf(n))
	}
	if previous != "" && err == nil {
		value, form, _ := strings.Cut(previous, "~")
		alias(&e, names[slices.IndexFunc(names, func(n graph.NodeName) bool { return n.Namespace == "user_id" })], value, shorthand[form])
	}
	seal(&e)
	return s, err
}

// identifierOf is the identifier that an event carries for a node.
func identifierOf(n graph.NodeName) graph.Identifier {
	return graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)}
}

// alias makes an event that carries identifiers an alias from previousId to one of them, user. form is the namespace
// that previousId looks like, if it looks like any.
func alias(e *graph.Event, user graph.NodeName, previousID, form string) {
	roles := map[graph.NodeKey]graph.AliasRole{}
	for _, id := range e.Identifiers {
		roles[id.Key] = graph.AliasCarried
	}
	for _, namespace := range []string{"user_id", "anonymous_id"} {
		n := Name(namespace, previousID)
		if previousID == user.Value {
			break
		}
		if roles[n.Key] == 0 {
			e.Identifiers = append(e.Identifiers, identifierOf(n))
		}
		roles[n.Key] |= graph.AliasPrevious
		if namespace == form {
			roles[n.Key] |= graph.AliasLikely
		}
	}
	slices.SortFunc(e.Identifiers, func(x, y graph.Identifier) int {
		switch {
		case x.Key == user.Key:
			return -1
		case y.Key == user.Key:
			return 1
		}
		return y.Key.Compare(x.Key)
	})
	e.Type = graph.TypeAlias
	for _, id := range e.Identifiers {
		e.Alias = append(e.Alias, roles[id.Key])
	}
}

// parseNames reads identifiers and returns them in descending rank.
func parseNames(words []string) ([]graph.NodeName, error) {
	var names []graph.NodeName
	for _, w := range words {
		namespace, value := splitName(w)
		if classes[namespace] == 0 {
			return nil, fmt.Errorf("identifier %q: no such namespace", w)
		}
		names = append(names, Name(namespace, value))
	}
	slices.SortFunc(names, func(x, y graph.NodeName) int { return y.Key.Compare(x.Key) })
	return names, nil
}

// splitName reads "u1" as user_id:u1 and "u:null" as user_id:null.
func splitName(word string) (namespace, value string) {
	letter, value, ok := strings.Cut(word, ":")
	if !ok {
		letter, value = word[:1], word
	}
	switch letter {
	case "he":
		return "email_sha256", hashed(value)
	case "hp":
		return "phone_sha256", hashed(value)
	}
	return shorthand[letter], value
}

// parseWant reads "u1 a1 = 2", an identity and its events, or "generic e1".
func (c *Case) parseWant(line string) error {
	if line == "" {
		return nil
	}
	if strings.HasPrefix(line, "order ") {
		c.Orders = append(c.Orders, line)
		slices.Sort(c.Orders)
		return nil
	}
	list, count, isIdentity := strings.Cut(line, " = ")
	if !isIdentity {
		list = strings.TrimPrefix(line, "generic ")
	}
	names, err := parseNames(strings.Fields(list))
	if err != nil {
		return err
	}
	var members []string
	for _, n := range names {
		members = append(members, nameOf(n))
	}
	slices.Sort(members)
	if !isIdentity {
		c.Generic = append(c.Generic, members...)
		return nil
	}
	events, err := strconv.ParseUint(count, 10, 64)
	c.Want = append(c.Want, Identity{Members: members, Events: events})
	return err
}
