//go:build !linux && !darwin

package models

func memoryMiB() int { return 0 }
