package golden

import (
	"strings"
	"testing"
)

const goldenHeader = "model,fn,p1,p2,p3,p4,x,tx_or_zbar,T,t,delta,value\n"

// Columns may be in any order, other columns are kept, and got is added.
func TestGoldenWritesGot(t *testing.T) {
	table, err := ReadGolden(strings.NewReader("note,fn,model,p1,p2,p3,p4,tx_or_zbar,x,T,t,delta\n\"a, b\",palive,bgnbd,0.243,4.414,0.793,2.426,0,0,38.86,,\n,cond,gg,1,2,1,,1,1,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := table.WriteGot(&out); err != nil {
		t.Fatal(err)
	}
	want := "note,fn,model,p1,p2,p3,p4,tx_or_zbar,x,T,t,delta,got\n\"a, b\",palive,bgnbd,0.243,4.414,0.793,2.426,0,0,38.86,,,1\n,cond,gg,1,2,1,,1,1,,,,1\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// dert covers an infinite future, or the time until t.
func TestGoldenHorizon(t *testing.T) {
	table, err := ReadGolden(strings.NewReader(goldenHeader +
		"mbgnbd,dert,0.525,6.183,0.891,1.614,2,30,39,,0.01,\nmbgnbd,dert,0.525,6.183,0.891,1.614,2,30,39,52,0.01,\n"))
	if err != nil {
		t.Fatal(err)
	}
	forever, errForever := table.Rows[0].Got()
	year, errYear := table.Rows[1].Got()
	if errForever != nil || errYear != nil || !(year > 0 && year < forever) {
		t.Errorf("a year %v %v, for ever %v %v", year, errYear, forever, errForever)
	}
}

// If a row cannot be computed, the error names its line and nothing is written.
func TestGoldenRefuses(t *testing.T) {
	const good = "pnbd,ll,0.553,10.578,0.606,11.669,0,0,38.86,,,-0.52\n"
	for _, c := range []struct{ rows, says string }{
		{"pnbx,ll,1,1,1,1,0,0,1,,,\n", `line 3: unknown model "pnbx"`},
		{"pnbd,pmf,1,1,1,1,0,0,1,,,\n", `line 3: unknown function "pmf" of pnbd`},
		{"gg,dert,1,2,1,,1,1,,,,\n", `line 3: unknown function "dert" of gg`},
		{"pnbd,cond,1,1,1,1,0,0,1,,,\n", "line 3: cond of pnbd: no number in column t"},
		{"pnbd,dert,1,1,1,1,0,0,1,,0,\n", "line 3: discount: invalid"},
		{"pnbd,ll,1,1,1,,0,0,1,,,\n", "line 3: ll of pnbd: no number in column p4"},
		{"pnbd,ll,1,1,1,-1,0,0,1,,,\n", "line 3: model: invalid parameter: beta"},
		{"pnbd,ll,1,1,1,1,1,2,1,,,\n", "line 3: x 1, tx 2, T 1"},
		{"gg,ll,1,2,1,,0,1,,,,\n", "line 3: ll of gg is not defined"},
		{"pnbd,ll,1,1,one,1,0,0,1,,,\n", `line 3: p3 is "one"`},
		{"pnbd,ll\n", "wrong number of fields"},
	} {
		table, err := ReadGolden(strings.NewReader(goldenHeader + good + c.rows))
		var out strings.Builder
		if err == nil {
			err = table.WriteGot(&out)
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || out.Len() > 0 {
			t.Errorf("%q: %v, want an error that says %q; written: %q", c.rows, err, c.says, out.String())
		}
	}
	if _, err := ReadGolden(strings.NewReader("model,fn\n")); err == nil || !strings.Contains(err.Error(), "no column p1") {
		t.Errorf("a header without parameters: %v", err)
	}
}
