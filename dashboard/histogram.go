package dashboard

// histogram is how often scores lie in each of equal intervals from Low to High.
type histogram struct {
	Low    number `json:"low"`
	High   number `json:"high"`
	Counts []int  `json:"counts"`
	// Odd counts scores that are not numbers.
	Odd int `json:"odd"`
}

// histogramOf sorts scores into bins. Without a finite score it is empty.
func histogramOf(scores []float32) histogram {
	h := histogram{Counts: []int{}}
	var kept []float64
	for _, s := range scores {
		if v := float64(s); finite(v) {
			kept = append(kept, v)
		} else {
			h.Odd++
		}
	}
	if len(kept) == 0 {
		return h
	}
	low, high := kept[0], kept[0]
	for _, v := range kept {
		low, high = min(low, v), max(high, v)
	}
	h.Low, h.High, h.Counts = number(low), number(high), make([]int, bins)
	for _, v := range kept {
		i := 0
		if high > low {
			i = min(bins-1, int((v-low)/(high-low)*bins))
		}
		h.Counts[i]++
	}
	return h
}
