// Attention over the encoder's 30 s: all scores of a few queries, their softmax, and the weighted sum of values. Keys,
// queries, weights and values are rounded to BF16 for VDPBF16PS; scores, the exponential and all sums are f32.
#include "accel_int.h"

#if VSP_X86
#include <string.h>

enum { HEAD = 64, LANES = 64, COLS = 6, QUERIES = 12 };

typedef struct {
    const vsp_attention_args *x;
    int64_t padded;  // keys, rounded up to LANES
    uint32_t *keys;  // [padded / LANES][HEAD / 2][LANES] pairs along the head
    uint32_t *values; // [padded / 2][HEAD] pairs along the keys
    char *scratch;   // per thread: queries, scores, weights
    size_t each;
} job;

typedef struct {
    uint32_t q[QUERIES][HEAD / 2];
    float out[QUERIES][HEAD];
    float sum[16]; // of each query; 16 keep what follows aligned
} local;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define SUMS(j) __m512 s0##j = _mm512_setzero_ps(), s1##j = s0##j, s2##j = s0##j, s3##j = s0##j;
#define STEP(j)                                                          \
    b = (__m512bh)_mm512_set1_epi32((int)rows[j * stride + i]);          \
    s0##j = _mm512_dpbf16_ps(s0##j, a0, b);                              \
    s1##j = _mm512_dpbf16_ps(s1##j, a1, b);                              \
    s2##j = _mm512_dpbf16_ps(s2##j, a2, b);                              \
    s3##j = _mm512_dpbf16_ps(s3##j, a3, b);
#define STORE(j)                                          \
    _mm512_storeu_ps(out + j * out_stride, s0##j);        \
    _mm512_storeu_ps(out + j * out_stride + 16, s1##j);   \
    _mm512_storeu_ps(out + j * out_stride + 32, s2##j);   \
    _mm512_storeu_ps(out + j * out_stride + 48, s3##j);

// block multiplies a panel of 64 lanes with six rows of pairs.
VSP_TARGET static void block(const uint32_t *panel, const uint32_t *rows, int64_t stride, int64_t pairs, float *out, int64_t out_stride) {
    EACH(SUMS)
    for (int64_t i = 0; i < pairs; i++, panel += LANES) {
        const __m512bh a0 = (__m512bh)_mm512_load_si512(panel), a1 = (__m512bh)_mm512_load_si512(panel + 16);
        const __m512bh a2 = (__m512bh)_mm512_load_si512(panel + 32), a3 = (__m512bh)_mm512_load_si512(panel + 48);
        __m512bh b;
        EACH(STEP)
    }
    EACH(STORE)
}

VSP_INLINE __m512i pairs_of(const char *half) { // 32 halves as 32 BF16
    const __m512 lo = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)half));
    const __m512 hi = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(half + 32)));
    return (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
}

// pack_keys fills one panel of 64 keys and the value pairs of the same keys; keys past the end are zero.
VSP_TARGET static void pack_keys(void *arg, int64_t p, int thread) {
    (void)thread;
    const job *j = arg;
    uint32_t *keys = j->keys + p * LANES * HEAD / 2;
    const int64_t first = p * LANES, n = j->x->keys;
    for (int64_t l = 0; l < LANES; l++) {
        uint32_t row[HEAD / 2] = {0};
        if (first + l < n) {
            const char *k = j->x->k + (size_t)(first + l) * j->x->k_stride;
            _mm512_storeu_si512(row, pairs_of(k));
            _mm512_storeu_si512(row + 16, pairs_of(k + 64));
        }
        for (int d = 0; d < HEAD / 2; d++) keys[d * LANES + l] = row[d];
    }
    const __m512i even = _mm512_set1_epi32(0xffff);
    for (int64_t l = 0; l < LANES; l += 2) {
        uint32_t *out = j->values + (first + l) / 2 * HEAD;
        for (int d = 0; d < HEAD; d += 16) {
            __m512i two[2];
            for (int i = 0; i < 2; i++) {
                two[i] = _mm512_setzero_si512();
                if (first + l + i >= n) continue;
                const char *v = j->x->v + (size_t)(first + l + i) * j->x->v_stride + 2 * d;
                two[i] = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)v))));
            }
            _mm512_storeu_si512(out + d, _mm512_or_si512(_mm512_and_si512(two[0], even), _mm512_slli_epi32(two[1], 16)));
        }
    }
}

// soften replaces scores by exp(score − largest) as BF16 and returns their sum; keys past the end weigh nothing.
VSP_TARGET static float soften(const float *scores, int64_t keys, int64_t padded, uint16_t *weights) {
    __m512 top = _mm512_set1_ps(-3.0e38f), sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < keys; i += 16) {
        const __mmask16 m = keys - i >= 16 ? 0xffff : (__mmask16)((1u << (keys - i)) - 1);
        top = _mm512_mask_max_ps(top, m, top, _mm512_load_ps(scores + i));
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (int64_t i = 0; i < padded; i += 16) {
        const int64_t left = keys - i;
        const __mmask16 m = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
        const __m512 e = _mm512_maskz_mov_ps(m, vsp_exp(_mm512_sub_ps(_mm512_load_ps(scores + i), top)));
        sum = _mm512_add_ps(sum, e);
        _mm256_storeu_si256((__m256i *)(weights + i), (__m256i)_mm512_cvtneps_pbh(e));
    }
    return _mm512_reduce_add_ps(sum);
}

VSP_TARGET static void attend(void *arg, int64_t t, int thread) {
    const job *j = arg;
    const vsp_attention_args *x = j->x;
    local *l = (local *)(j->scratch + (size_t)thread * j->each);
    float *scores = (float *)(l + 1);
    uint32_t *weights = (uint32_t *)(scores + QUERIES * j->padded);
    const int64_t first = t * QUERIES, n = x->n - first < QUERIES ? x->n - first : QUERIES;
    const __m512 scale = _mm512_set1_ps(x->scale);
    for (int64_t i = 0; i < QUERIES; i++) {
        const float *q = (const float *)(x->q + (size_t)(first + (i < n ? i : 0)) * x->q_stride);
        for (int d = 0; d < HEAD; d += 32) {
            const __m512 a = _mm512_mul_ps(_mm512_loadu_ps(q + d), scale), b = _mm512_mul_ps(_mm512_loadu_ps(q + d + 16), scale);
            _mm512_storeu_si512(l->q[i] + d / 2, (__m512i)_mm512_cvtne2ps_pbh(b, a));
        }
    }
    for (int64_t k = 0; k < j->padded; k += LANES) {
        for (int64_t i = 0; i < n; i += COLS) {
            block(j->keys + k * HEAD / 2, l->q[i], HEAD / 2, HEAD / 2, scores + i * j->padded + k, j->padded);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        l->sum[i] = soften(scores + i * j->padded, x->keys, j->padded, (uint16_t *)weights + i * j->padded);
    }
    for (int64_t i = 0; i < n; i += COLS) {
        block(j->values, weights + i * j->padded / 2, j->padded / 2, j->padded / 2, l->out[i], HEAD);
    }
    for (int64_t i = 0; i < n; i++) {
        float *out = (float *)(x->out + (size_t)(first + i) * x->out_stride);
        const __m512 share = _mm512_set1_ps(1.0f / l->sum[i]);
        for (int d = 0; d < HEAD; d += 16) _mm512_storeu_ps(out + d, _mm512_mul_ps(_mm512_loadu_ps(l->out[i] + d), share));
    }
}

int vsp_attention(vsp_pool *p, const vsp_attention_args *x) {
    job j = {.x = x, .padded = (x->keys + LANES - 1) / LANES * LANES};
    const size_t packed = (size_t)j.padded * HEAD * 2;
    j.each = (sizeof(local) + (size_t)(QUERIES * j.padded) * 6 + 63) / 64 * 64;
    p->packed = NULL;
    j.keys = vsp_reserve(&p->panels, 2 * packed);
    j.scratch = vsp_reserve(&p->columns, (size_t)p->n_threads * j.each);
    if (!j.keys || !j.scratch) return 0;
    j.values = j.keys + packed / 4;
    vsp_each(p, j.padded / LANES, pack_keys, &j);
    vsp_each(p, (x->n + QUERIES - 1) / QUERIES, attend, &j);
    return 1;
}
#endif
