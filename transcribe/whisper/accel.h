// A ggml backend of our own for the matrix work of Whisper on x86-64 processors with AVX-512, VNNI and BF16. It takes the
// operations it is fast at and leaves the rest to ggml's own backend; buffers are ordinary memory, so nothing is copied.
#ifndef VESPER_ACCEL_H
#define VESPER_ACCEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// vsp_register_accel makes the backend known to ggml, before a whisper_state is made. It does nothing where the processor
// lacks the instructions, where VESPER_ENGINE_KERNELS=off, and when called again. Returns 1 when the backend is in use.
int vsp_register_accel(void);

// One product or attention by the kernels alone, for tests; see accel.go. They return 0 without memory or the instructions.
int vsp_try_product(int kind, int threads, const void *weights, const float *columns, int64_t rows, int64_t k, int64_t n,
                    const float *bias, const float *residual, int gelu, float *out);
int vsp_try_attention(int threads, const float *q, int64_t n, const uint16_t *keys, const uint16_t *values, int64_t n_keys,
                      float scale, float *out);

#ifdef __cplusplus
}
#endif
#endif
