// Attention over the encoder's 30 s: all scores of a few queries, their softmax, and the weighted sum of values. Keys,
// queries, weights and values are rounded to BF16 for VDPBF16PS; scores, the exponential and all sums are f32.
#include "accel_int.h"

#if VSP_X86
#include <string.h>

enum { HEAD = VSP_HEAD, LANES = VSP_LANES, COLS = 6, QUERIES = 12 };

typedef struct {
    vsp_attend_args x;
    int64_t padded; // keys, rounded up to LANES
    int64_t tiles;  // of queries
    char *scratch;  // per thread: queries, scores, weights
    size_t each;
} job;

typedef struct {
    uint32_t q[QUERIES][HEAD / 2];
    float out[QUERIES][HEAD];
    float sum[16]; // of each query; 16 keep what follows aligned
} local;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define SUMS(j) __m512 s0##j = _mm512_setzero_ps(), s1##j = s0##j, s2##j = s0##j, s3##j = s0##j;
#define STEP(j)                                                 \
    if (cols > j) {                                             \
        b = (__m512bh)_mm512_set1_epi32((int)rows[j * stride + i]); \
        s0##j = _mm512_dpbf16_ps(s0##j, a0, b);                 \
        s1##j = _mm512_dpbf16_ps(s1##j, a1, b);                 \
        s2##j = _mm512_dpbf16_ps(s2##j, a2, b);                 \
        s3##j = _mm512_dpbf16_ps(s3##j, a3, b);                 \
    }
#define STORE(j)                                              \
    if (cols > j) {                                           \
        _mm512_storeu_ps(out + j * out_stride, s0##j);        \
        _mm512_storeu_ps(out + j * out_stride + 16, s1##j);   \
        _mm512_storeu_ps(out + j * out_stride + 32, s2##j);   \
        _mm512_storeu_ps(out + j * out_stride + 48, s3##j);   \
    }

// few multiplies a panel of 64 lanes with `cols` rows of pairs (a constant where it is inlined).
VSP_INLINE void few(const uint32_t *panel, const uint32_t *rows, int64_t stride, int64_t pairs, float *out, int64_t out_stride, int cols) {
    EACH(SUMS)
    for (int64_t i = 0; i < pairs; i++, panel += LANES) {
        const __m512bh a0 = (__m512bh)_mm512_loadu_si512(panel), a1 = (__m512bh)_mm512_loadu_si512(panel + 16);
        const __m512bh a2 = (__m512bh)_mm512_loadu_si512(panel + 32), a3 = (__m512bh)_mm512_loadu_si512(panel + 48);
        __m512bh b;
        EACH(STEP)
    }
    EACH(STORE)
}

VSP_TARGET static void block(const uint32_t *panel, const uint32_t *rows, int64_t stride, int64_t pairs, float *out, int64_t out_stride,
                             int64_t n) {
    switch (n) {
    case 1: few(panel, rows, stride, pairs, out, out_stride, 1); break;
    case 2: few(panel, rows, stride, pairs, out, out_stride, 2); break;
    case 3: few(panel, rows, stride, pairs, out, out_stride, 3); break;
    case 4: few(panel, rows, stride, pairs, out, out_stride, 4); break;
    case 5: few(panel, rows, stride, pairs, out, out_stride, 5); break;
    default: few(panel, rows, stride, pairs, out, out_stride, 6);
    }
}

VSP_INLINE __m512i pairs_of(const char *half) { // 32 halves as 32 BF16
    const __m512 lo = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)half));
    const __m512 hi = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(half + 32)));
    return (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
}

VSP_TARGET void vsp_pack_keys(const char *k, size_t k_stride, const char *v, size_t v_stride, int64_t n, uint32_t *keys, uint32_t *values) {
    for (int64_t l = 0; l < LANES; l++) {
        uint32_t row[HEAD / 2] = {0};
        if (l < n) {
            _mm512_storeu_si512(row, pairs_of(k + (size_t)l * k_stride));
            _mm512_storeu_si512(row + 16, pairs_of(k + (size_t)l * k_stride + 64));
        }
        for (int d = 0; d < HEAD / 2; d++) keys[d * LANES + l] = row[d];
    }
    const __m512i even = _mm512_set1_epi32(0xffff);
    for (int64_t l = 0; l < LANES; l += 2) {
        for (int d = 0; d < HEAD; d += 16) {
            __m512i two[2];
            for (int i = 0; i < 2; i++) {
                two[i] = _mm512_setzero_si512();
                if (l + i >= n) continue;
                const char *at = v + (size_t)(l + i) * v_stride + 2 * d;
                two[i] = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at))));
            }
            _mm512_storeu_si512(values + l / 2 * HEAD + d, _mm512_or_si512(_mm512_and_si512(two[0], even), _mm512_slli_epi32(two[1], 16)));
        }
    }
}

VSP_TARGET void vsp_put_key(const float *k, const float *v, int64_t i, uint32_t *keys, uint32_t *values) {
    uint32_t pairs[HEAD / 2];
    uint16_t halves[HEAD];
    for (int d = 0; d < HEAD; d += 32) {
        _mm512_storeu_si512(pairs + d / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(k + d + 16), _mm512_loadu_ps(k + d)));
        _mm512_storeu_si512(halves + d, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(v + d + 16), _mm512_loadu_ps(v + d)));
    }
    keys += i / LANES * VSP_PANEL + i % LANES;
    for (int d = 0; d < HEAD / 2; d++) keys[d * LANES] = pairs[d];
    uint16_t *to = (uint16_t *)(values + i / 2 * HEAD) + i % 2;
    for (int d = 0; d < HEAD; d++) to[2 * d] = halves[d];
}

// soften replaces scores by exp(score − largest) as BF16 and returns their sum; keys past the end weigh nothing.
VSP_TARGET static float soften(float *scores, const float *mask, int64_t keys, int64_t padded, uint16_t *weights) {
    __m512 top = _mm512_set1_ps(-3.0e38f), sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < keys; i += 16) {
        const __mmask16 m = vsp_mask(keys - i);
        __m512 x = _mm512_load_ps(scores + i);
        if (mask) _mm512_store_ps(scores + i, x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, mask + i)));
        top = _mm512_mask_max_ps(top, m, top, x);
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (int64_t i = 0; i < padded; i += 16) {
        const __m512 e = _mm512_maskz_mov_ps(vsp_mask(keys - i), vsp_exp(_mm512_sub_ps(_mm512_load_ps(scores + i), top)));
        sum = _mm512_add_ps(sum, e);
        _mm512_store_ps(scores + i, e);
        _mm256_storeu_si256((__m256i *)(weights + i), (__m256i)_mm512_cvtneps_pbh(e));
    }
    return _mm512_reduce_add_ps(sum);
}

// attend computes a few queries of one head.
VSP_TARGET static void attend(void *arg, int64_t t, int thread) {
    const job *j = arg;
    const vsp_attend_args *x = &j->x;
    local *l = (local *)(j->scratch + (size_t)thread * j->each);
    float *scores = (float *)(l + 1);
    uint32_t *weights = (uint32_t *)(scores + QUERIES * j->padded);
    const int64_t head = t / j->tiles, first = t % j->tiles * QUERIES, n = x->n - first < QUERIES ? x->n - first : QUERIES;
    const uint32_t *keys = x->keys + head * x->next, *values = x->values + head * x->next;
    const __m512 scale = _mm512_set1_ps(x->scale);
    for (int64_t i = 0; i < n; i++) {
        const float *q = x->q + (first + i) * x->width + head * HEAD;
        for (int d = 0; d < HEAD; d += 32) {
            const __m512 a = _mm512_mul_ps(_mm512_loadu_ps(q + d), scale), b = _mm512_mul_ps(_mm512_loadu_ps(q + d + 16), scale);
            _mm512_storeu_si512(l->q[i] + d / 2, (__m512i)_mm512_cvtne2ps_pbh(b, a));
        }
    }
    for (int64_t k = 0; k < j->padded; k += LANES) {
        for (int64_t i = 0; i < n; i += COLS) {
            block(keys + k * HEAD / 2, l->q[i], HEAD / 2, HEAD / 2, scores + i * j->padded + k, j->padded, n - i);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const float *mask = x->mask ? x->mask + (first + i) * x->mask_stride : NULL;
        l->sum[i] = soften(scores + i * j->padded, mask, x->n_keys, j->padded, (uint16_t *)weights + i * j->padded);
        for (int64_t k = 0; x->save && x->save[head] && k < x->n_keys; k++) {
            x->save[head][k * x->n + first + i] = scores[i * j->padded + k] / l->sum[i];
        }
    }
    for (int64_t i = 0; i < n; i += COLS) {
        block(values, weights + i * j->padded / 2, j->padded / 2, j->padded / 2, l->out[i], HEAD, n - i);
    }
    for (int64_t i = 0; i < n; i++) {
        float *out = x->out + (first + i) * x->out_width + head * HEAD;
        const __m512 share = _mm512_set1_ps(1.0f / l->sum[i]);
        for (int d = 0; d < HEAD; d += 16) _mm512_storeu_ps(out + d, _mm512_mul_ps(_mm512_loadu_ps(l->out[i] + d), share));
    }
}

int vsp_attend(vsp_pool *p, const vsp_attend_args *x) {
    job j = {.x = *x, .padded = (x->n_keys + LANES - 1) / LANES * LANES, .tiles = (x->n + QUERIES - 1) / QUERIES};
    j.each = (sizeof(local) + (size_t)(QUERIES * j.padded) * 6 + 63) / 64 * 64;
    p->packed = NULL;
    j.scratch = vsp_reserve(&p->columns, (size_t)p->n_threads * j.each);
    if (!j.scratch) return 0;
    vsp_each(p, x->heads * j.tiles, attend, &j);
    return 1;
}

typedef struct {
    const vsp_attention_args *x;
    uint32_t *keys, *values;
} packing;

static void pack_panel(void *arg, int64_t i, int thread) {
    (void)thread;
    const packing *p = arg;
    const vsp_attention_args *x = p->x;
    const int64_t first = i * LANES, n = x->keys - first < LANES ? x->keys - first : LANES;
    vsp_pack_keys(x->k + (size_t)first * x->k_stride, x->k_stride, x->v + (size_t)first * x->v_stride, x->v_stride, n,
                  p->keys + i * VSP_PANEL, p->values + i * VSP_PANEL);
}

int vsp_attention(vsp_pool *p, const vsp_attention_args *x) {
    const int64_t panels = (x->keys + LANES - 1) / LANES;
    packing k = {.x = x, .keys = vsp_reserve(&p->panels, (size_t)(2 * panels) * VSP_PANEL * sizeof(uint32_t))};
    if (!k.keys) return 0;
    k.values = k.keys + panels * VSP_PANEL;
    vsp_each(p, panels, pack_panel, &k);
    const vsp_attend_args a = {.q = (const float *)x->q, .out = (float *)x->out, .keys = k.keys, .values = k.values, .heads = 1,
                               .n = x->n, .n_keys = x->keys, .scale = x->scale, .width = (int64_t)(x->q_stride / sizeof(float)),
                               .out_width = (int64_t)(x->out_stride / sizeof(float))};
    return vsp_attend(p, &a);
}
#endif
