// Products of q8_0 weights with many columns. The weights of 32 rows are repacked so that one 512-bit register holds four
// values of k for 16 rows; the columns are quantised in blocks of 32 like the weights, six columns side by side. VPDPBUSD
// wants one unsigned factor: the weights get 128 added, and each block starts from −128 · Σ activations.
#include "accel_int.h"

#if VSP_X86
#include <stdlib.h>
#include <string.h>

enum { ROWS = 32, COLS = 6 };

typedef struct {
    int8_t q[8][COLS][4];
    int32_t start[COLS];
    float scale[COLS];
} group; // one block of six columns

typedef struct {
    uint8_t q[8][ROWS][4];
    uint16_t scale[ROWS]; // halves
} panel; // one block of 32 rows; takes as many bytes as the rows did

typedef struct {
    const uint8_t *weights;
    size_t stride;
    int64_t rows, blocks, n;
    const float *columns;
    group *groups;
    panel *panels;
    float *out;
    int64_t out_stride; // floats
    vsp_finish f;
    int packed;
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
            memcpy(&out[b].scale[r], w[r], 2);
            w[r] += VSP_BLOCK_BYTES;
        }
    }
}

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define SUMS(j) __m512 s0##j = _mm512_setzero_ps(), s1##j = s0##j;
#define START(j) __m512i i0##j = _mm512_set1_epi32(g->start[j]), i1##j = i0##j;
#define STEP(j)                                  \
    if (cols > j) {                              \
        memcpy(&four, g->q[t][j], 4);            \
        a = _mm512_set1_epi32(four);             \
        i0##j = _mm512_dpbusd_epi32(i0##j, w0, a); \
        i1##j = _mm512_dpbusd_epi32(i1##j, w1, a); \
    }
#define FOLD(j)                                                                                \
    if (cols > j) {                                                                            \
        s = _mm512_set1_ps(g->scale[j]);                                                       \
        s0##j = _mm512_fmadd_ps(_mm512_cvtepi32_ps(i0##j), _mm512_mul_ps(d0, s), s0##j);       \
        s1##j = _mm512_fmadd_ps(_mm512_cvtepi32_ps(i1##j), _mm512_mul_ps(d1, s), s1##j);       \
    }
#define STORE(j)                                                                   \
    if (cols > j) {                                                                \
        vsp_store(m->out, (c + j) * m->out_stride + r, r, m0, s0##j, &m->f);       \
        if (m1) vsp_store(m->out, (c + j) * m->out_stride + r + 16, r + 16, m1, s1##j, &m->f); \
    }

// tile computes 32 rows of `cols` columns (a constant where it is inlined); a column comes out the same whatever its
// neighbours.
VSP_INLINE void tile(const gemm *m, const panel *p, const group *g, int64_t r, int64_t c, int cols) {
    EACH(SUMS)
    for (int64_t b = 0; b < m->blocks; b++, p++, g++) {
        EACH(START)
        __m512i a;
        __m512 s;
        int32_t four;
#pragma GCC unroll 8
        for (int t = 0; t < 8; t++) {
            const __m512i w0 = _mm512_loadu_si512(p->q[t][0]), w1 = _mm512_loadu_si512(p->q[t][16]);
            EACH(STEP)
        }
        const __m512 d0 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p->scale));
        const __m512 d1 = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p->scale + 16)));
        EACH(FOLD)
    }
    const int64_t left = m->rows - r;
    const __mmask16 m0 = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
    const __mmask16 m1 = left >= 32 ? 0xffff : left <= 16 ? 0 : (__mmask16)((1u << (left - 16)) - 1);
    EACH(STORE)
}

VSP_TARGET static void row_panel(void *arg, int64_t i, int thread) {
    const gemm *m = arg;
    const panel *p = (const panel *)m->weights + i * m->blocks;
    if (!m->packed) {
        p = m->panels + thread * m->blocks;
        pack_rows(m, i * ROWS, (panel *)p);
    }
    const group *g = m->groups;
    for (int64_t c = 0; c < m->n; c += COLS, g += m->blocks) {
        switch (m->n - c) {
        case 1: tile(m, p, g, i * ROWS, c, 1); break;
        case 2: tile(m, p, g, i * ROWS, c, 2); break;
        case 3: tile(m, p, g, i * ROWS, c, 3); break;
        case 4: tile(m, p, g, i * ROWS, c, 4); break;
        case 5: tile(m, p, g, i * ROWS, c, 5); break;
        default: tile(m, p, g, i * ROWS, c, 6);
        }
    }
}

int vsp_gemm_q8(vsp_pool *p, const vsp_product *x) {
    const int64_t blocks = x->k / VSP_BLOCK, groups = (x->n + COLS - 1) / COLS;
    gemm m = {.weights = x->weights, .stride = x->weight_stride, .rows = x->rows, .blocks = blocks, .n = x->n, .columns = x->columns,
              .out = x->out, .out_stride = (int64_t)(x->out_stride / sizeof(float)), .f = x->finish, .packed = x->packed};
    const int known = p->key && p->packed == p->key;
    m.groups = vsp_reserve(&p->columns, (size_t)(groups * blocks) * sizeof(group));
    m.panels = vsp_reserve(&p->panels, (size_t)(p->n_threads * blocks) * sizeof(panel));
    if (!m.groups || !m.panels) return 0;
    if (!known) vsp_each(p, groups, pack_columns, &m);
    p->packed = p->key;
    vsp_each(p, (x->rows + ROWS - 1) / ROWS, row_panel, &m);
    return 1;
}

int vsp_gemm_packed(vsp_pool *p, const vsp_product *x) {
    const int64_t full = x->rows / ROWS * ROWS;
    vsp_product part = *x;
    part.rows = full;
    part.packed = 1;
    if (full > 0 && !vsp_gemm_q8(p, &part)) return 0;
    if (full == x->rows) return 1;
    part.rows = x->rows - full;
    part.packed = 0;
    part.weights = (const uint8_t *)x->weights + (size_t)full * x->weight_stride;
    part.out = x->out + full;
    if (x->finish.bias) part.finish.bias = x->finish.bias + full;
    if (x->finish.residual) part.finish.residual = x->finish.residual + full;
    return vsp_gemm_q8(p, &part);
}

int vsp_pack_weights(void *weights, int64_t rows, int64_t k) {
    const size_t stride = (size_t)(k / VSP_BLOCK * VSP_BLOCK_BYTES);
    panel *room = aligned_alloc(64, ROWS * stride);
    if (!room) return 0;
    for (int64_t r = 0; r + ROWS <= rows; r += ROWS) {
        uint8_t *at = (uint8_t *)weights + (size_t)r * stride;
        const gemm m = {.weights = at, .stride = stride, .rows = ROWS, .blocks = k / VSP_BLOCK};
        pack_rows(&m, 0, room);
        memcpy(at, room, ROWS * stride);
    }
    free(room);
    return 1;
}

VSP_TARGET void vsp_unpack_row(const void *weights, int64_t rows, int64_t k, int64_t row, float *out) {
    const int64_t blocks = k / VSP_BLOCK;
    const panel *p = (const panel *)weights + row / ROWS * blocks;
    const uint8_t *plain = (const uint8_t *)weights + (size_t)(row * blocks) * VSP_BLOCK_BYTES;
    for (int64_t b = 0; b < blocks; b++) {
        uint16_t scale;
        memcpy(&scale, row < rows / ROWS * ROWS ? (const void *)&p[b].scale[row % ROWS] : plain + b * VSP_BLOCK_BYTES, 2);
        const float d = vsp_half(scale);
        for (int i = 0; i < VSP_BLOCK; i++) {
            const int packed = (int)p[b].q[i / 4][row % ROWS][i % 4] - 128;
            out[b * VSP_BLOCK + i] = d * (float)(row < rows / ROWS * ROWS ? packed : ((const int8_t *)plain)[b * VSP_BLOCK_BYTES + 2 + i]);
        }
    }
}
#endif
