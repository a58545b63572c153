package replay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const header = "ts,kind,profile,order_id,gross,discount,coupon,ref,offer_class,until\n"

// answers runs a stream and returns its answers, without the header.
func answers(t *testing.T, lines []string) []string {
	t.Helper()
	var out strings.Builder
	err := Run(strings.NewReader(header+strings.Join(lines, "\n")+"\n"), &out, Options{
		Model: DefaultModel, HorizonWeeks: 39, Note: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if got[0]+"\n" != strings.Join(answerColumns, ",")+"\n" {
		t.Fatalf("header %q", got[0])
	}
	return got[1:]
}

// shop returns a random year of customers: the rows of each, with %s for the profile.
func shop(rng *rand.Rand, customers int) [][]string {
	const start, day = int64(1_700_000_000_000), int64(86_400_000)
	all := make([][]string, customers)
	for c := range all {
		rate := 0.5 + 9*rng.Float64()
		saves := rng.Float64()
		for at := rng.Int64N(90 * day); at < 364*day; at += int64(float64(360*day)*rng.ExpFloat64()/rate) + 1 {
			gross, discount, coupon := 500+rng.IntN(9000), 0, 0
			if rng.Float64() < saves {
				discount = rng.IntN(gross)
				coupon = rng.IntN(2) * rng.IntN(discount+1)
			}
			all[c] = append(all[c], fmt.Sprintf("%d,order,%%s,o%d-%d,%d.%02d,%d.%02d,%d.%02d,,,", start+at, c, at,
				gross/100, gross%100, discount/100, discount%100, coupon/100, coupon%100))
			if rng.Float64() < 0.1 {
				break
			}
		}
		for o := range 6 {
			sent := start + (int64(o)*60+10)*day
			all[c] = append(all[c], fmt.Sprintf("%d,offer,%%s,,,,,f%d,class%d,%d", sent, o, o%3, sent+20*day))
			if rng.Float64() < saves/2 {
				all[c] = append(all[c], fmt.Sprintf("%d,redeem,%%s,,,,,f%d,,", sent+rng.Int64N(20*day), o))
			}
		}
	}
	return all
}

// queried returns a fit, and a query for every customer.
func queried(customers int) []string {
	const now = "2024-11-13T22:13:20Z"
	lines := []string{now + ",fit,,,,,,,,"}
	for c := range customers {
		lines = append(lines, fmt.Sprintf("%s,query,c%d,,,,,q%d,class%d,", now, c, c, c%4))
	}
	return lines
}

func whole(shop [][]string) (lines []string) {
	for c, did := range shop {
		for _, line := range did {
			lines = append(lines, fmt.Sprintf(line, fmt.Sprintf("c%d", c)))
		}
	}
	return lines
}

// R1: a stream that is shuffled, repeated, and cut into fragments that are merged again gives the same answers, bit for bit.
func TestAnswersDependOnTheSetOfRows(t *testing.T) {
	const customers = 120
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 7))
		year := shop(rng, customers)
		want := answers(t, append(whole(year), queried(customers)...))
		if len(want) != customers {
			t.Fatalf("%d answers of %d queries", len(want), customers)
		}
		compare := func(what string, lines []string) {
			t.Helper()
			got := answers(t, append(lines, queried(customers)...))
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("seed %d, %s:\n%s\nwant\n%s", seed, what, got[i], want[i])
				}
			}
		}
		shuffle := func(lines []string) []string {
			rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			return lines
		}
		compare("shuffled", shuffle(whole(year)))
		compare("redelivered", shuffle(slices.Concat(whole(year), whole(year)[:400])))

		var cut []string
		for c, did := range year {
			parts := 1 + rng.IntN(5)
			for _, line := range did {
				cut = append(cut, fmt.Sprintf(line, part(c, rng.IntN(parts))))
				if rng.IntN(4) == 0 { // seen by two fragments
					cut = append(cut, fmt.Sprintf(line, part(c, rng.IntN(parts))))
				}
			}
			for p := 1; p < parts; p++ {
				cut = append(cut, fmt.Sprintf("2024-01-01,merge,%s,,,,,%s,,", part(c, p), part(c, rng.IntN(p))))
			}
		}
		compare("cut and merged", shuffle(cut))

		// A fit, too, may be anywhere among the rows.
		fit := shuffle(append(whole(year), queried(customers)[0]))
		if got := answers(t, append(fit, queried(customers)[1:]...)); !slices.Equal(got, want) {
			t.Fatalf("seed %d: with the fit among the rows:\n%s\nwant\n%s", seed, got[0], want[0])
		}
	}
}

// part names a fragment of a customer; the first has the customer's own name.
func part(customer, part int) string {
	if part == 0 {
		return fmt.Sprintf("c%d", customer)
	}
	return fmt.Sprintf("c%d/%d", customer, part)
}

// R2: rows after a query do not change its answer; rows before it do.
func TestQueriesSeeWhatIsBefore(t *testing.T) {
	query := "2024-03-01,query,a,,,,,%s,mail,"
	got := answers(t, []string{
		fmt.Sprintf(query, "nobody"),
		"2024-01-01,order,a,o1,20.00,5.00,5.00,,,",
		"2024-01-10,offer,a,,,,,f1,mail,2024-02-01",
		"2024-01-11 10:00:00,offer,a,,,,,f2,mail,2024-05-01",
		fmt.Sprintf(query, "first"),
		"1706745600,order,b,o2,30,0,,,,",     // 2024-02-01 in seconds
		"1706745600000,redeem,a,,,,,f2,,",    // in milliseconds
		"2024-02-10,order,a,o1,20.00,5,5,,,", // repeated later: it counts at its first time
		"2024-02-01T01:00:00+01:00,offer,b,,,,,f1,mail,",
		"2024-03-01,merge,a,,,,,b,,",
		fmt.Sprintf(query, `"both, merged"`),
		"2024-01-01,order,a,late,1,0,0,,,",
	})
	want := []struct{ name, x, counts string }{
		{"nobody", "0,0,0", "0,0,0,0,0"},
		{"first", "0,0,8.571428571428571", "1,1,1,1,0"},
		{`"both, merged"`, "1,4.428571428571429,8.571428571428571", "2,1,1,2,1"},
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w.name+","+w.x+",") || !strings.HasSuffix(got[i], ","+w.counts) {
			t.Errorf("%s\nwant %s,%s,…,%s", got[i], w.name, w.x, w.counts)
		}
	}
}

// Every model fits and answers; an unknown one is refused.
func TestModels(t *testing.T) {
	year := shop(rand.New(rand.NewPCG(1, 2)), 300)
	lines := append(whole(year), queried(300)...)
	seen := map[string]string{}
	for _, model := range Models() {
		var out strings.Builder
		if err := Run(strings.NewReader(header+strings.Join(lines, "\n")), &out, Options{Model: model, HorizonWeeks: 10, Note: func(err error) { t.Errorf("%s: %v", model, err) }}); err != nil {
			t.Fatal(err)
		}
		for other, text := range seen {
			if text == out.String() {
				t.Errorf("%s and %s answer the same", model, other)
			}
		}
		seen[model] = out.String()
	}
	if err := Run(strings.NewReader(header), &strings.Builder{}, Options{Model: "weibull", HorizonWeeks: 1}); err == nil || !strings.Contains(err.Error(), "pareto-nbd") {
		t.Errorf("%v, want the models that there are", err)
	}
}

// A fit that fails is reported, and the parameters keep their values.
func TestFitOfNobody(t *testing.T) {
	var notes []string
	var out strings.Builder
	err := Run(strings.NewReader(header+"2024-01-01,fit,,,,,,,,\n2024-01-01,query,a,,,,,q,,\n"), &out, Options{
		Model: DefaultModel, HorizonWeeks: 1, Note: func(err error) { notes = append(notes, err.Error()) },
	})
	if err != nil || len(notes) == 0 || !strings.Contains(notes[0], "line 2") {
		t.Errorf("%v, notes %q", err, notes)
	}
}

func TestBadRows(t *testing.T) {
	good := "2024-01-01,order,a,o1,20.00,5.00,5.00,,,\n"
	for _, c := range []struct{ line, want string }{
		{"2024-13-01,order,a,o,1,0,0,,,", "line 3: ts: \"2024-13-01\" is not a time"},
		{",order,a,o,1,0,0,,,", "line 3: ts"},
		{"2024-01-01,sale,a,o,1,0,0,,,", `line 3: unknown kind "sale"; kinds are order`},
		{"2024-01-01,order,,o,1,0,0,,,", "line 3: profile is empty"},
		{"2024-01-01,order,a,,1,0,0,,,", "line 3: order_id is empty"},
		{"2024-01-01,order,a,o,ten,0,0,,,", `line 3: gross is "ten"`},
		{"2024-01-01,order,a,o,-1,0,0,,,", `line 3: gross is "-1": negative`},
		{"2024-01-01,order,a,o,,0,0,,,", "line 3: gross is empty"},
		{"2024-01-01,order,a,o,10,1,2,,,", "line 3: coupon is 2, but discount is 1"},
		{"2024-01-01,offer,a,,,,,,mail,", "line 3: ref is empty"},
		{"2024-01-01,offer,a,,,,,f,mail,soon", "line 3: until"},
		{"2024-01-01,query,a,,,,,,,", "line 3: ref is empty"},
		{"2024-01-01,order,a", "line 3: wrong number of fields"},
		{"2024-01-01,order,\"a,o,1,0,0,,,", "line 3"},
	} {
		err := Run(strings.NewReader(header+good+c.line+"\n"), &strings.Builder{}, Options{Model: DefaultModel, HorizonWeeks: 1})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.line, err, c.want)
		}
	}
	for text, want := range map[string]string{"": "line 1: the stream is empty", "ts,kind\n": "no column profile"} {
		if err := Run(strings.NewReader(text), &strings.Builder{}, Options{Model: DefaultModel, HorizonWeeks: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
