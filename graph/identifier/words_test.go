package identifier

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/kindred-id/kindred/graph"
)

// nobodies are values that were seen in place of an id, each with the word or rule that blocks it.
var nobodies = []struct{ value, word string }{
	{"(not set)", "notset"},
	{"not set", "notset"},
	{"NOT_SET", "notset"},
	{"<not set>", "notset"},
	{"(none)", "none"},
	{"None", "none"},
	{"'None'", "none"},
	{"NONE", "none"},
	{"nil", "nil"},
	{"<nil>", "nil"},
	{"(nil)", "nil"},
	{"NULL", "null"},
	{"(null)", "null"},
	{"<null>", "null"},
	{"\"null\"", "null"},
	{"N/A", "na"},
	{"n.a.", "na"},
	{"#N/A", "na"},
	{"#N/A!", "na"},
	{"NaN", "nan"},
	{"<NA>", "na"},
	{"anonymous_user", "anonymoususer"},
	{"Anonymous User", "anonymoususer"},
	{"guest_user", "guestuser"},
	{"guest-checkout", "guestcheckout"},
	{"unknown_user", "unknownuser"},
	{"user_id", "userid"},
	{"userId", "userid"},
	{"userid", "userid"},
	{"USER-ID", "userid"},
	{"deleted", "deleted"},
	{"[deleted]", "deleted"},
	{"not_logged_in", "notloggedin"},
	{"Not logged in", "notloggedin"},
	{"logged_out", "loggedout"},
	{"default", "default"},
	{"dummy", "dummy"},
	{"void", "void"},
	{"missing", "missing"},
	{`Optional("")`, "(object)"},
	{`Optional("u-17")`, "(object)"},
	{"Optional(nil)", "(object)"},
	{"Some(7)", "(object)"},
	{"[object Object]", "(object)"},
	{"[OBJECT OBJECT]", "(object)"},
	{"[object Promise]", "(object)"},
	{"<User: 0x7ffee4>", "(object)"},
	{"#<User:0x000055d>", "(object)"},
	{"function () { return id }", "(object)"},
	{"$user_id", "userid"},
	{"$userId", "userid"},
	{"${user.id}", "userid"},
	{"${user.key}", "(template)"},
	{"{user_id}", "userid"},
	{"%USER_ID%", "userid"},
	{"<user_id>", "userid"},
	{":user_id", "userid"},
	{":customer_number", "customernumber"},
	{"{{user.id}}", "userid"},
	{"{{ user_id }}", "userid"},
	{"%%user_id%%", "userid"},
	{"%%=v(@id)=%%", "(template)"},
	{"<%= key %>", "(template)"},
	{"#{user.key}", "(template)"},
	{"{$key7}", "(template)"},
	{"{!Contact.Key}", "(template)"},
	{"*|UNIQ7|*", "(template)"},
	{"[[key]]", "(template)"},
	{"{% key %}", "(template)"},
	{"{account.key}", "(template)"},
	{"$account.key", "(template)"},
	{"[shop_key]", "(template)"},
	{"%recipient.key%", "(template)"},
	{"prefix-{{user.id}}", "(template)"},
	{"9774d56d682e549c", "9774d56d682e549c"},
	{"9774D56D682E549C", "9774d56d682e549c"},
	{"lmy47d", "lmy47d"},
	{"02:00:00:00:00:00", "020000000000"},
	{"02-00-00-00-00-00", "020000000000"},
	{"emulator", "emulator"},
	{"000000000000000", "(zeros)"},
	{"00000000-0000-0000-0000-000000000000", "(zeros)"},
	{"00:00:00:00:00:00", "(zeros)"},
	{"ffffffff-ffff-ffff-ffff-ffffffffffff", "(all f)"},
	{"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "(all f)"},
	{"0", "(zeros)"},
	{"0.0", "(zeros)"},
	{"-0", "(zeros)"},
	{"+0", "(zeros)"},
	{"0.0.0.0", "(zeros)"},
	{"-1", "-1"},
	{"?", "(punctuation)"},
	{"[]", "(punctuation)"},
	{"{}", "(punctuation)"},
	{`""`, "(punctuation)"},
	{"*", "(punctuation)"},
	{"#", "(punctuation)"},
	{"true", "true"},
	{"FALSE", "false"},
	{"onbekend", "onbekend"},
	{"Onbekend", "onbekend"},
	{"unbekannt", "unbekannt"},
	{"inconnu", "inconnu"},
	{"desconocido", "desconocido"},
	{"gast", "gast"},
	{"Gast", "gast"},
	{"invité", "invité"},
	{"INVITÉ", "invité"},
	{"invite\u0301", "invité"},
	{"invite", "invite"},
	{"sconosciuto", "sconosciuto"},
	{"nieznany", "nieznany"},
	{"gość", "gość"},
	{"okänd", "okänd"},
	{"ukendt", "ukendt"},
	{"ukjent", "ukjent"},
	{"Gäst", "gäst"},
	{"匿名", "匿名"},
	{"(匿名)", "匿名"},
	{"ｎｕｌｌ", "null"},
	{"неизвестно", "неизвестно"},
	{"test@test.com", "test@test.com"},
	{"Test@Test.com", "test@test.com"},
	{"no-reply@shop.com", "(no-reply)"},
	{"DoNotReply@shop.com", "(no-reply)"},
	{"undefined@shop.com", "(no-reply)"},
	{`"0"`, "(zeros)"},
	{"='0'", "(zeros)"},
	{"{00000000-0000-0000-0000-000000000000}", "(zeros)"},
	{`"-1"`, "-1"},
	{"-1.0", "-1"},
	{"{FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF}", "(all f)"},
	{"user_undefined", "(undefined)"},
	{"12:Undefined", "(undefined)"},
	{"GA1.2.undefined", "(undefined)"},
	{"user-null", "(undefined)"},
	{"null_null", "(undefined)"},
	{"NaN.NaN", "(undefined)"},
	{"customer:None", "(undefined)"},
	{"undefined undefined", "(undefined)"},
	{"%s", "(template)"},
	{"{0}", "(zeros)"},
	{"%7B%7Bkey%7D%7D", "(template)"},
	{"[object%20Object]", "(object)"},
	{"—", "(punctuation)"},
	{"–", "(punctuation)"},
	{"…", "(punctuation)"},
	{"(blank)", "blank"},
	{"(Leer)", "leer"},
	{"(vide)", "vide"},
	{"#REF!", "ref"},
	{"[HIDDEN]", "hidden"},
	{"<private>", "private"},
}

// somebodies look like those and are not.
var somebodies = []string{
	"1", "-2", "10", "0x0", "0-1", "1.0", "null1", "nullnull", "guest1", "guest_42", "user1", "anonymous-7f3a", "tester", "defaulter",
	"u_id_7", "ffff", "fffffffe-ffff-ffff-ffff-ffffffffffff", "n", "..", ".", "_", "/", `"\\`, "$5", "$ecret", "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}",
	"$device:18e2f0", "ann@example.com", "reply@shop.com", "noreply", "noreply.com", "xnoreply@shop.com", "100%", "50%%", "a{b}",
	"{{open", "@ann", "Optional", "object", "deleted-7", "default/7", "invitation", "gasthaus", "Nilsson", "Guest House 7",
	"host", "Blank", "blank", "Leer", "Niemand", "Foo", "bar", "private", "no", "on", "Sample", "iPad", "_host_", "admin", "root",
	"undefined_123", "null_7", "chris.null", "c_null", "thenull", "Hannan", "marie-none", "ann.nan", "-1.5", "-10", "-1.", "\"7\"", "—7",
	"02:00:00:00:00:01", "9774d56d682e549d", "a:b:c", "O'Neil", "é", "нет7", "<ann@example.com>",
}

func TestWordsThatNameNobody(t *testing.T) {
	n := newRegistry(t, Config{}).NewNormaliser()
	for _, c := range nobodies {
		_, err := identify(n, "user_id", c.value)
		var blocked *BlockedError
		if !errors.As(err, &blocked) || !errors.Is(err, ErrBlocked) || blocked.Word.Text != c.word {
			t.Errorf("%q gives %v, want it blocked by %q", c.value, err, c.word)
		}
		if _, err := identify(n, "user_id", "\u00a0 "+c.value+"\t"); !errors.Is(err, ErrBlocked) {
			t.Errorf("%q within white space gives %v", c.value, err)
		}
		if !Junk([]byte(c.value)) && blocked != nil && blocked.Word.classes == anyClass && blocked.Word != ruleUndefined {
			t.Errorf("Junk(%q) is false", c.value)
		}
	}
	for _, value := range somebodies {
		if _, err := identify(n, "user_id", value); errors.Is(err, ErrBlocked) && value != "object" {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// Every word of the file is found as it is written, in every case and within marks, in the classes of its section alone.
func TestEveryWord(t *testing.T) {
	n := newRegistry(t, Config{Namespaces: []graph.Namespace{{Name: "handle", Class: graph.ClassContact, Normaliser: graph.NormaliseTrim}}}).NewNormaliser()
	namespaces := map[graph.Class]string{
		graph.ClassCustomer: "user_id", graph.ClassContact: "handle", graph.ClassDevice: "push_token", graph.ClassCookie: "ga_client_id",
	}
	kinds := map[string]int{}
	for _, w := range allWords {
		kinds[w.Kind]++
		if strings.HasPrefix(w.Text, "(") {
			continue
		}
		if !norm.NFKC.IsNormalString(w.Text) || w.Text != string(appendLower(nil, []byte(w.Text))) {
			t.Errorf("%q is not in NFKC and lower case", w.Text)
		}
		forms := []string{w.Text, strings.ToUpper(w.Text)}
		if !strings.ContainsAny(w.Text, "0123456789@-") && w.classes == anyClass {
			forms = append(forms, "("+w.Text+")", "<"+w.Text+">", `"`+w.Text+`"`)
		}
		for class, namespace := range namespaces {
			for _, form := range forms {
				if _, err := identify(n, namespace, form); w.classes.has(class) != errors.Is(err, ErrBlocked) {
					t.Errorf("%s: %s:%q gives %v", w.Kind, namespace, form, err)
				}
			}
		}
	}
	for _, w := range allWords {
		_, err := identify(n, "user_id", "("+w.Text+")")
		if w.marked && !errors.Is(err, ErrBlocked) {
			t.Errorf("(%s) gives %v", w.Text, err)
		}
	}
	if len(allWords) < 400 || len(kinds) < 8 {
		t.Errorf("%d words of %d kinds", len(allWords), len(kinds))
	}
}

func TestJunk(t *testing.T) {
	for _, junk := range []string{"", " ", "null", "00000000-0000-0000-0000-000000000000", "undefined", "-1", "{{message_id}}", "???", "no", "Blank", "(host)"} {
		if !Junk([]byte(junk)) {
			t.Errorf("Junk(%q) is false", junk)
		}
	}
	for _, id := range []string{"1", "m1", "foo", "asdf", "abc", "host", "private", "user_undefined", "ajs-next-1767225600000-5f0c1b9e", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"} {
		if Junk([]byte(id)) {
			t.Errorf("Junk(%q) is true", id)
		}
	}
	for text, want := range map[string]bool{"no": true, "OFF": true, "blank": true, "None": true, "SAMPLE": false, "PRIVATE": false, "mobile": false, "guest": false} {
		if NoValue([]byte(text)) != want {
			t.Errorf("NoValue(%q) is not %t", text, want)
		}
	}
	for _, text := range []string{"(not set)", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "customer-number"} {
		value := []byte(text)
		if allocs := testing.AllocsPerRun(100, func() { Junk(value) }); allocs != 0 {
			t.Errorf("Junk(%q): %v allocations, want none", text, allocs)
		}
	}
}

func TestAllowed(t *testing.T) {
	n := newRegistry(t, Config{Blocked: []string{"void"}, Allowed: []string{"Default", "user_id:gast", "void"}}).NewNormaliser()
	for _, c := range []struct {
		namespace, value string
		blocked          bool
	}{
		{"user_id", "default", false},
		{"ga_client_id", "DEFAULT", false},
		{"user_id", "(default)", true}, // allowed as it is written
		{"user_id", "gast", false},
		{"ga_client_id", "gast", true},
		{"user_id", "void", true}, // what the configuration blocks stays blocked
		{"user_id", "null", true},
	} {
		if _, err := identify(n, c.namespace, c.value); c.blocked != errors.Is(err, ErrBlocked) {
			t.Errorf("%s:%q gives %v, want blocked %t", c.namespace, c.value, err, c.blocked)
		}
	}
}

// A message about a blocked value tells its word and never quotes the value.
func TestBlockedErrorHasNoValue(t *testing.T) {
	n := newRegistry(t, Config{Blocked: []string{"ann@example.com"}}).NewNormaliser()
	for _, value := range []string{"ann@example.com", `Optional("ann")`, "{{ann}}"} {
		if _, err := identify(n, "user_id", value); err == nil || bytes.Contains([]byte(err.Error()), []byte("ann")) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func BenchmarkBlocked(b *testing.B) {
	for _, text := range []string{"cus_711943423", "7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2", "ann.moss@example.com", "null", "johnsmith"} {
		b.Run(text, func(b *testing.B) {
			value := []byte(text)
			seen := marksOf(value)
			for b.Loop() {
				blocked(value, seen, graph.ClassCustomer)
			}
		})
	}
}
