// Products of q8_0 weights with a few columns, as a decoder does for a token or some beams. Reading the weights is what
// takes the time, so each is read once, in place, for all columns.
#include "accel_int.h"

#if VSP_X86
#include <string.h>

enum { ROWS = 4, STEP_K = 2 * VSP_BLOCK, CHUNK = 16, AHEAD = 2048 };

// step is two blocks of one column: the values, −128 times the sum of each four, and the scales, one per eight values' lane.
typedef struct {
    int8_t q[STEP_K];
    int32_t start[16];
    float scale[16];
} step;

typedef struct {
    const vsp_product *x;
    int64_t blocks, steps;
    step *columns;
} job;

VSP_TARGET static void pack(const job *j) {
    for (int64_t c = 0; c < j->x->n; c++) {
        const float *in = (const float *)j->x->columns + c * j->x->k;
        step *out = j->columns + c * j->steps;
        memset(out, 0, (size_t)j->steps * sizeof *out);
        for (int64_t b = 0; b < j->blocks; b++) {
            step *s = out + b / 2;
            float scale;
            const int half = b & 1;
            _mm256_storeu_si256((__m256i *)(s->q + half * VSP_BLOCK), vsp_quantise(in + b * VSP_BLOCK, &scale));
            for (int i = 0; i < 8; i++) s->scale[8 * half + i] = scale;
        }
        for (int64_t b = 0; b < j->steps; b++) {
            const __m512i sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8((char)128), _mm512_load_si512(out[b].q));
            _mm512_store_si512(out[b].start, _mm512_sub_epi32(_mm512_setzero_si512(), sums));
        }
    }
}

// load reads two blocks of a row: bytes with 128 added, and the scale of each for eight lanes. The last may be alone.
VSP_INLINE __m512i load(const uint8_t *w, int both, __m512 *scale) {
    const __m256i first = _mm256_loadu_si256((const __m256i *)(w + 2));
    __m256i second = _mm256_setzero_si256();
    __m512i all = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)w));
    if (both) {
        second = _mm256_loadu_si256((const __m256i *)(w + VSP_BLOCK_BYTES + 2));
        all = _mm512_loadu_si512(w);
    }
    const __m512i where = _mm512_zextsi256_si512(_mm256_set_m128i(_mm_set1_epi16(VSP_BLOCK_BYTES / 2), _mm_setzero_si128()));
    *scale = _mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_permutexvar_epi16(where, all)));
    return _mm512_xor_si512(_mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1), _mm512_set1_epi8((char)0x80));
}

#define EACH(X) X(0) X(1) X(2) X(3)
#define SUM(c) __m512 s##c = _mm512_setzero_ps();
#define ADD(c)                                                                                                        \
    if (cols > c) {                                                                                                   \
        const step *t = s + c * j->steps;                                                                             \
        const __m512i v = _mm512_dpbusd_epi32(_mm512_load_si512(t->start), q, _mm512_load_si512(t->q));               \
        s##c = _mm512_fmadd_ps(_mm512_cvtepi32_ps(v), _mm512_mul_ps(d, _mm512_load_ps(t->scale)), s##c);              \
    }
#define KEEP(c) \
    if (cols > c) sum[4 * c + i] = s##c;

// quad computes four rows of `cols` columns (a constant where it is inlined). Rows are read one after the other, which the
// processor's prefetcher follows best.
VSP_INLINE void quad(const job *j, int64_t r, int cols) {
    __m512 sum[16];
    for (int i = ROWS * cols; i < 16; i++) sum[i] = _mm512_setzero_ps();
    for (int i = 0; i < ROWS; i++) {
        const int64_t at = r + i < j->x->rows ? r + i : j->x->rows - 1;
        const uint8_t *w = (const uint8_t *)j->x->weights + (size_t)at * j->x->weight_stride;
        const step *s = j->columns, *const last = s + j->blocks / 2;
        EACH(SUM)
        for (; s < last; s++, w += 2 * VSP_BLOCK_BYTES) {
            __m512 d;
            const __m512i q = load(w, 1, &d);
            _mm_prefetch((const char *)w + AHEAD, _MM_HINT_T0);
            EACH(ADD)
        }
        if (j->blocks & 1) {
            __m512 d;
            const __m512i q = load(w, 0, &d);
            EACH(ADD)
        }
        EACH(KEEP)
    }
    float all[16];
    _mm512_storeu_ps(all, vsp_sum16(sum));
    const int64_t left = j->x->rows - r;
    const __mmask16 m = left >= ROWS ? 15 : (__mmask16)((1u << left) - 1);
    for (int k = 0; k < cols; k++) {
        vsp_store(j->x->out, (size_t)(k * j->x->rows + r), r, m, _mm512_maskz_loadu_ps(m, all + 4 * k), &j->x->finish);
    }
}

VSP_TARGET static void rows(void *arg, int64_t chunk, int thread) {
    (void)thread;
    const job *j = arg;
    const vsp_product *x = j->x;
    const int64_t end = (chunk + 1) * CHUNK < x->rows ? (chunk + 1) * CHUNK : x->rows;
    for (int64_t r = chunk * CHUNK; r < end; r += ROWS) {
        switch (x->n) {
        case 1: quad(j, r, 1); break;
        case 2: quad(j, r, 2); break;
        case 3: quad(j, r, 3); break;
        default: quad(j, r, 4); break;
        }
    }
}

int vsp_rows_q8(vsp_pool *p, const vsp_product *x) {
    job j = {.x = x, .blocks = x->k / VSP_BLOCK, .steps = (x->k / VSP_BLOCK + 1) / 2};
    p->packed = NULL;
    j.columns = vsp_reserve(&p->columns, (size_t)(x->n * j.steps) * sizeof(step));
    if (!j.columns) return 0;
    pack(&j);
    vsp_each(p, (x->rows + CHUNK - 1) / CHUNK, rows, &j);
    return 1;
}
#endif
