package score

import "strconv"

// Result is what a scorer found.
type Result struct {
	// Losses are the terms of the objective by the names of
	// worldmodel.Model.LossNames: means over the records of all episodes.
	Losses map[string]float64 `json:"losses"`
	// OpenLoop is empty for models that see no images, and where no episode has
	// more records than Context.
	OpenLoop OpenLoop `json:"open_loop"`
	// Episodes are the episodes in the order in which they were added.
	Episodes []Episode `json:"episodes"`
}

// Episode is the score of one episode.
type Episode struct {
	// Name is that given to Add.
	Name string `json:"name"`
	// Records is its number of records.
	Records int `json:"records"`
	// Losses are as in Result, means over its records.
	Losses map[string]float64 `json:"losses"`
}

// OpenLoop is how good predictions without looking are.
type OpenLoop struct {
	// Context is how many records the model saw before.
	Context int `json:"context"`
	// Image maps the number of records after the context to half the squared
	// error of the predicted image, summed over pixels and channels, mean over
	// all pieces of episodes that are long enough: the unit of the image loss.
	Image map[string]float64 `json:"image"`
	// Pieces maps the same numbers to how many pieces there were.
	Pieces map[string]int `json:"pieces"`
}

// Result returns the scores of all episodes so far.
func (s *Scorer) Result() Result {
	out := s.result
	out.Losses = s.sums.means()
	out.OpenLoop = OpenLoop{Context: Context, Image: map[string]float64{}, Pieces: map[string]int{}}
	for i, h := range Horizons() {
		if sum, n := s.errors[i][0], s.errors[i][1]; n > 0 {
			out.OpenLoop.Image[strconv.Itoa(h)] = sum / n
			out.OpenLoop.Pieces[strconv.Itoa(h)] = int(n)
		}
	}
	return out
}

// tally adds up terms, weighted by records.
type tally map[string]struct{ sum, records float64 }

func (t tally) add(means map[string]float64, records int) {
	for name, v := range means {
		e := t[name]
		e.sum += v * float64(records)
		e.records += float64(records)
		t[name] = e
	}
}

func (t tally) means() map[string]float64 {
	out := make(map[string]float64, len(t))
	for name, e := range t {
		out[name] = e.sum / e.records
	}
	return out
}
