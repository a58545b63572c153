package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/spf13/cobra"
)

const idHelp = "ID is namespace:value, such as email:ann@example.com, in any form that the namespace knows, or a public id."

// idArgs takes n ids. An empty one is a variable that was not set.
func idArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if slices.Contains(args, "") {
			return errors.New("an id is empty")
		}
		return cobra.ExactArgs(n)(cmd, args)
	}
}

func newGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Show the profile of the person with an identifier",
		Long:  "Show the live profile of the person with an identifier: identifiers, traits, orders, money, scores.\n" + idHelp,
		Args:  idArgs(1),
	}
	t := addTarget(cmd)
	out := addOutput(cmd, formatTable, formatJSON)
	scores := cmd.Flags().Bool("scores", true, "with the scores, as of now")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.with(cmd, func(c *client.Client) error {
			ask := c.Profile
			if *scores {
				ask = c.Scored
			}
			text, err := ask(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if out.json(w) {
				return writeJSON(w, text)
			}
			var p document.Profile
			if err := json.Unmarshal(text, &p); err != nil {
				return fmt.Errorf("read the profile: %w", err)
			}
			orders, err := c.Orders(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			var b bytes.Buffer
			profileTable(&b, newPaint(w), &p, orders)
			_, err = w.Write(b.Bytes())
			return err
		})
	}
	return cmd
}

// ordersShown is how many orders a table lists, the newest first.
const ordersShown = 20

func profileTable(w io.Writer, p paint, profile *document.Profile, orders []document.Order) {
	fmt.Fprintln(w, p.bold(profile.ID))
	var t table
	if profile.Events > 0 {
		t.row("events", number(profile.Events)+" ("+counts(&profile.Counts)+")")
		t.row("seen", when(profile.FirstSeen)+" to "+when(profile.LastSeen))
	} else {
		t.row("events", "none")
	}
	if profile.Orders > 0 {
		t.row("orders", fmt.Sprintf("%s, %s with a discount", number(profile.Orders), number(profile.DiscountedOrders)))
		if len(profile.ByCurrency) > 0 {
			for _, code := range slices.Sorted(maps.Keys(profile.ByCurrency)) {
				sum := profile.ByCurrency[code]
				t.row("revenue", fmt.Sprintf("%s %s in %s, discounts %s", sum.Revenue, code, plural(sum.Orders, "order"), sum.Discount))
			}
		} else {
			t.row("revenue", fmt.Sprintf("%s %s, discounts %s", profile.Revenue, profile.Currency, profile.Discount))
		}
	}
	if profile.Control {
		t.row("control group", "member: send no offers")
	}
	t.write(w, "  ")

	fmt.Fprintln(w, "\n"+p.bold("identifiers"))
	t = table{}
	for _, id := range profile.Identifiers {
		note := ""
		if id.Generic {
			note = "generic value: shared by too many to stand for one person"
		}
		t.row(id.Namespace, printable(id.Value), when(id.FirstSeen), "to "+when(id.LastSeen), note)
	}
	t.write(w, "  ")

	if len(profile.Traits) > 0 {
		fmt.Fprintln(w, "\n"+p.bold("traits"))
		t = table{}
		for _, name := range slices.Sorted(maps.Keys(profile.Traits)) {
			t.row(printable(name), traitText(profile.Traits[name]))
		}
		t.write(w, "  ")
	}
	if profile.Scores != nil {
		fmt.Fprintln(w, "\n"+p.bold("scores"))
		scoresTable(w, profile.Scores)
	}
	if len(orders) > 0 {
		fmt.Fprintln(w, "\n"+p.bold("orders"))
		ordersTable(w, orders)
	}
}

func ordersTable(w io.Writer, orders []document.Order) {
	var t table
	for _, o := range orders[:min(len(orders), ordersShown)] {
		notes := ""
		if d, err := o.Discount.Float64(); err == nil && d != 0 {
			notes += "discount " + o.Discount.String() + " "
		}
		if o.Coupon != "" {
			notes += "coupon " + printable(o.Coupon) + " "
		}
		if r, err := o.Refunded.Float64(); err == nil && r != 0 {
			notes += "refunded " + o.Refunded.String()
		}
		t.row(printable(o.ID), when(o.PlacedAt), o.Status, o.Revenue.String()+" "+o.Currency, notes)
	}
	t.write(w, "  ")
	if more := len(orders) - ordersShown; more > 0 {
		fmt.Fprintf(w, "  and %s before\n", plural(more, "order"))
	}
}

// counts lists events by type, the most frequent first.
func counts(c *document.Counts) string {
	byType := map[string]uint64{"identify": c.Identify, "track": c.Track, "page": c.Page, "screen": c.Screen, "group": c.Group, "alias": c.Alias}
	maps.DeleteFunc(byType, func(_ string, n uint64) bool { return n == 0 })
	types := slices.SortedFunc(maps.Keys(byType), func(a, b string) int {
		if byType[a] != byType[b] {
			return int(min(1, max(-1, int64(byType[b])-int64(byType[a])))) //nolint:gosec // counts of events are far below
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	text := ""
	for i, t := range types {
		if i > 0 {
			text += ", "
		}
		text += number(byType[t]) + " " + t
	}
	return text
}

// traitText is a trait as people read it: text without its quotes, anything else as JSON.
func traitText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return printable(text)
	}
	return printable(string(value))
}

// when shortens RFC 3339 to what people read; it stays in UTC.
func when[T ~string](at T) string {
	if len(at) < len("2006-01-02T15:04:05") {
		return "never"
	}
	return string(at[:10] + " " + at[11:19])
}
