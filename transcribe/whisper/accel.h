// A ggml backend of our own for the matrix work of Whisper on x86-64 processors with AVX-512, VNNI and BF16. It takes the
// operations it is fast at and leaves the rest to ggml's own backend; buffers are ordinary memory, so nothing is copied.
#ifndef VESPER_ACCEL_H
#define VESPER_ACCEL_H

#ifdef __cplusplus
extern "C" {
#endif

// vsp_register_accel makes the backend known to ggml, before a whisper_state is made. It does nothing where the processor
// lacks the instructions, where VESPER_ENGINE_KERNELS=off, and when called again. Returns 1 when the backend is in use.
int vsp_register_accel(void);

#ifdef __cplusplus
}
#endif
#endif
