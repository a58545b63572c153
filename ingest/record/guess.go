package record

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
)

// Guess collects the columns of a table, or the fields of objects, and proposes a mapping of them. It goes by their
// names, and for addresses and times by their values, too; a person has to check what comes out.
type Guess struct {
	records int
	order   []string
	columns map[string]*guessed
	arena   jsonscan.Arena
}

// guessed is a column, by its path.
type guessed struct {
	values, addresses, times int
}

// guessColumns bounds the columns that are looked at.
const guessColumns = 1000

// Add takes a record into account.
func (g *Guess) Add(text []byte) {
	if g.columns == nil {
		g.columns = make(map[string]*guessed)
	}
	g.arena.Reset()
	var s jsonscan.Scanner
	s.Reset(text, &g.arena)
	v := s.Value()
	if s.End() != nil || v.Kind != jsonscan.Object {
		return
	}
	g.records++
	g.object(v, "", 0)
}

// guessDepth is how deep objects are looked into.
const guessDepth = 3

func (g *Guess) object(v jsonscan.Value, path string, depth int) {
	var s jsonscan.Scanner
	s.Reset(v.Raw, &g.arena)
	for s.Object(); s.Next(); {
		at := strings.TrimPrefix(path+"."+string(s.Key()), ".")
		inner := s.Value()
		switch {
		case inner.Kind == jsonscan.Object && depth < guessDepth:
			g.object(inner, at, depth+1)
		case inner.Kind > jsonscan.Null && inner.Kind < jsonscan.Object:
			g.value(at, inner)
		}
	}
}

func (g *Guess) value(path string, v jsonscan.Value) {
	c := g.columns[path]
	if c == nil {
		if len(g.order) == guessColumns || !isSource(path) {
			return
		}
		c = new(guessed)
		g.columns[path] = c
		g.order = append(g.order, path)
	}
	text := string(v.Raw)
	if v.Kind == jsonscan.String {
		text = string(v.Inside())
	}
	c.values++
	if at := strings.IndexByte(text, '@'); at > 0 && strings.Contains(text[at:], ".") {
		c.addresses++
	}
	if looksLikeTime(text) {
		c.times++
	}
}

// looksLikeTime reports whether a text is a date, or a number of digits that times since 1970 have.
func looksLikeTime(text string) bool {
	digits, marks := 0, 0
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case strings.ContainsRune("-/:.TZ +", c):
			marks++
		default:
			return false
		}
	}
	return marks >= 2 && digits >= 6 || marks == 0 && (digits == 10 || digits == 13 || digits == 16)
}

// guesses are the fields that a mapping may have, with the names of columns that fit, the best first. Names are compared
// without case and punctuation.
var guesses = []struct {
	target string
	names  []string
}{
	{"userId", []string{"userid", "customerid", "customernumber", "customerno", "memberid", "customer", "uid"}},
	{"anonymousId", []string{"anonymousid", "cookieid", "visitorid", "domainuserid", "cookie", "userpseudoid", "deviceid"}},
	{"context.traits.email", []string{"email", "emailaddress", "customeremail", "mail", "useremail", "billingemail"}},
	{"context.traits.phone", []string{"phone", "phonenumber", "mobile", "telephone", "customerphone", "billingphone", "tel"}},
	{"timestamp", []string{"timestamp", "eventtime", "orderedat", "orderdate", "createdat", "purchasedat", "processedat", "occurredat", "happenedat", "occurred", "when", "datetime", "time", "timeutc", "utctime", "date", "eventdate", "ts", "eventts", "at", "created", "creationtime", "createdon", "loggedat", "receivedat"}},
	{"event", []string{"event", "eventname", "action", "activity", "eventtype"}},
	{"messageId", []string{"messageid", "eventid", "uuid"}},
	{"context.traits.firstName", []string{"firstname", "givenname", "customerfirstname"}},
	{"context.traits.lastName", []string{"lastname", "surname", "familyname", "customerlastname"}},
	{"context.traits.name", []string{"name", "fullname", "customername"}},
	{"properties.order_id", []string{"orderid", "ordernumber", "orderno", "transactionid", "invoiceno", "invoicenumber", "order"}},
	{"properties.total", []string{"total", "totalprice", "ordertotal", "grandtotal", "amount", "totalamount", "price"}},
	{"properties.revenue", []string{"revenue", "netrevenue", "net", "nettotal"}},
	{"properties.subtotal", []string{"subtotal", "subtotalprice"}},
	{"properties.tax", []string{"tax", "taxes", "vat", "totaltax", "taxamount"}},
	{"properties.shipping", []string{"shipping", "shippingtotal", "shippingcost", "delivery"}},
	{"properties.discount", []string{"discount", "discountamount", "discounttotal", "totaldiscount", "totaldiscounts"}},
	{"properties.coupon", []string{"coupon", "couponcode", "discountcode", "voucher"}},
	{"properties.currency", []string{"currency", "currencycode"}},
}

// Mapping returns the proposal as a file, with a comment on the source that it was made of. identified reports whether
// some column is an identifier: without one, no event has a person.
func (g *Guess) Mapping(source string) (text string, identified bool) {
	found := g.match()
	var b strings.Builder
	fmt.Fprintf(&b, "# Proposed from %d records of %s: check it, and try it with kindred map check.\n", g.records, source)
	for _, target := range []string{"userId", "anonymousId", "context.traits.email", "context.traits.phone"} {
		identified = identified || found[target] != ""
	}
	if !identified {
		b.WriteString("# No column looks like an identifier: add userId, anonymousId or context.traits.email.\n")
	}
	order := found["properties.order_id"] != "" && (found["properties.total"] != "" || found["properties.revenue"] != "" || found["properties.subtotal"] != "")
	switch {
	case order:
		b.WriteString("type: {value: track}\nevent: {value: Order Completed}\n")
		fmt.Fprintf(&b, "messageId: {from: %s, prefix: \"order-\"}\n", quoted(found["properties.order_id"]))
	case found["event"] != "":
		fmt.Fprintf(&b, "type: {value: track}\nevent: %s\n", quoted(found["event"]))
		if id := found["messageId"]; id != "" {
			fmt.Fprintf(&b, "messageId: %s\n", quoted(id))
		}
	default:
		b.WriteString("type: {value: identify}\ntraits: .\n")
	}
	for _, guess := range guesses {
		path := found[guess.target]
		switch {
		case path == "", guess.target == "event", guess.target == "messageId":
			continue
		case !order && found["event"] == "":
			if strings.HasPrefix(guess.target, "properties.") {
				continue
			}
			fmt.Fprintf(&b, "%s: %s\n", strings.TrimPrefix(guess.target, "context."), quoted(path))
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", guess.target, quoted(path))
	}
	if order || found["event"] != "" {
		b.WriteString("properties: .\n")
	}
	return b.String(), identified
}

// match finds the column of each field. A column is used once, and only if its values agree: an address has an @ in half
// of them, and a time looks like one.
func (g *Guess) match() map[string]string {
	found, used := make(map[string]string), make(map[string]bool)
	for _, guess := range guesses {
		for _, name := range guess.names {
			i := slices.IndexFunc(g.order, func(path string) bool { return !used[path] && g.fits(guess.target, path, name) })
			if i >= 0 {
				found[guess.target] = g.order[i]
				used[g.order[i]] = true
				break
			}
		}
	}
	return found
}

// fits reports whether a column is called so, with its path or its last key alone, and has such values.
func (g *Guess) fits(target, path, name string) bool {
	last := path[strings.LastIndexByte(path, '.')+1:]
	if plainName(path) != name && plainName(last) != name {
		return false
	}
	c := g.columns[path]
	switch target {
	case "context.traits.email":
		return 2*c.addresses >= c.values
	case "timestamp":
		return 2*c.times >= c.values
	}
	return true
}

// plainName returns a name without case and punctuation.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// quoted returns a path as YAML writes it.
func quoted(path string) string {
	for _, r := range path {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_. ", r) {
			return string(jsontext.AppendString(nil, path))
		}
	}
	if path == "" || strings.TrimSpace(path) != path || !unicode.IsLetter([]rune(path)[0]) || slices.Contains([]string{"yes", "no", "true", "false", "null"}, strings.ToLower(path)) {
		return string(jsontext.AppendString(nil, path))
	}
	return path
}
