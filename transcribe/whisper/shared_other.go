//go:build !linux

package whisper

import (
	"fmt"
	"os"
)

// sharedMemory is an unlinked temporary file that children map.
func sharedMemory() (*os.File, error) {
	f, err := os.CreateTemp("", "vesper-weights-")
	if err != nil {
		return nil, fmt.Errorf("memory for the weights: %w", err)
	}
	_ = os.Remove(f.Name()) // it lives on as long as it is open
	return f, nil
}
