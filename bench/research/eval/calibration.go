package eval

import (
	"cmp"
	"slices"
)

// CalibrationGroup is a group of predictions that lie next to each other.
type CalibrationGroup struct {
	Size      int
	Predicted float64 // mean of the probabilities
	Happened  float64 // share of the predictions that came true
}

// Calibration sorts predictions into groups of equal size, lowest first. Predictions are calibrated if one in five of those
// near 20 % comes true, and so on. Equal predictions keep their order; groups is at least 1.
func Calibration(predictions []float64, outcomes []bool, groups int) []CalibrationGroup {
	order := make([]int, len(predictions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(predictions[a], predictions[b]) })
	var made []CalibrationGroup
	for g := range groups {
		members := order[g*len(order)/groups : (g+1)*len(order)/groups]
		if len(members) == 0 {
			continue
		}
		group := CalibrationGroup{Size: len(members)}
		for _, i := range members {
			group.Predicted += predictions[i]
			group.Happened += oneIf(outcomes[i])
		}
		group.Predicted /= float64(len(members))
		group.Happened /= float64(len(members))
		made = append(made, group)
	}
	return made
}
