package identifier

import (
	"errors"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func TestBlocked(t *testing.T) {
	n := newRegistry(t, Config{}).NewNormaliser()
	for _, value := range []string{
		"null", "NULL", " Null ", "undefined", "nan", "NaN", "none", "0", "-1", "true", "False", "anonymous", "Guest",
		"unknown", "n/a", "N/A", "test", "[object Object]", "[OBJECT OBJECT]", "0000", "-", "---", "00-00",
		"00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000",
		"%%email%%", "{{email}}", "{{ user.id }}", "id-{{id}}", "${email}", "a${b}c", "<%= email %>", "<%id%>",
		"test@test.com", "Test@Test.com", "noreply@shop.com", "no-reply@shop.com", "NoReply@shop.com",
	} {
		for _, ns := range n.registry.Namespaces() {
			if _, err := identify(n, ns.Name, value); !errors.Is(err, ErrBlocked) {
				t.Errorf("%s:%q gives %v, want ErrBlocked", ns.Name, value, err)
			}
		}
	}
	for _, value := range []string{"{00000000-0000-0000-0000-000000000000}", "urn:uuid:00000000-0000-0000-0000-000000000000"} {
		if _, err := identify(n, "device_id", value); !errors.Is(err, ErrBlocked) {
			t.Errorf("device_id:%q gives %v, want ErrBlocked", value, err)
		}
	}
	for _, value := range []string{
		"1", "-2", "10", "null1", "nullnull", "tester", "testing@test.com", "reply@shop.com", "noreply", "noreply.com",
		"xnoreply@shop.com", "100%", "50%%", "a{b}", "{{open", "$5", "0x0", "0-1", "n", "guests",
	} {
		if _, err := identify(n, "user_id", value); err != nil {
			t.Errorf("user_id:%q: %v", value, err)
		}
	}
}

func TestBlockedByConfig(t *testing.T) {
	n := newRegistry(t, Config{
		Namespaces: []graph.Namespace{{Name: "card", Class: graph.ClassCustomer, Normaliser: graph.NormaliseTrim}},
		Blocked: []string{
			"Nobody", "card:X99", "phone:(415) 555-0000", "http://no.such", "room 4155550012",
			"{AAAAAAAA-8B86-D011-B42D-00CF4FC964FF}", "email:ANN@example.com", "STRASSE-É",
		},
		BlockedPatterns: []string{`(?i)^qa[-_]`, `@example\.test$`},
	}).NewNormaliser()
	for _, c := range []struct {
		namespace, value string
		blocked          bool
	}{
		{"user_id", "nobody", true},
		{"card", "NOBODY", true},
		{"phone", "nobody", true},
		{"user_id", "nobody2", false},
		{"card", "x99", true},
		{"user_id", "x99", false},
		{"user_id", "card:x99", false},
		{"phone", "+14155550000", true},
		{"phone", "415 555 0000", true},
		{"user_id", "+14155550000", false},
		{"user_id", "http://no.such", true},
		{"phone", "4155550012", false},
		{"card", "Room 4155550012", true},
		{"device_id", "aaaaaaaa-8b86-d011-b42d-00cf4fc964ff", true},
		{"email", " Ann@Example.com", true},
		{"user_id", "strasse-é", true},
		{"user_id", "QA-7", true},
		{"user_id", "aqa-7", false},
		{"email", "Ann@EXAMPLE.test", true},    // matched as normalised
		{"user_id", "Ann@EXAMPLE.test", false}, // here case stays
	} {
		_, err := identify(n, c.namespace, c.value)
		if c.blocked != errors.Is(err, ErrBlocked) || !c.blocked && err != nil {
			t.Errorf("%s:%q gives %v, want blocked %t", c.namespace, c.value, err, c.blocked)
		}
	}
}
