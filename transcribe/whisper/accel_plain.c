// The small operations between the products: each costs little, but a change of backend for each would cost more, and
// memory is gone through once where they can be joined.
#include "accel_ggml.h"

#if VSP_X86
#include <math.h>
#include <string.h>

typedef struct {
    struct ggml_tensor *out;
    const struct ggml_tensor *a, *b;
    const float *gain, *shift; // of a norm
} job;

// row is the start of row i of a tensor, where dimensions of size 1 stand for any size.
static char *row(const struct ggml_tensor *t, const struct ggml_tensor *shape, int64_t i) {
    const int64_t i1 = i % shape->ne[1], i2 = i / shape->ne[1] % shape->ne[2], i3 = i / shape->ne[1] / shape->ne[2];
    return (char *)t->data + (size_t)(i1 % t->ne[1]) * t->nb[1] + (size_t)(i2 % t->ne[2]) * t->nb[2] + (size_t)(i3 % t->ne[3]) * t->nb[3];
}

VSP_TARGET static void add_or_mul(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const float *a = (const float *)row(j->a, j->out, i), *b = (const float *)row(j->b, j->out, i);
    float *out = (float *)row(j->out, j->out, i);
    const int times = j->out->op == GGML_OP_MUL, same = j->b->ne[0] == 1;
    const __m512 one = _mm512_set1_ps(b[0]);
    for (int64_t k = 0, n = j->out->ne[0]; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        const __m512 x = _mm512_maskz_loadu_ps(m, a + k), y = same ? one : _mm512_maskz_loadu_ps(m, b + k);
        _mm512_mask_storeu_ps(out + k, m, times ? _mm512_mul_ps(x, y) : _mm512_add_ps(x, y));
    }
}

VSP_TARGET static void gelu(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const float *a = (const float *)row(j->a, j->out, i);
    float *out = (float *)row(j->out, j->out, i);
    for (int64_t k = 0, n = j->out->ne[0]; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        _mm512_mask_storeu_ps(out + k, m, vsp_gelu(_mm512_maskz_loadu_ps(m, a + k)));
    }
}

VSP_TARGET static void scale(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const float *a = (const float *)row(j->a, j->out, i);
    float *out = (float *)row(j->out, j->out, i), f[2];
    memcpy(f, j->out->op_params, sizeof f);
    for (int64_t k = 0, n = j->out->ne[0]; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(m, a + k), _mm512_set1_ps(f[0]));
        _mm512_mask_storeu_ps(out + k, m, _mm512_add_ps(x, _mm512_set1_ps(f[1])));
    }
}

VSP_TARGET static void norm(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    float eps;
    memcpy(&eps, j->b->op_params, sizeof eps);
    vsp_norm((const float *)row(j->a, j->a, i), j->out->ne[0], eps, j->gain, j->shift, (float *)row(j->out, j->out, i));
}

VSP_TARGET static void soft_max(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const int64_t n = j->out->ne[0];
    const float *a = (const float *)row(j->a, j->out, i), *b = j->b ? (const float *)row(j->b, j->out, i) : NULL;
    float *out = (float *)row(j->out, j->out, i), by;
    memcpy(&by, j->out->op_params, sizeof by);
    __m512 top = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    for (int64_t k = 0; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(m, a + k), _mm512_set1_ps(by));
        if (b) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(m, b + k));
        top = _mm512_mask_max_ps(top, m, top, x);
        _mm512_mask_storeu_ps(out + k, m, x);
    }
    top = _mm512_set1_ps(_mm512_reduce_max_ps(top));
    for (int64_t k = 0; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        const __m512 e = _mm512_maskz_mov_ps(m, vsp_exp(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, out + k), top)));
        sum = _mm512_add_ps(sum, e);
        _mm512_mask_storeu_ps(out + k, m, e);
    }
    const __m512 share = _mm512_set1_ps(1.0f / _mm512_reduce_add_ps(sum));
    for (int64_t k = 0; k < n; k += 16) {
        const __mmask16 m = vsp_mask(n - k);
        _mm512_mask_storeu_ps(out + k, m, _mm512_mul_ps(_mm512_maskz_loadu_ps(m, out + k), share));
    }
}

// put stores 16 values from place k of a row of floats or halves on.
VSP_INLINE void put(const struct ggml_tensor *t, char *out, int64_t k, __mmask16 m, __m512 x) {
    if (t->type == GGML_TYPE_F32) {
        _mm512_mask_storeu_ps((float *)out + k, m, x);
    } else {
        _mm256_mask_storeu_epi16((uint16_t *)out + k, m, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
}

// copy_row copies a dense row to its place in a dense tensor of whatever shape.
VSP_TARGET static void copy_row(void *arg, int64_t i, int thread) {
    (void)thread;
    const job *j = arg;
    const int64_t n = j->a->ne[0];
    const float *a = (const float *)row(j->a, j->a, i);
    char *out = (char *)j->out->data + (size_t)(i * n) * j->out->nb[0];
    for (int64_t k = 0; k < n; k += 16) put(j->out, out, k, vsp_mask(n - k), _mm512_maskz_loadu_ps(vsp_mask(n - k), a + k));
}

// turn copies 16 columns of a transposed matrix to as many rows.
VSP_TARGET static void turn(void *arg, int64_t chunk, int thread) {
    (void)thread;
    const job *j = arg;
    const int64_t n = j->out->ne[0], first = chunk * 16, rows = j->out->ne[1] - first < 16 ? j->out->ne[1] - first : 16;
    float part[16][64];
    for (int64_t k = 0; k < n; k += 64) {
        const int64_t wide = n - k < 64 ? n - k : 64;
        for (int64_t c = 0; c < wide; c++) {
            const float *a = (const float *)((const char *)j->a->data + (size_t)(k + c) * j->a->nb[0]) + first;
            for (int64_t r = 0; r < rows; r++) part[r][c] = a[r];
        }
        for (int64_t r = 0; r < rows; r++) {
            char *out = (char *)j->out->data + (size_t)(first + r) * j->out->nb[1];
            for (int64_t c = 0; c < wide; c += 16) put(j->out, out, k + c, vsp_mask(wide - c), _mm512_loadu_ps(part[r] + c));
        }
    }
}

// unfold writes, for one moment, what a convolution sees of all channels, as halves.
VSP_TARGET static void unfold(void *arg, int64_t at, int thread) {
    (void)thread;
    const job *j = arg;
    const int32_t *p = j->out->op_params;
    const int64_t width = j->a->ne[0], channels = j->b->ne[1], length = j->b->ne[0], start = at * p[0] - p[2];
    char *out = (char *)j->out->data + (size_t)at * j->out->nb[1];
    float part[64];
    int64_t filled = 0, done = 0;
    for (int64_t c = 0; c < channels; c++) {
        const float *in = (const float *)((const char *)j->b->data + (size_t)c * j->b->nb[1]);
        for (int64_t k = 0; k < width; k++) {
            const int64_t t = start + k;
            part[filled++] = t >= 0 && t < length ? in[t] : 0;
            if (filled < 64 && (c + 1 < channels || k + 1 < width)) continue;
            for (int64_t f = 0; f < filled; f += 16) put(j->out, out, done + f, vsp_mask(filled - f), _mm512_loadu_ps(part + f));
            done += filled;
            filled = 0;
        }
    }
}

static bool is_row(const struct ggml_tensor *t) { return t->type == GGML_TYPE_F32 && t->nb[0] == sizeof(float); }

static bool is_turned(const struct ggml_tensor *from, const struct ggml_tensor *to) {
    return from->nb[1] == sizeof(float) && from->ne[2] == 1 && from->ne[3] == 1 && ggml_are_same_shape(from, to) &&
           to->nb[0] == ggml_type_size(to->type);
}

static bool takes_copy(const struct ggml_tensor *from, const struct ggml_tensor *to) {
    if (from->type != GGML_TYPE_F32 || (to->type != GGML_TYPE_F32 && to->type != GGML_TYPE_F16)) return false;
    return (is_row(from) && ggml_is_contiguous(to)) || is_turned(from, to);
}

bool vsp_takes_plain(const struct ggml_tensor *op) {
    const struct ggml_tensor *a = op->src[0], *b = op->src[1];
    float bias;
    switch (op->op) {
    case GGML_OP_ADD:
    case GGML_OP_MUL:
        return is_row(op) && is_row(a) && b->type == GGML_TYPE_F32 && (b->ne[0] == 1 || (b->ne[0] == op->ne[0] && is_row(b)));
    case GGML_OP_UNARY:
        return ggml_get_unary_op(op) == GGML_UNARY_OP_GELU && is_row(op) && is_row(a);
    case GGML_OP_SCALE:
    case GGML_OP_NORM:
        return is_row(op) && is_row(a);
    case GGML_OP_SOFT_MAX:
        memcpy(&bias, (const float *)op->op_params + 1, sizeof bias);
        return bias == 0 && !op->src[2] && is_row(op) && is_row(a) && (!b || is_row(b));
    case GGML_OP_CPY:
    case GGML_OP_CONT:
    case GGML_OP_DUP:
        return takes_copy(a, op);
    case GGML_OP_IM2COL: {
        const int32_t *p = op->op_params;
        return p[6] == 0 && p[4] == 1 && op->type == GGML_TYPE_F16 && is_row(b) && b->ne[2] == 1 && ggml_is_contiguous(op);
    }
    default:
        return false;
    }
}

// normed looks whether a norm is followed by its gain and shift, and returns how many nodes that are in all.
static int normed(struct ggml_cgraph *g, int i, job *j) {
    const enum ggml_op ops[] = {GGML_OP_NORM, GGML_OP_MUL, GGML_OP_ADD};
    if (!ggml_can_fuse(g, i, ops, 3)) return 1;
    struct ggml_tensor *times = g->nodes[i + 1], *plus = g->nodes[i + 2];
    if (times->src[0] != g->nodes[i] || plus->src[0] != times || !vsp_is_vector(times->src[1], times->ne[0]) ||
        !vsp_is_vector(plus->src[1], plus->ne[0]) || !is_row(plus) || !vsp_apart(plus, j->a)) {
        return 1;
    }
    j->gain = times->src[1]->data;
    j->shift = plus->src[1]->data;
    j->out = plus;
    return 3;
}

int vsp_plain(vsp_pool *p, struct ggml_cgraph *g, int i) {
    struct ggml_tensor *op = g->nodes[i];
    job j = {.out = op, .a = op->src[0], .b = op->src[1]};
    const int64_t rows = ggml_nrows(op);
    int done = 1;
    switch (op->op) {
    case GGML_OP_UNARY:
        vsp_each(p, rows, gelu, &j);
        break;
    case GGML_OP_SCALE:
        vsp_each(p, rows, scale, &j);
        break;
    case GGML_OP_NORM:
        j.b = op;
        done = normed(g, i, &j);
        vsp_each(p, rows, norm, &j);
        break;
    case GGML_OP_SOFT_MAX:
        vsp_each(p, rows, soft_max, &j);
        break;
    case GGML_OP_IM2COL:
        vsp_each(p, op->ne[1], unfold, &j);
        break;
    case GGML_OP_CPY:
    case GGML_OP_CONT:
    case GGML_OP_DUP:
        if (is_row(j.a) && ggml_is_contiguous(op)) {
            vsp_each(p, ggml_nrows(j.a), copy_row, &j);
        } else {
            vsp_each(p, (op->ne[1] + 15) / 16, turn, &j);
        }
        break;
    default:
        vsp_each(p, rows, add_or_mul, &j);
    }
    return done;
}
#endif
