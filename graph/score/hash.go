package score

// hash64 spreads a text over 64 bits: FNV-1a with the finaliser of MurmurHash3, without which neighbouring
// texts would fall together. It is no secret and needs none: ids are keyed hashes already.
func hash64[T ~string | ~[]byte](salt []byte, text T) uint64 {
	const (
		offset = 14695981039346656037
		prime  = 1099511628211
	)
	h := uint64(offset)
	for _, b := range salt {
		h = (h ^ uint64(b)) * prime
	}
	if salt != nil {
		h *= prime // a zero byte, so that salt and text cannot be shifted into one another
	}
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
