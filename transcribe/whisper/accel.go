package whisper

/*
#cgo linux CFLAGS: -fopenmp
#include "accel.h"
*/
import "C"

import "unsafe"

// accelerated tells whether this processor has what the engine's own kernels need and they are not turned off; from the
// first call on they are in use for every engine that is opened. The library registers them by itself when it opens one.
func accelerated() bool { return C.vsp_register_accel() != 0 }

// product multiplies weights of rows × k, in ggml's q8_0 or as halves, with n columns of k floats, by the kernels alone:
// what the tests hold against plain arithmetic. packed brings the weights into the
// kernels' own layout first.
func product(weights []byte, half, packed bool, rows, k, n, threads int, columns, bias, residual []float32, gelu bool) []float32 {
	out := make([]float32, rows*n)
	kind := 0
	switch {
	case half:
		kind = 2
	case packed:
		kind = 1
	}
	ok := C.vsp_try_product(C.int(kind), C.int(threads), unsafe.Pointer(&weights[0]), floats(columns), C.int64_t(rows), C.int64_t(k),
		C.int64_t(n), floats(bias), floats(residual), cbool(gelu), floats(out))
	if ok == 0 {
		return nil
	}
	return out
}

// attention is softmax(scale · Q Kᵀ) V for one head of 64 values, with keys and values as halves.
func attention(queries []float32, keys, values []uint16, scale float32, threads int) []float32 {
	out := make([]float32, len(queries))
	if C.vsp_try_attention(C.int(threads), floats(queries), C.int64_t(len(queries)/64), (*C.uint16_t)(&keys[0]), (*C.uint16_t)(&values[0]),
		C.int64_t(len(keys)/64), C.float(scale), floats(out)) == 0 {
		return nil
	}
	return out
}

func floats(v []float32) *C.float {
	if len(v) == 0 {
		return nil
	}
	return (*C.float)(&v[0])
}
