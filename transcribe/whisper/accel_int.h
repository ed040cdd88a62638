// What the files of the accelerator share. Matrices are as in ggml: a "row" of weights and a "column" of activations are
// both k values that lie one after the other; an output column holds one value per row.
#ifndef VESPER_ACCEL_INT_H
#define VESPER_ACCEL_INT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define VSP_X86 1
#include <immintrin.h>
// Functions with this attribute run only after vsp_register_accel has asked the processor for the same features.
#define VSP_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx2,fma,f16c")))
#define VSP_INLINE static inline __attribute__((always_inline)) VSP_TARGET
#else
#define VSP_X86 0
#endif

enum { VSP_BLOCK = 32, VSP_BLOCK_BYTES = 34 }; // q8_0: a half-precision scale, then 32 signed bytes

// vsp_work is scratch memory that grows to what the largest call needs and stays.
typedef struct {
    void *data;
    size_t size;
} vsp_work;

void *vsp_reserve(vsp_work *w, size_t size); // aligned to 64 bytes; NULL without memory

typedef struct {
    int n_threads;
    vsp_work columns; // activations, quantised or converted
    vsp_work panels;  // repacked weights, one part per thread; keys and values
    const void *key;    // which activations the caller passes; NULL: nothing that could be met again
    const void *packed; // the key of those that columns holds, in the layout of vsp_gemm_q8
} vsp_pool;

void vsp_empty(vsp_pool *p); // gives the memory back

// vsp_each runs task for 0 ≤ i < n on the pool's threads. Each output is computed by one task in a fixed order, so the
// number of threads never shows in the result.
typedef void (*vsp_task)(void *arg, int64_t i, int thread);
void vsp_each(vsp_pool *p, int64_t n, vsp_task task, void *arg);

// vsp_finish is what follows a product directly: out = gelu(product + bias) + residual, each part optional.
typedef struct {
    const float *bias;     // one per row
    const float *residual; // shaped as the output
    int gelu;
} vsp_finish;

// vsp_product is out = weights · columns: rows × k weights, n columns of k values, out with `rows` values per column.
// Strides are bytes.
typedef struct {
    const void *weights, *columns;
    float *out;
    size_t weight_stride, column_stride, out_stride;
    int64_t rows, n, k;
    // For vsp_mul_f16 only: as many products of the same shape, and f16 columns.
    int64_t batch;
    size_t weight_next, column_next, out_next;
    int half_columns;
    vsp_finish finish;
} vsp_product;

// All return 0 when there is no memory. vsp_gemm_q8 is for many columns, vsp_rows_q8 for up to VSP_FEW; columns and output
// of both are dense. The two round alike but sum in different order.
enum { VSP_FEW = 4 };
int vsp_gemm_q8(vsp_pool *p, const vsp_product *x);
int vsp_rows_q8(vsp_pool *p, const vsp_product *x);
int vsp_mul_f16(vsp_pool *p, const vsp_product *x);

// vsp_attention is softmax(scale · Q K') V for one head of 64 values: n queries in f32, keys and values in f16; strides in
// bytes.
typedef struct {
    const char *q, *k, *v;
    char *out;
    size_t q_stride, k_stride, v_stride, out_stride;
    int64_t n, keys;
    float scale;
} vsp_attention_args;
int vsp_attention(vsp_pool *p, const vsp_attention_args *x);

#if VSP_X86
// exp for x ≤ 88; below −104 it is 0, NaN stays. Polynomial of degree 6 on ±½ ln 2; relative error below 2e-7.
VSP_INLINE __m512 vsp_exp(__m512 x) {
    x = _mm512_max_ps(_mm512_set1_ps(-105.0f), x);
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.0f / 720);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

// The tanh form of GELU, x·σ(2u) with u = √(2/π)(x + 0.044715 x³).
VSP_INLINE __m512 vsp_gelu(__m512 x) {
    const __m512 c = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(-2 * 0.79788456f * 0.044715f), _mm512_set1_ps(-2 * 0.79788456f));
    const __m512 e = vsp_exp(_mm512_min_ps(_mm512_mul_ps(x, c), _mm512_set1_ps(88.0f)));
    return _mm512_div_ps(x, _mm512_add_ps(e, _mm512_set1_ps(1.0f)));
}

// vsp_store applies f to 16 outputs from row r on and stores those that m selects; `at` is their place in the output.
VSP_INLINE void vsp_store(float *out, size_t at, int64_t r, __mmask16 m, __m512 x, const vsp_finish *f) {
    if (f->bias) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, f->bias + r));
    if (f->gelu) x = vsp_gelu(x);
    if (f->residual) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, f->residual + at));
    _mm512_mask_storeu_ps(out + at, m, x);
}

// vsp_quantise turns 32 floats into bytes with one scale, as ggml does for q8_0, but keeps the scale in f32.
VSP_INLINE __m256i vsp_quantise(const float *x, float *scale) {
    const __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    const float top = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    const __m512 inv = _mm512_set1_ps(top > 1e-30f ? 127.0f / top : 0);
    *scale = top / 127.0f;
    const __m512i ia = _mm512_cvtps_epi32(_mm512_mul_ps(a, inv)), ib = _mm512_cvtps_epi32(_mm512_mul_ps(b, inv));
    return _mm256_set_m128i(_mm512_cvtepi32_epi8(ib), _mm512_cvtepi32_epi8(ia));
}

// vsp_sum16 returns, in lane i, the sum of the lanes of v[i]; every lane is summed in the same order.
VSP_INLINE __m512 vsp_sum16(const __m512 v[16]) {
    __m512 a[8], b[4];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) { // lanes 0…7 from v[i], 8…15 from v[i+8]
        const __m512 lo = _mm512_shuffle_f32x4(v[i], v[i + 8], 0x44), hi = _mm512_shuffle_f32x4(v[i], v[i + 8], 0xee);
        a[i] = _mm512_add_ps(lo, hi);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { // per 128 bits: v[i], v[i+4], v[i+8], v[i+12]
        const __m512 lo = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x88), hi = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xdd);
        b[i] = _mm512_add_ps(lo, hi); // i, i+8, i+4, i+12
    }
    const __m512 c0 = _mm512_add_ps(_mm512_unpacklo_ps(b[0], b[1]), _mm512_unpackhi_ps(b[0], b[1]));
    const __m512 c1 = _mm512_add_ps(_mm512_unpacklo_ps(b[2], b[3]), _mm512_unpackhi_ps(b[2], b[3]));
    const __m512 d = _mm512_add_ps(_mm512_shuffle_ps(c0, c1, 0x44), _mm512_shuffle_ps(c0, c1, 0xee));
    return _mm512_shuffle_f32x4(d, d, 0xd8);
}
#endif
#endif
