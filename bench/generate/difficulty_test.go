package generate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// stats counts the difficulties of a stream, as they show in its lines.
type stats struct {
	lateLogins, sharedDevices, sharedCookies, genericUsers, cards, aliases int
	junk, rawContacts, redeliveries, late                                  int
	discounts, refunds, partRefunds, cancellations, updates, copies, texts int
}

func statsOf(t *testing.T, events []parsedEvent) (s stats) {
	first := distinct(events)
	s.redeliveries = len(events) - len(first)
	lines := map[string]string{}
	for _, e := range events {
		if known, ok := lines[e.MessageID]; ok && known != e.line {
			t.Fatalf("one message id, two texts:\n%s\n%s", known, e.line)
		}
		lines[e.MessageID] = e.line
	}
	for i := 1; i < len(first); i++ {
		if first[i].Timestamp.Before(first[i-1].Timestamp) {
			s.late++
		}
	}
	slices.SortFunc(first, func(a, b parsedEvent) int { return a.Timestamp.Compare(b.Timestamp) })
	anonymous := map[string]bool{}                                                                    // cookies seen before a login
	devices, cookies, contacts := map[string][]string{}, map[string][]string{}, map[string][]string{} // their customers
	note := func(users map[string][]string, of, user string) {
		if !slices.Contains(users[of], user) {
			users[of] = append(users[of], user)
		}
	}
	completed := map[string]int{}
	for _, e := range first {
		ids, spoiled := e.identifiers(t)
		s.junk += spoiled
		if e.UserID == nil && strings.Contains(e.line, `"userId":null`) {
			s.junk++
		}
		user := ""
		for _, id := range ids {
			if strings.HasPrefix(id, "user_id:cus_") {
				user = id
			}
			if strings.HasPrefix(id, "loyalty_card:") {
				s.cards++
			}
		}
		for _, id := range ids {
			switch namespace, _, _ := strings.Cut(id, ":"); {
			case namespace == "anonymous_id" && user == "":
				anonymous[id] = anonymous[id] || len(cookies[id]) == 0
			case namespace == "anonymous_id":
				if e.Type == "identify" && anonymous[id] && len(cookies[id]) == 0 {
					s.lateLogins++
				}
				note(cookies, id, user)
			case namespace == "device_id" && user != "":
				note(devices, id, user)
			case (namespace == "email" || namespace == "phone") && user != "":
				note(contacts, id, user)
			}
		}
		if e.Type == "alias" {
			s.aliases++
		}
		contactsOf := []string{e.Context.Traits.Email, e.Context.Traits.Phone}
		if e.Type == "identify" {
			for _, name := range []string{"email", "phone"} {
				var value string
				if raw, ok := e.Traits[name]; ok {
					if err := json.Unmarshal(raw, &value); err != nil {
						t.Fatal(err)
					}
				}
				contactsOf = append(contactsOf, value)
			}
		}
		for _, contact := range contactsOf {
			if slices.Contains(parsedJunk, contact) {
				continue
			}
			if contact != strings.ToLower(strings.TrimSpace(contact)) || strings.Contains(contact, "-") && !strings.Contains(contact, "@") ||
				strings.HasPrefix(contact, "+1 ") {
				s.rawContacts++
			}
		}
		order := string(e.Properties["order_id"])
		switch e.Event {
		case "Order Completed":
			if completed[order]++; completed[order] == 2 {
				s.copies++
			}
			if e.Properties["discount"] != nil || e.Properties["coupon"] != nil {
				s.discounts++
			}
			if strings.HasPrefix(string(e.Properties["total"]), `"`) {
				s.texts++
			}
		case "Order Refunded":
			s.refunds++
			if e.Properties["total"] != nil {
				s.partRefunds++
			}
		case "Order Cancelled":
			s.cancellations++
		case "Order Updated":
			s.updates++
		}
	}
	for _, users := range devices {
		s.sharedDevices += len(users) / 2
	}
	for _, users := range cookies {
		s.sharedCookies += len(users) / 2
	}
	for _, users := range contacts {
		if len(users) > 1 {
			s.genericUsers = max(s.genericUsers, len(users))
		}
	}
	return s
}

// Every difficulty occurs exactly if its share is above 0.
func TestDifficulties(t *testing.T) {
	cfg := small()
	with := statsOf(t, testStream(t, cfg))
	for _, test := range []struct {
		name  string
		clear func(*Config)
		count func(*stats) int
		least int // with the shares of small
	}{
		{"late login", func(c *Config) { c.LateLogin = 0 }, func(s *stats) int { return s.lateLogins }, 200},
		{"household", func(c *Config) { c.Household = 0 }, func(s *stats) int { return s.sharedDevices }, 20},
		{"shared tablet", func(c *Config) { c.SharedTablet = 0 }, func(s *stats) int { return s.sharedCookies }, 8},
		{"generic", func(c *Config) { c.Generic = 0 }, func(s *stats) int { return s.genericUsers }, 10},
		{"loyalty", func(c *Config) { c.Loyalty = 0 }, func(s *stats) int { return s.cards }, 100},
		{"alias", func(c *Config) { c.Alias = 0 }, func(s *stats) int { return s.aliases }, 2},
		{"junk", func(c *Config) { c.Junk = 0 }, func(s *stats) int { return s.junk }, 100},
		{"raw forms", func(c *Config) { c.RawForms = 0 }, func(s *stats) int { return s.rawContacts }, 50},
		{"redelivery", func(c *Config) { c.Redelivery = 0 }, func(s *stats) int { return s.redeliveries }, 200},
		{"disorder", func(c *Config) { c.Disorder.Share = 0 }, func(s *stats) int { return s.late }, 200},
		{"discount", func(c *Config) { c.Discount = 0 }, func(s *stats) int { return s.discounts }, 50},
		{"refund", func(c *Config) { c.Refund = 0 }, func(s *stats) int { return s.refunds }, 10},
		{"refund in part", func(c *Config) { c.Refund = 0 }, func(s *stats) int { return s.partRefunds }, 2},
		{"cancel", func(c *Config) { c.Cancel = 0 }, func(s *stats) int { return s.cancellations }, 5},
		{"update", func(c *Config) { c.Update = 0 }, func(s *stats) int { return s.updates }, 5},
		{"copy", func(c *Config) { c.Copy = 0 }, func(s *stats) int { return s.copies }, 30},
		{"text money", func(c *Config) { c.TextMoney = 0 }, func(s *stats) int { return s.texts }, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.count(&with); got < test.least {
				t.Errorf("%d with its share, want %d or more", got, test.least)
			}
			cfg := small()
			cfg.Events = 8000
			test.clear(&cfg)
			without := statsOf(t, testStream(t, cfg))
			if got := test.count(&without); got != 0 {
				t.Errorf("%d without its share", got)
			}
		})
	}
}
