// Products of half-precision weights, and of keys and values in the decoder, whose columns may be few or many. Rows and
// columns are taken as they lie, four by four; products and sums are f32.
#include "accel_int.h"

#if VSP_X86
#include <string.h>

enum { SIDE = 4, CHUNK = 64, BAND = 32, AHEAD = 2048, FEW = 8 };

typedef struct {
    const vsp_product *x;
    const char *columns; // f32
    size_t stride;
    int64_t chunk, chunks;
} job;

VSP_INLINE __m512 half(const char *at, __mmask16 m) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, at)); }

// keep stores four rows of `cols` columns, column by column.
VSP_INLINE void keep(const job *j, const float *all, int64_t r, size_t at, int cols) {
    const int64_t left = j->x->rows - r;
    const __mmask16 m = vsp_mask(left < SIDE ? left : SIDE);
    const size_t stride = j->x->out_stride / sizeof(float);
    for (int n = 0; n < cols; n++) {
        vsp_store(j->x->out, at + (size_t)n * stride + (size_t)r, r, m, _mm512_maskz_loadu_ps(m, all + 4 * n), &j->x->finish);
    }
}

#define EACH(X) X(0) X(1) X(2) X(3)
#define SUMS(n) __m512 s0##n = _mm512_setzero_ps(), s1##n = s0##n, s2##n = s0##n, s3##n = s0##n;
#define ROW(i) const __m512 w##i = half(a[i] + 2 * k, m);
#define COLUMN(n)                                                                                       \
    if (cols > n) {                                                                                     \
        const __m512 v = _mm512_maskz_loadu_ps(m, b + (size_t)n * j->stride + 4 * (size_t)k);           \
        s0##n = _mm512_fmadd_ps(w0, v, s0##n), s1##n = _mm512_fmadd_ps(w1, v, s1##n);                   \
        s2##n = _mm512_fmadd_ps(w2, v, s2##n), s3##n = _mm512_fmadd_ps(w3, v, s3##n);                   \
    }

// square computes four rows of `cols` columns (a constant where it is inlined).
VSP_INLINE void square(const job *j, const char *const a[SIDE], const char *b, int64_t r, size_t at, int cols) {
    EACH(SUMS)
    for (int64_t k = 0; k < j->x->k; k += 16) {
        const __mmask16 m = vsp_mask(j->x->k - k);
        EACH(ROW)
        EACH(COLUMN)
    }
    const __m512 sum[16] = {s00, s10, s20, s30, s01, s11, s21, s31, s02, s12, s22, s32, s03, s13, s23, s33};
    float all[16];
    _mm512_storeu_ps(all, vsp_sum16(sum));
    keep(j, all, r, at, cols);
}

#define EACH_FEW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define FEW_SUMS(n) __m512 e##n = _mm512_setzero_ps(), o##n = e##n;
#define FEW_ADD(n)                                                                                                        \
    if (cols > n) {                                                                                                       \
        e##n = _mm512_fmadd_ps(w0, _mm512_maskz_loadu_ps(m0, b + (size_t)n * j->stride + 4 * (size_t)k), e##n);           \
        o##n = _mm512_fmadd_ps(w1, _mm512_maskz_loadu_ps(m1, b + (size_t)n * j->stride + 4 * (size_t)k + 64), o##n);      \
    }
#define FEW_KEEP(n) \
    if (cols > n) sum[4 * n + i] = _mm512_add_ps(e##n, o##n);

// few computes four rows of all columns, of which there are up to eight: rows one after the other, as the processor's
// prefetcher likes it, since reading them is what takes the time.
VSP_INLINE void few(const job *j, const char *const a[SIDE], const char *b, int64_t r, size_t at, int cols) {
    __m512 sum[SIDE * FEW];
    for (int i = SIDE * cols; i % 16; i++) sum[i] = _mm512_setzero_ps();
    for (int i = 0; i < SIDE; i++) {
        EACH_FEW(FEW_SUMS)
        for (int64_t k = 0; k < j->x->k; k += 32) {
            const __mmask16 m0 = vsp_mask(j->x->k - k), m1 = vsp_mask(j->x->k - k - 16);
            const __m512 w0 = half(a[i] + 2 * k, m0), w1 = half(a[i] + 2 * k + 32, m1);
            _mm_prefetch(a[i] + 2 * k + AHEAD, _MM_HINT_T0);
            EACH_FEW(FEW_ADD)
        }
        EACH_FEW(FEW_KEEP)
    }
    float all[SIDE * FEW];
    _mm512_storeu_ps(all, vsp_sum16(sum));
    if (cols > 4) _mm512_storeu_ps(all + 16, vsp_sum16(sum + 16));
    keep(j, all, r, at, cols);
}

// strip computes four rows of the columns from … to of one product.
VSP_TARGET static void strip(const job *j, int64_t one, int64_t r, int64_t from, int64_t to) {
    const vsp_product *x = j->x;
    const char *a[SIDE], *b = j->columns + (size_t)one * x->column_next + (size_t)from * j->stride;
    size_t out = ((size_t)one * x->out_next + (size_t)from * x->out_stride) / sizeof(float);
    for (int s = 0; s < SIDE; s++) {
        const int64_t at = r + s < x->rows ? r + s : x->rows - 1;
        a[s] = (const char *)x->weights + (size_t)one * x->weight_next + (size_t)at * x->weight_stride;
        // Short rows lie apart, which the processor does not foresee.
        if (x->k <= 64) _mm_prefetch(a[s] + 8 * x->weight_stride, _MM_HINT_T0), _mm_prefetch(a[s] + 8 * x->weight_stride + 64, _MM_HINT_T0);
    }
    switch (x->n) {
    case 1: few(j, a, b, r, out, 1); return;
    case 2: few(j, a, b, r, out, 2); return;
    case 3: few(j, a, b, r, out, 3); return;
    case 4: few(j, a, b, r, out, 4); return;
    case 5: few(j, a, b, r, out, 5); return;
    case 6: few(j, a, b, r, out, 6); return;
    case 7: few(j, a, b, r, out, 7); return;
    case 8: few(j, a, b, r, out, 8); return;
    default: break;
    }
    int64_t left = to - from;
    for (; left >= 4; left -= 4) {
        square(j, a, b, r, out, 4);
        b += 4 * j->stride;
        out += 4 * x->out_stride / sizeof(float);
    }
    if (left == 3) square(j, a, b, r, out, 3);
    if (left == 2) square(j, a, b, r, out, 2);
    if (left == 1) square(j, a, b, r, out, 1);
}

// area computes some rows for a band of columns, which together stay in the second-level cache.
VSP_TARGET static void area(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const vsp_product *x = j->x;
    const int64_t first = i % j->chunks * j->chunk, end = first + j->chunk < x->rows ? first + j->chunk : x->rows;
    const int64_t from = i / j->chunks * BAND, to = from + BAND < x->n ? from + BAND : x->n;
    for (int64_t one = 0; one < x->batch; one++) {
        for (int64_t r = first; r < end; r += SIDE) strip(j, one, r, from, to);
    }
}

VSP_TARGET static void widen(void *arg, int64_t c, int thread) {
    (void)thread;
    const job *j = arg;
    const char *in = (const char *)j->x->columns + (size_t)c * j->x->column_stride;
    float *out = (float *)(j->columns + (size_t)c * j->stride);
    for (int64_t k = 0; k < j->x->k; k += 16) {
        const __mmask16 m = vsp_mask(j->x->k - k);
        _mm512_mask_storeu_ps(out + k, m, half(in + 2 * k, m));
    }
}

int vsp_mul_f16(vsp_pool *p, const vsp_product *x) {
    // Keys of several heads lie side by side: then all heads are done before the next rows, to read memory in its order.
    const int64_t chunk = x->batch > 1 && x->weight_next < x->weight_stride ? SIDE : CHUNK;
    job j = {.x = x, .columns = x->columns, .stride = x->column_stride, .chunk = chunk, .chunks = (x->rows + chunk - 1) / chunk};
    if (x->half_columns) {
        p->packed = NULL;
        j.stride = (size_t)x->k * sizeof(float);
        j.columns = vsp_reserve(&p->columns, (size_t)x->n * j.stride);
        if (!j.columns) return 0;
        vsp_each(p, x->n, widen, &j);
    }
    vsp_each(p, j.chunks * ((x->n + BAND - 1) / BAND), area, &j);
    return 1;
}
#endif
