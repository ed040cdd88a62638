package whisper

// #cgo linux CFLAGS: -fopenmp
// #include "accel.h"
import "C"

// accelerate puts the engine's own matrix kernels to work, and tells whether this processor has the instructions for them.
func accelerate() bool { return C.vsp_register_accel() != 0 }
