package ask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newGet prints one profile. JSON is what the server answered, in its order of members. A table needs a second
// request, for the orders, so an order that comes in between may be in one of the two alone.
func newGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "get ID",
		Short:             "Show the profile of the person with an identifier",
		Long:              "Show the live profile of the person with an identifier: identifiers, traits, orders, money, scores, audiences.\n" + cli.IDHelp,
		Args:              cli.IDArgs(1),
		ValidArgsFunction: cli.CompleteIDs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	scores := cmd.Flags().Bool("scores", true, "include the scores, computed as of now")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			parts := []client.Part{client.PartAudiences, client.PartComputed}
			if *scores {
				parts = append(parts, client.PartScores)
			}
			text, err := c.Profiles.With(cmd.Context(), args[0], parts...)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if out.JSON(w) {
				return cli.WriteJSON(w, text)
			}
			var p document.Profile
			if err := json.Unmarshal(text, &p); err != nil {
				return fmt.Errorf("read the profile: %w", err)
			}
			orders, err := c.Profiles.Orders(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			// The table is written in one piece, so its reader gets all of it or, after an error, nothing.
			var b bytes.Buffer
			profileTable(&b, cli.NewPaint(w), &p, orders)
			_, err = w.Write(b.Bytes())
			return err
		})
	}
	return cmd
}

// ordersShown bounds the orders in a table, newest first.
const ordersShown = 20

// profileTable prints a profile in sections, and leaves out those without content. Revenue has a row for each currency
// where there are several: amounts of two currencies are never added. Values that people sent go through
// cli.Printable, since a terminal would obey control characters in them.
func profileTable(w io.Writer, p cli.Paint, profile *document.Profile, orders []document.Order) {
	fmt.Fprintln(w, p.Bold(profile.ID))
	var t cli.Table
	if profile.Events > 0 {
		t.Row("events", cli.Number(profile.Events)+" ("+counts(&profile.Counts)+")")
		t.Row("seen", cli.When(profile.FirstSeen)+" to "+cli.When(profile.LastSeen))
	} else {
		t.Row("events", "none")
	}
	if profile.Orders > 0 {
		t.Row("orders", fmt.Sprintf("%s, %s with a discount", cli.Number(profile.Orders), cli.Number(profile.DiscountedOrders)))
		if len(profile.ByCurrency) > 1 {
			for _, code := range slices.Sorted(maps.Keys(profile.ByCurrency)) {
				sum := profile.ByCurrency[code]
				t.Row("revenue", fmt.Sprintf("%s %s in %s, discounts %s", sum.Revenue, code, cli.Plural(sum.Orders, "order"), sum.Discount))
			}
		} else {
			t.Row("revenue", fmt.Sprintf("%s %s, discounts %s", profile.Revenue, profile.Currency, profile.Discount))
		}
	}
	if profile.Control {
		t.Row("control group", "member: send no offers")
	}
	t.Write(w, "  ")

	fmt.Fprintln(w, "\n"+p.Bold("identifiers"))
	t = cli.Table{}
	for _, id := range profile.Identifiers {
		note := ""
		if id.Generic {
			note = "generic value: shared by too many people to identify one"
		}
		t.Row(id.Namespace, cli.Printable(id.Value), cli.When(id.FirstSeen), "to "+cli.When(id.LastSeen), note)
	}
	t.Write(w, "  ")

	if len(profile.Traits) > 0 {
		fmt.Fprintln(w, "\n"+p.Bold("traits"))
		t = cli.Table{}
		for _, name := range slices.Sorted(maps.Keys(profile.Traits)) {
			t.Row(cli.Printable(name), cli.TraitText(profile.Traits[name]))
		}
		t.Write(w, "  ")
	}
	if len(profile.Computed) > 0 {
		fmt.Fprintln(w, "\n"+p.Bold("computed traits"))
		t = cli.Table{}
		for _, name := range slices.Sorted(maps.Keys(profile.Computed)) {
			t.Row(name, cli.TraitText(profile.Computed[name]))
		}
		t.Write(w, "  ")
	}
	if len(profile.Audiences) > 0 {
		fmt.Fprintln(w, "\n"+p.Bold("audiences"))
		t = cli.Table{}
		for _, key := range slices.Sorted(maps.Keys(profile.Audiences)) {
			since := ""
			if at := profile.Audiences[key].Since; at != "" {
				since = "since " + cli.When(at)
			}
			t.Row(key, since)
		}
		t.Write(w, "  ")
	}
	if profile.Scores != nil {
		fmt.Fprintln(w, "\n"+p.Bold("scores"))
		scoresTable(w, profile.Scores)
	}
	if len(orders) > 0 {
		fmt.Fprintln(w, "\n"+p.Bold("orders"))
		ordersTable(w, orders)
	}
}

// ordersTable prints the newest ordersShown orders, and how many older ones there are. The notes of an order list what
// was taken off it: amounts of 0 are left out.
func ordersTable(w io.Writer, orders []document.Order) {
	var t cli.Table
	for _, o := range orders[:min(len(orders), ordersShown)] {
		notes := ""
		if d, err := o.Discount.Float64(); err == nil && d != 0 {
			notes += "discount " + o.Discount.String() + " "
		}
		if o.Coupon != "" {
			notes += "coupon " + cli.Printable(o.Coupon) + " "
		}
		if r, err := o.Refunded.Float64(); err == nil && r != 0 {
			notes += "refunded " + o.Refunded.String()
		}
		t.Row(cli.Printable(o.ID), cli.When(o.PlacedAt), o.Status, o.Revenue.String()+" "+o.Currency, notes)
	}
	t.Write(w, "  ")
	if more := len(orders) - ordersShown; more > 0 {
		fmt.Fprintf(w, "  and %s\n", cli.Plural(more, "older order"))
	}
}

// counts lists the numbers of events by type, most frequent first.
func counts(c *document.Counts) string {
	byType := map[string]uint64{"identify": c.Identify, "track": c.Track, "page": c.Page, "screen": c.Screen, "group": c.Group, "alias": c.Alias}
	maps.DeleteFunc(byType, func(_ string, n uint64) bool { return n == 0 })
	types := slices.SortedFunc(maps.Keys(byType), func(a, b string) int {
		if byType[a] != byType[b] {
			return int(min(1, max(-1, int64(byType[b])-int64(byType[a])))) //nolint:gosec // counts of events are far below 2^63
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	text := ""
	for i, t := range types {
		if i > 0 {
			text += ", "
		}
		text += cli.Number(byType[t]) + " " + t
	}
	return text
}
