package evaluation

import "math"

// z95 is the standard normal deviate of a two-sided interval of 95 %.
const z95 = 1.959963984540054

// Share is a part of a whole with the 95 % interval of the probability behind
// it. Without a whole (Of 0) the three shares are 0 and mean nothing.
type Share struct {
	Count int     `json:"count"`
	Of    int     `json:"of"`
	Value float64 `json:"value"` // Count / Of
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// wilson returns the share k of n with the score interval of Wilson 1927
// (Journal of the American Statistical Association 22:209), which holds for few
// pictures and for shares near 0 and 1, where the usual one does not.
func wilson(k, n int) Share {
	if n == 0 {
		return Share{}
	}
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z95*z95/(2*m)) / (1 + z95*z95/m)
	half := z95 / (1 + z95*z95/m) * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	return Share{k, n, p, max(0, centre-half), min(1, centre+half)}
}

// kappa returns Cohen's kappa (1960, Educational and Psychological Measurement
// 20:37) of a table of true by read classes: the agreement beyond that which
// chance alone would bring, 1 at most. NaN of an empty table, and where chance
// alone brings full agreement.
func kappa(table [][]int) float64 {
	var total, agreed float64
	rows, columns := make([]float64, len(table)), make([]float64, len(table))
	for i, row := range table {
		for j, n := range row {
			total += float64(n)
			rows[i] += float64(n)
			columns[j] += float64(n)
			if i == j {
				agreed += float64(n)
			}
		}
	}
	chance := 0.
	for i := range rows {
		chance += rows[i] / total * columns[i] / total
	}
	if total == 0 || chance == 1 {
		return math.NaN()
	}
	return (agreed/total - chance) / (1 - chance)
}
