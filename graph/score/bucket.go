package score

import "math"

// bucketDays is the length of the periods by which counts are kept where single events are too many.
const bucketDays = 30

// bucket numbers the periods of 30 days; 0 begins with 1970.
func bucket(at int64) int32 {
	b := math.Floor(float64(day(clampTime(at))) / bucketDays)
	return int32(min(max(b, math.MinInt32), math.MaxInt32))
}

// addCount adds counts, and stops at the greatest number: a sum that has no order.
func addCount(a, b uint32) uint32 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxUint32
}
