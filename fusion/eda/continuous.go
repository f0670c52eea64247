package eda

import (
	"context"
	"errors"
)

// continuous decomposes by CDA.
func continuous(ctx context.Context, g grid) (parts, error) {
	return parts{}, errors.New("eda: continuous decomposition is not available yet")
}
