// Products of q8_0 weights with many columns. The weights of 32 rows are repacked so that one 512-bit register holds four
// values of k for 16 rows; the columns are quantised in blocks of 32 like the weights, six columns side by side. VPDPBUSD
// wants one unsigned factor: the weights get 128 added, and each block starts from −128 · Σ activations.
#include "accel_int.h"

#if VSP_X86
#include <string.h>

enum { ROWS = 32, COLS = 6 };

typedef struct {
    int8_t q[8][COLS][4];
    int32_t start[COLS];
    float scale[COLS];
} group; // one block of six columns

typedef struct {
    uint8_t q[8][ROWS][4];
    float scale[ROWS];
} panel; // one block of 32 rows

typedef struct {
    const uint8_t *weights;
    size_t stride;
    int64_t rows, blocks, n;
    const float *columns;
    group *groups;
    panel *panels;
    float *out;
    vsp_finish f;
} gemm;

VSP_TARGET static void pack_columns(void *arg, int64_t g, int thread) {
    (void)thread;
    const gemm *m = arg;
    group *out = m->groups + g * m->blocks;
    for (int64_t b = 0; b < m->blocks; b++, out++) {
        for (int j = 0; j < COLS; j++) {
            const int64_t c = g * COLS + j;
            int8_t q[VSP_BLOCK] = {0};
            out->start[j] = 0;
            out->scale[j] = 0;
            if (c < m->n) {
                const __m256i v = vsp_quantise(m->columns + (c * m->blocks + b) * VSP_BLOCK, &out->scale[j]);
                _mm256_storeu_si256((__m256i *)q, v);
                const __m512i ones = _mm512_set1_epi8(1), wide = _mm512_zextsi256_si512(v);
                out->start[j] = -128 * _mm512_reduce_add_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(), ones, wide));
            }
            for (int t = 0; t < 8; t++) memcpy(out->q[t][j], q + 4 * t, 4);
        }
    }
}

// pair is the block of one row with that of another above it.
VSP_INLINE __m512i pair(const uint8_t *low, const uint8_t *high) {
    const __m512i l = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(low + 2)));
    return _mm512_inserti64x4(l, _mm256_loadu_si256((const __m256i *)(high + 2)), 1);
}

// pack_16 puts one block of 16 rows into 16 lanes of fours, and adds 128.
VSP_INLINE void pack_16(const uint8_t *const w[], uint8_t (*out)[ROWS][4], int at) {
    __m512i z[8], u[8];
    for (int i = 0; i < 4; i++) z[i] = pair(w[i], w[i + 4]), z[i + 4] = pair(w[i + 8], w[i + 12]);
    for (int i = 0; i < 8; i += 2) u[i] = _mm512_unpacklo_epi32(z[i], z[i + 1]), u[i + 1] = _mm512_unpackhi_epi32(z[i], z[i + 1]);
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (int i = 0; i < 2; i++) { // values 2i and 2i+1 of each four; a: rows 0 … 7, b: rows 8 … 15
        const __m512i a0 = _mm512_unpacklo_epi64(u[i], u[i + 2]), b0 = _mm512_unpacklo_epi64(u[i + 4], u[i + 6]);
        const __m512i a1 = _mm512_unpackhi_epi64(u[i], u[i + 2]), b1 = _mm512_unpackhi_epi64(u[i + 4], u[i + 6]);
        _mm512_store_si512(out[2 * i][at], _mm512_xor_si512(_mm512_shuffle_i32x4(a0, b0, 0x88), flip));
        _mm512_store_si512(out[2 * i + 4][at], _mm512_xor_si512(_mm512_shuffle_i32x4(a0, b0, 0xdd), flip));
        _mm512_store_si512(out[2 * i + 1][at], _mm512_xor_si512(_mm512_shuffle_i32x4(a1, b1, 0x88), flip));
        _mm512_store_si512(out[2 * i + 5][at], _mm512_xor_si512(_mm512_shuffle_i32x4(a1, b1, 0xdd), flip));
    }
}

// pack_rows packs 32 rows; past the last it repeats that one. The next 32 are asked for meanwhile: they lie one after the
// other, but are read across.
VSP_TARGET static void pack_rows(const gemm *m, int64_t first, panel *out) {
    const uint8_t *w[ROWS], *next = m->weights + (first + ROWS) * m->stride;
    const size_t share = ROWS * m->stride / (size_t)m->blocks;
    for (int64_t r = 0; r < ROWS; r++) w[r] = m->weights + (first + r < m->rows ? first + r : m->rows - 1) * m->stride;
    for (int64_t b = 0; b < m->blocks; b++) {
        for (size_t i = 0; i < share; i += 64) _mm_prefetch((const char *)next + b * share + i, _MM_HINT_T1);
        pack_16(w, out[b].q, 0);
        pack_16(w + 16, out[b].q, 16);
        for (int r = 0; r < ROWS; r++) {
            memcpy((char *)out[b].scale + 2 * r, w[r], 2); // still halves
            w[r] += VSP_BLOCK_BYTES;
        }
    }
    for (int64_t b = 0; b < m->blocks; b++) {
        const __m512i halves = _mm512_load_si512(out[b].scale);
        _mm512_store_ps(out[b].scale, _mm512_cvtph_ps(_mm512_castsi512_si256(halves)));
        _mm512_store_ps(out[b].scale + 16, _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1)));
    }
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define SUMS(j) __m512 s0##j = _mm512_setzero_ps(), s1##j = _mm512_setzero_ps();
#define START(j) __m512i i0##j = _mm512_set1_epi32(g->start[j]), i1##j = i0##j;
#define STEP(j)                                                    \
    memcpy(&four, g->q[t][j], 4);                                  \
    a = _mm512_set1_epi32(four);                                   \
    i0##j = _mm512_dpbusd_epi32(i0##j, w0, a);                     \
    i1##j = _mm512_dpbusd_epi32(i1##j, w1, a);
#define FOLD(j)                                                                            \
    s = _mm512_set1_ps(g->scale[j]);                                                       \
    s0##j = _mm512_fmadd_ps(_mm512_cvtepi32_ps(i0##j), _mm512_mul_ps(d0, s), s0##j);       \
    s1##j = _mm512_fmadd_ps(_mm512_cvtepi32_ps(i1##j), _mm512_mul_ps(d1, s), s1##j);
#define STORE(j)                                                       \
    if (c + j < m->n) {                                                \
        vsp_store(m->out, (c + j) * m->rows + r, r, m0, s0##j, &m->f); \
        if (m1) vsp_store(m->out, (c + j) * m->rows + r + 16, r + 16, m1, s1##j, &m->f); \
    }

// tile computes 32 rows of six columns.
VSP_TARGET static void tile(const gemm *m, const panel *p, const group *g, int64_t r, int64_t c) {
    EACH(SUMS)
    for (int64_t b = 0; b < m->blocks; b++, p++, g++) {
        EACH(START)
        __m512i a;
        __m512 s;
        int32_t four;
#pragma GCC unroll 8
        for (int t = 0; t < 8; t++) {
            const __m512i w0 = _mm512_load_si512(p->q[t][0]), w1 = _mm512_load_si512(p->q[t][16]);
            EACH(STEP)
        }
        const __m512 d0 = _mm512_load_ps(p->scale), d1 = _mm512_load_ps(p->scale + 16);
        EACH(FOLD)
    }
    const int64_t left = m->rows - r;
    const __mmask16 m0 = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
    const __mmask16 m1 = left >= 32 ? 0xffff : left <= 16 ? 0 : (__mmask16)((1u << (left - 16)) - 1);
    EACH(STORE)
}

static void row_panel(void *arg, int64_t i, int thread) {
    const gemm *m = arg;
    panel *p = m->panels + thread * m->blocks;
    pack_rows(m, i * ROWS, p);
    for (int64_t c = 0, g = 0; c < m->n; c += COLS, g++) tile(m, p, m->groups + g * m->blocks, i * ROWS, c);
}

int vsp_gemm_q8(vsp_pool *p, const vsp_product *x) {
    const int64_t blocks = x->k / VSP_BLOCK, groups = (x->n + COLS - 1) / COLS;
    gemm m = {.weights = x->weights, .stride = x->weight_stride, .rows = x->rows, .blocks = blocks, .n = x->n,
              .columns = x->columns, .out = x->out, .f = x->finish};
    const int known = p->key && p->packed == p->key;
    m.groups = vsp_reserve(&p->columns, (size_t)(groups * blocks) * sizeof(group));
    m.panels = vsp_reserve(&p->panels, (size_t)(p->n_threads * blocks) * sizeof(panel));
    if (!m.groups || !m.panels) return 0;
    if (!known) vsp_each(p, groups, pack_columns, &m);
    p->packed = p->key;
    vsp_each(p, (x->rows + ROWS - 1) / ROWS, row_panel, &m);
    return 1;
}
#endif
