package eval

import (
	"slices"
	"testing"
)

func TestCalibrationByHand(t *testing.T) {
	got := Calibration([]float64{0.75, 0.25, 0.5, 0, 1}, []bool{true, true, false, false, true}, 2)
	want := []CalibrationGroup{
		{Size: 2, Predicted: 0.125, Happened: 0.5},
		{Size: 3, Predicted: 0.75, Happened: 2.0 / 3},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Calibration([]float64{0.5}, []bool{true}, 3); !slices.Equal(got, []CalibrationGroup{{Size: 1, Predicted: 0.5, Happened: 1}}) {
		t.Errorf("fewer predictions than groups: %v", got)
	}
}
