package eval

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// Journey is a year of a grocer's customers in the format of The Complete Journey 2.0 (84.51°): what they bought line by
// line, which campaigns were sent to them, and which of those they redeemed.
type Journey struct {
	lines     []journeyLine
	campaigns []campaign // by start, then id
}

type journeyLine struct {
	at        int64 // ms; local time, read as UTC
	household string
	basket    string
	gross     int64 // cents: paid to the retailer, and what the retailer took off
	discount  int64 // cents: all that was taken off, the manufacturer's coupons included
	coupon    int64 // cents: the coupons' part of discount
}

type campaign struct {
	id, class string
	start     int64 // ms: the first moment of its first day
	until     int64 // ms: the first moment after its last day
	// households that received it, with the time of the first redemption, 0 for none: the last moment of the day, for
	// only then is the day known to have brought it.
	households []recipient
}

type recipient struct {
	household string
	redeemed  int64
}

const dayMillis = 24 * 60 * 60 * 1000

// ReadJourney reads cj_lines.csv, cj_redemptions.csv, cj_campaigns.csv and cj_campaign_descriptions.csv from a folder.
func ReadJourney(dir string) (*Journey, error) {
	j := &Journey{}
	type pair struct{ household, campaign string }
	redeemed := map[pair]int64{}
	recipients := map[string][]recipient{}
	err := errors.Join(
		readTable(dir, "cj_lines.csv", func(t *table) {
			retail, coupon, match := t.cents("retail_disc"), t.cents("coupon_disc"), t.cents("coupon_match")
			j.lines = append(j.lines, journeyLine{
				at: t.time("ts", "2006-01-02T15:04:05"), household: t.text("household_id"), basket: t.text("basket_id"),
				gross: t.cents("sales") + retail + match, discount: retail + coupon + match, coupon: coupon + match,
			})
		}, "ts", "household_id", "basket_id", "sales", "retail_disc", "coupon_disc", "coupon_match"),
		readTable(dir, "cj_redemptions.csv", func(t *table) {
			k, at := pair{t.text("household_id"), t.text("campaign_id")}, t.time("redemption_date", time.DateOnly)+dayMillis-1
			if before, known := redeemed[k]; !known || at < before {
				redeemed[k] = at
			}
		}, "household_id", "campaign_id", "redemption_date"),
		readTable(dir, "cj_campaigns.csv", func(t *table) {
			household, id := t.text("household_id"), t.text("campaign_id")
			recipients[id] = append(recipients[id], recipient{household: household, redeemed: redeemed[pair{household, id}]})
		}, "household_id", "campaign_id"),
		readTable(dir, "cj_campaign_descriptions.csv", func(t *table) {
			id := t.text("campaign_id")
			j.campaigns = append(j.campaigns, campaign{
				id: id, class: t.text("campaign_type"), start: t.time("start_date", time.DateOnly),
				until: t.time("end_date", time.DateOnly) + dayMillis, households: recipients[id],
			})
		}, "campaign_id", "campaign_type", "start_date", "end_date"),
	)
	slices.SortFunc(j.campaigns, func(a, b campaign) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id)) })
	return j, err
}

// readTable reads a file of a folder, line by line.
func readTable(dir, name string, each func(t *table), columns ...string) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t, err := newTable(name, f, columns...)
	if err != nil {
		return err
	}
	for t.next() {
		each(t)
	}
	return t.err
}

func (t *table) cents(column string) int64 { return int64(math.Round(t.number(column) * 100)) }

func (t *table) time(column, layout string) int64 {
	at, err := time.Parse(layout, t.text(column))
	if err != nil && t.err == nil {
		line, _ := t.reader.FieldPos(0)
		t.err = fmt.Errorf("%s, line %d: %s is %q, which is no time like %s", t.name, line, column, t.text(column), layout)
	}
	return at.UnixMilli()
}

// DiscountRow is one line of a table: how well predictions separate the outcomes.
type DiscountRow struct {
	Name    string
	AUC     float64 // over all outcomes; ties count half
	Within  float64 // within campaigns, averaged by their redeemers; 0 in a table without campaigns
	LogLoss float64 // mean; 0 if the predictions are not probabilities
}

// rawClip keeps the logarithm of a raw share of 0 or 1 finite.
const rawClip = 1e-3

// Reduced measures predictions of purchases at a reduced price (table Discount A). Parameters are fitted and customers are
// read as of cut (ms). The outcomes are the lines bought after it, reduced or not. Each line counts as an order, because the
// predictions are about lines.
func (j *Journey) Reduced(cut int64) ([]DiscountRow, error) {
	orders := map[string][]score.PricedOrder{}
	for i, l := range j.lines {
		orders[l.household] = append(orders[l.household], l.order(strconv.Itoa(i)))
	}
	ledgers := make(map[string]*score.PriceLedger, len(orders))
	var sample score.AffinitySample
	decay := score.NewDecay(0)
	for _, household := range sortedKeys(orders) {
		ledger := score.NewPriceLedger(0, orders[household], nil)
		ledgers[household] = &ledger
		sample.Add(&ledger, cut-1, &decay)
	}
	parameters, err := fit.Affinity(&sample, fit.Options{})
	if err != nil {
		return nil, err
	}
	population, err := score.NewPopulation(parameters)
	if err != nil {
		return nil, err
	}
	var lines, reduced float64
	for _, l := range j.lines {
		if l.at < cut {
			lines++
			reduced += oneIf(l.discount > 0)
		}
	}
	constant := reduced / lines
	var outcomes []bool
	var constants, raws, ours []float64
	for _, l := range j.lines {
		if l.at < cut {
			continue
		}
		counts := ledgers[l.household].Counts(cut-1, &decay)
		raw := constant
		if t := counts.Reductions; t.Of > 0 {
			raw = float64(t.Won) / float64(t.Of)
		}
		outcomes = append(outcomes, l.discount > 0)
		constants = append(constants, constant)
		raws = append(raws, min(max(raw, rawClip), 1-rawClip))
		ours = append(ours, population.Affinity(&counts).Score)
	}
	return []DiscountRow{
		{Name: "constant", AUC: auc(outcomes, constants), LogLoss: logLoss(outcomes, constants)},
		{Name: "raw share", AUC: auc(outcomes, raws), LogLoss: logLoss(outcomes, raws)},
		{Name: "affinity", AUC: auc(outcomes, ours), LogLoss: logLoss(outcomes, ours)},
	}, nil
}

func (l *journeyLine) order(id string) score.PricedOrder {
	return score.PricedOrder{ID: id, At: l.at, Gross: l.gross, Discount: l.discount, Coupon: l.coupon}
}

// Redeems measures predictions of redeemed campaigns (table Discount B). For each campaign that starts at or after from (ms),
// parameters are fitted and its recipients are read as of the first moment of its first day. The outcome is whether a
// recipient redeemed it.
func (j *Journey) Redeems(from int64) ([]DiscountRow, error) {
	predictions, err := j.redemptions(from)
	if err != nil {
		return nil, err
	}
	return predictions.rows(), nil
}

// Calibrated compares the offer probabilities of Redeems with the outcomes; see Calibration.
func (j *Journey) Calibrated(from int64, groups int) ([]CalibrationGroup, error) {
	predictions, err := j.redemptions(from)
	if err != nil {
		return nil, err
	}
	return Calibration(predictions.offer, predictions.outcomes, groups), nil
}

func (j *Journey) redemptions(from int64) (*redemptions, error) {
	ledgers := j.ledgers()
	households := sortedKeys(ledgers)
	predictions := &redemptions{}
	for i := range j.campaigns {
		c := &j.campaigns[i]
		if c.start < from || len(c.households) == 0 {
			continue
		}
		population, err := fitPopulation(ledgers, households, c.start)
		if err != nil {
			return nil, fmt.Errorf("campaign %s: %w", c.id, err)
		}
		predictions.add(population, ledgers, c)
	}
	return predictions, nil
}

// baskets returns the orders of each household.
func (j *Journey) baskets() map[string][]score.PricedOrder {
	orders := map[string][]score.PricedOrder{}
	at := map[string]int{} // of a basket in its household's orders
	for i := range j.lines {
		l := &j.lines[i]
		all := orders[l.household]
		k, found := at[l.basket]
		if !found {
			at[l.basket] = len(all)
			orders[l.household] = append(all, l.order(l.basket))
			continue
		}
		all[k].At = min(all[k].At, l.at)
		all[k].Gross += l.gross
		all[k].Discount += l.discount
		all[k].Coupon += l.coupon
	}
	return orders
}

// ledgers returns the baskets and campaigns of each household.
func (j *Journey) ledgers() map[string]*score.PriceLedger {
	orders := j.baskets()
	offers := map[string][]score.Offer{}
	for _, c := range j.campaigns {
		for _, r := range c.households {
			offers[r.household] = append(offers[r.household], score.Offer{ID: c.id, Class: c.class, Sent: c.start, Until: c.until, Accepted: r.redeemed})
		}
	}
	ledgers := map[string]*score.PriceLedger{}
	for household := range orders {
		ledger := score.NewPriceLedger(0, orders[household], offers[household])
		ledgers[household] = &ledger
	}
	for household := range offers {
		if ledgers[household] == nil {
			ledger := score.NewPriceLedger(0, nil, offers[household])
			ledgers[household] = &ledger
		}
	}
	return ledgers
}

// fitPopulation fits all parameters as of now, the intercept last.
func fitPopulation(ledgers map[string]*score.PriceLedger, households []string, now int64) (*score.Population, error) {
	var sample score.AffinitySample
	decay := score.NewDecay(0)
	for _, household := range households {
		sample.Add(ledgers[household], now, &decay)
	}
	parameters, err := fit.Affinity(&sample, fit.Options{})
	if err != nil {
		return nil, err
	}
	population, err := score.NewPopulation(parameters)
	if err != nil {
		return nil, err
	}
	var calibration score.Calibration
	for _, household := range households {
		calibration.Add(population, ledgers[household], now)
	}
	parameters.Intercept = calibration.Intercept()
	return score.NewPopulation(parameters)
}

// redemptions collects the predictions for one campaign after another.
type redemptions struct {
	campaigns []string
	outcomes  []bool
	raw       []float64 // share of the household's resolved offers that were accepted
	affinity  []float64
	base      []float64 // affinity on the base of the campaign's class
	offer     []float64
}

func (r *redemptions) add(p *score.Population, ledgers map[string]*score.PriceLedger, c *campaign) {
	for _, recipient := range c.households {
		counts := ledgers[recipient.household].Counts(c.start, p.Decay())
		raw := p.Parameters().Offers.Mean()
		if t := counts.Offers; t.Of > 0 {
			raw = float64(t.Won) / float64(t.Of)
		}
		r.campaigns = append(r.campaigns, c.id)
		r.outcomes = append(r.outcomes, recipient.redeemed != 0)
		r.raw = append(r.raw, raw)
		affinity := p.Affinity(&counts)
		r.affinity = append(r.affinity, affinity.Score)
		r.base = append(r.base, onBase(classRate(p, c.class), affinity.Evidence))
		r.offer = append(r.offer, p.OfferProbability(&counts, c.class))
	}
}

func (r *redemptions) rows() []DiscountRow {
	row := func(name string, predictions []float64) DiscountRow {
		return DiscountRow{
			Name: name, AUC: auc(r.outcomes, predictions), Within: r.within(predictions), LogLoss: logLoss(r.outcomes, predictions),
		}
	}
	raw := row("raw redeem share", r.raw)
	raw.LogLoss = 0
	return []DiscountRow{raw, row("affinity", r.affinity), row("affinity + class base", r.base), row("offer probability", r.offer)}
}

// classRate returns the rate of a class, or that of all offers if the class is new.
func classRate(p *score.Population, class string) float64 {
	parameters := p.Parameters()
	if rate, known := parameters.Classes[class]; known {
		return rate
	}
	return parameters.Offers.Mean()
}

// onBase shifts a rate by log-odds.
func onBase(rate, evidence float64) float64 {
	odds := rate / (1 - rate) * math.Exp(evidence)
	return odds / (1 + odds)
}

// redeemersMin is the number of redeemers that a campaign needs for an AUC of its own: with fewer, it is mostly chance.
const redeemersMin = 5

// within returns the AUC within campaigns, averaged with their numbers of redeemers as weights.
func (r *redemptions) within(predictions []float64) float64 {
	var sum, weight float64
	for start := 0; start < len(r.campaigns); {
		end := start
		for end < len(r.campaigns) && r.campaigns[end] == r.campaigns[start] {
			end++
		}
		redeemers := 0.0
		for _, redeemed := range r.outcomes[start:end] {
			redeemers += oneIf(redeemed)
		}
		if redeemers >= redeemersMin && int(redeemers) < end-start {
			sum += redeemers * auc(r.outcomes[start:end], predictions[start:end])
			weight += redeemers
		}
		start = end
	}
	return sum / weight
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// logLoss returns the mean of -ln of the probabilities that were predicted for the actual outcomes.
func logLoss(outcomes []bool, predictions []float64) float64 {
	sum := 0.0
	for i, p := range predictions {
		if !outcomes[i] {
			p = 1 - p
		}
		sum -= math.Log(p)
	}
	return sum / float64(len(outcomes))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// auc returns the probability that a positive outcome has a higher prediction than a negative one; ties count half.
func auc(outcomes []bool, predictions []float64) float64 {
	byPrediction := make([]int, len(predictions))
	for i := range byPrediction {
		byPrediction[i] = i
	}
	slices.SortFunc(byPrediction, func(a, b int) int { return cmp.Compare(predictions[a], predictions[b]) })
	var ranks, happened float64
	for from := 0; from < len(byPrediction); {
		to := from
		for to < len(byPrediction) && predictions[byPrediction[to]] == predictions[byPrediction[from]] {
			to++
		}
		for _, i := range byPrediction[from:to] {
			if outcomes[i] {
				ranks += float64(from+to+1) / 2
				happened++
			}
		}
		from = to
	}
	return (ranks - happened*(happened+1)/2) / (happened * (float64(len(outcomes)) - happened))
}
