package score

import "math"

// bucketDays is the length of the periods by which counts are kept where single events are too many.
const bucketDays = 30

// bucket numbers the periods of 30 days; 0 begins with 1970.
func bucket(at int64) int32 {
	// The bounds of int32 lie 170 million years away, and those of times at 140,000.
	return int32(math.Floor(float64(day(clampTime(at))) / bucketDays))
}

// addCount adds counts, and stops at the greatest number: a sum that has no order.
func addCount(a, b uint32) uint32 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxUint32
}
