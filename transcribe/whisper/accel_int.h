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
// Strides are bytes. Packed weights were brought into the kernels' own layout before.
typedef struct {
    const void *weights, *columns;
    float *out;
    size_t weight_stride, column_stride, out_stride;
    int64_t rows, n, k;
    // For vsp_mul_f16 only: as many products of the same shape, and f16 columns.
    int64_t batch;
    size_t weight_next, column_next, out_next;
    int half_columns;
    int packed;
    vsp_finish finish;
} vsp_product;

// Both return 0 when there is no memory. The columns of vsp_gemm_q8 are dense.
int vsp_gemm_q8(vsp_pool *p, const vsp_product *x);
int vsp_mul_f16(vsp_pool *p, const vsp_product *x);

// vsp_gemm_packed is vsp_gemm_q8 for weights that vsp_pack_weights went over.
int vsp_gemm_packed(vsp_pool *p, const vsp_product *x);

// vsp_pack_weights brings q8_0 weights into the kernels' layout, in place, 32 rows at a time; what is left over stays as it
// was. Returns 0 without memory. vsp_unpack_row reads one row of either.
int vsp_pack_weights(void *weights, int64_t rows, int64_t k);
void vsp_unpack_row(const void *weights, int64_t rows, int64_t k, int64_t row, float *out);

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

// Keys and values that are attended to again and again are kept packed, VSP_LANES keys together, as BF16 in pairs: of keys
// along the head, of values along the keys. One head of a panel takes VSP_PANEL words for the keys and as many for the
// values; what lies past the last key must be finite.
enum { VSP_HEAD = 64, VSP_LANES = 64, VSP_PANEL = VSP_HEAD / 2 * VSP_LANES };

// vsp_pack_keys packs n ≤ VSP_LANES keys and values of one head; the rest of the panel becomes zero.
void vsp_pack_keys(const char *k, size_t k_stride, const char *v, size_t v_stride, int64_t n, uint32_t *keys, uint32_t *values);

// vsp_put_key puts the key and the value of one head, in f32, at place i of a packed row of panels.
void vsp_put_key(const float *k, const float *v, int64_t i, uint32_t *keys, uint32_t *values);

// vsp_attend is vsp_attention over packed keys, for several heads: head h reads q + 64h, keys + h·next, and writes out + 64h.
typedef struct {
    const float *q;
    float *out;
    int64_t width, out_width; // floats from one query, one output, to the next
    const uint32_t *keys, *values;
    int64_t next; // words from one head to the next
    int64_t heads, n, n_keys;
    float scale;
    const float *mask;  // n × mask_stride floats that are added to the scores; NULL: none
    int64_t mask_stride;
    float *const *save; // for each head where its weights go, as [key][query]; NULL: nowhere
} vsp_attend_args;
int vsp_attend(vsp_pool *p, const vsp_attend_args *x);

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

VSP_INLINE __mmask16 vsp_mask(int64_t left) { return left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1); }

// vsp_norm brings n values to mean 0 and variance 1, then to gain · x + shift, where there is a gain.
VSP_INLINE void vsp_norm(const float *a, int64_t n, float eps, const float *gain, const float *shift, float *out) {
    __m512 sum = _mm512_setzero_ps(), square = sum;
    for (int64_t k = 0; k < n; k += 16) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(vsp_mask(n - k), a + k));
    const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)n);
    for (int64_t k = 0; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        const __m512 d = _mm512_maskz_sub_ps(m, _mm512_maskz_loadu_ps(m, a + k), mean);
        square = _mm512_fmadd_ps(d, d, square);
    }
    const __m512 by = _mm512_set1_ps(1.0f / __builtin_sqrtf(_mm512_reduce_add_ps(square) / (float)n + eps));
    for (int64_t k = 0; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        __m512 x = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, a + k), mean), by);
        if (gain) x = _mm512_fmadd_ps(x, _mm512_maskz_loadu_ps(m, gain + k), _mm512_maskz_loadu_ps(m, shift + k));
        _mm512_mask_storeu_ps(out + k, m, x);
    }
}

// vsp_store applies f to 16 outputs from row r on and stores those that m selects; `at` is their place in the output.
VSP_INLINE void vsp_store(float *out, size_t at, int64_t r, __mmask16 m, __m512 x, const vsp_finish *f) {
    if (f->bias) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, f->bias + r));
    if (f->gelu) x = vsp_gelu(x);
    if (f->residual) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, f->residual + at));
    _mm512_mask_storeu_ps(out + at, m, x);
}

VSP_INLINE float vsp_half(uint16_t h) { return _cvtsh_ss(h); }

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
