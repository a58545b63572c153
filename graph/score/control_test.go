package score

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Treated 1, 1, 0, 0: mean 1/2, s² = 1/3, of the mean 1/12. Held 0, 0, 0, 1: mean 1/4, s² = 1/4, of the mean 1/16.
// The standard error of the difference is sqrt(1/12 + 1/16) = 0.3819.
func TestControlReportByHand(t *testing.T) {
	var r ControlReport
	for _, y := range []int64{1, 1, 0, 0} {
		r.Add(BandHigh, Treated, y)
	}
	for _, y := range []int64{0, 0, 0, 1} {
		r.Add(BandHigh, Held, y)
	}
	line := r.Line(BandHigh)
	near(t, "treated", line.TreatedMean, 0.5, 1e-15)
	near(t, "held", line.HeldMean, 0.25, 1e-15)
	near(t, "uplift", line.Uplift, 0.25, 1e-15)
	near(t, "error", line.Error, math.Sqrt(1.0/12+1.0/16), 1e-15)
	near(t, "ratio", line.Ratio, 2, 1e-15)
	if !line.Judged || line.Treated != 4 || line.Held != 4 {
		t.Errorf("%+v, want a judgement of 4 and 4", line)
	}
	if line := r.Line(BandLow); line.Judged || line.Uplift != 0 {
		t.Errorf("a band without customers: %+v", line)
	}
}

// Outcomes whose squares need 128 bits and whose spread is a billionth of them: floats would keep no digit of it.
func TestControlReportIsExact(t *testing.T) {
	var r ControlReport
	const large = int64(1) << 62
	for _, y := range []int64{large, large + 2} { // mean large+1, s² = 2, of the mean 1
		r.Add(BandLow, Treated, y)
		r.Add(BandLow, Held, -y)
	}
	line := r.Line(BandLow)
	near(t, "error", line.Error, math.Sqrt2, 1e-15)
	near(t, "uplift", line.Uplift, 2*float64(large), 1e-15)
}

func TestControlReportMerges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole, left, right ControlReport
		for range rapid.IntRange(0, 60).Draw(t, "customers") {
			band, arm := Band(rapid.IntRange(0, 4).Draw(t, "band")), Arm(rapid.IntRange(0, 2).Draw(t, "arm"))
			y := rapid.Int64().Draw(t, "outcome")
			whole.Add(band, arm, y)
			if rapid.Bool().Draw(t, "left") {
				left.Add(band, arm, y)
			} else {
				right.Add(band, arm, y)
			}
		}
		right.Merge(&left)
		if right != whole {
			t.Fatalf("merged %+v\nwhole  %+v", right, whole)
		}
		for band := range bands + 1 {
			line := whole.Line(band)
			for _, v := range []float64{line.TreatedMean, line.HeldMean, line.Uplift, line.Error, line.Ratio} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%+v", line)
				}
			}
		}
	})
}

// A twentieth of 100,000 ids is 5,000, with a standard deviation of 69. Another experiment draws another group: of those in
// one, a twentieth are in the other.
func TestControlArms(t *testing.T) {
	control, other := Control{Experiment: "a", Permille: 50}, Control{Experiment: "b", Permille: 50}
	held, both := 0, 0
	for i := range 100_000 {
		id := fmt.Append(nil, "customer ", i)
		if control.Arm(id) == Held {
			held++
			if other.Arm(id) == Held {
				both++
			}
		}
	}
	near(t, "held", float64(held), 5000, 0.07)
	near(t, "held in both", float64(both), 250, 0.3)
	if (Control{Experiment: "a"}).Arm([]byte("x")) != Treated {
		t.Error("a share of 0 holds somebody")
	}
}

// An arm is for ever: these were drawn by the first version.
func TestControlArmIsPermanent(t *testing.T) {
	if got, want := hash64([]byte("spring"), "id"), uint64(0x4905c027ab71ea98); got != want {
		t.Errorf("hash %#x, want %#x: customers would change their arms", got, want)
	}
	if hash64([]byte("a"), "bc") == hash64([]byte("ab"), "c") {
		t.Error("experiment and id can be shifted into one another")
	}
}

func TestControlMixed(t *testing.T) {
	control := Control{Experiment: "a", Permille: 100}
	var held, treated []byte
	for i := 0; held == nil || treated == nil; i++ {
		if id := fmt.Append(nil, i); control.Arm(id) == Held {
			held = id
		} else {
			treated = id
		}
	}
	if control.Mixed(held) || control.Mixed(held, held) || control.Mixed(treated, treated) || !control.Mixed(held, treated) || !control.Mixed(treated, treated, held) {
		t.Error("an identity is mixed if and only if one of its former ids was in the other arm")
	}
}

func TestControlValidate(t *testing.T) {
	for permille, valid := range map[int]bool{-1: false, 0: true, 100: true, 101: false} {
		if err := (Control{Permille: permille}).Validate(); (err == nil) != valid {
			t.Errorf("%d: %v", permille, err)
		}
	}
}
