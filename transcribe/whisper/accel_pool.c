// Memory and threads of the accelerator, and the way in for tests.
#include "accel.h"

#include "accel_int.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdlib.h>
#include <string.h>

void *vsp_reserve(vsp_work *w, size_t size) {
    if (size <= w->size) return w->data;
    free(w->data);
    w->size = (size + 4095) / 4096 * 4096;
    w->data = aligned_alloc(64, w->size);
    if (!w->data) w->size = 0;
    return w->data;
}

void vsp_each(vsp_pool *p, int64_t n, vsp_task task, void *arg) {
    const int threads = n < p->n_threads ? (int)n : p->n_threads;
    if (threads <= 1) {
        for (int64_t i = 0; i < n; i++) task(arg, i, 0);
        return;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int64_t i = 0; i < n; i++) task(arg, i, omp_get_thread_num());
#else
    for (int64_t i = 0; i < n; i++) task(arg, i, 0);
#endif
}

void vsp_empty(vsp_pool *p) {
    free(p->columns.data);
    free(p->panels.data);
    *p = (vsp_pool){0};
}

#if VSP_X86
int vsp_try_product(int kind, int threads, const void *weights, const float *columns, int64_t rows, int64_t k, int64_t n,
                    const float *bias, const float *residual, int gelu, float *out) {
    vsp_pool p = {.n_threads = threads};
    const size_t stride = kind == 2 ? (size_t)k * 2 : (size_t)(k / VSP_BLOCK * VSP_BLOCK_BYTES);
    const vsp_product x = {
        .weights = weights, .columns = columns, .out = out, .weight_stride = stride, .column_stride = (size_t)k * sizeof(float),
        .out_stride = (size_t)rows * sizeof(float), .rows = rows, .n = n, .k = k, .batch = 1,
        .finish = {.bias = bias, .residual = residual, .gelu = gelu},
    };
    if (!vsp_register_accel()) return 0;
    int ok = 0;
    if (kind == 1) {
        void *packed = malloc((size_t)rows * stride);
        vsp_product y = x;
        y.weights = packed;
        if (packed) memcpy(packed, weights, (size_t)rows * stride);
        ok = packed && vsp_pack_weights(packed, rows, k) && vsp_gemm_packed(&p, &y);
        free(packed);
    } else {
        ok = kind == 2 ? vsp_mul_f16(&p, &x) : vsp_gemm_q8(&p, &x);
    }
    vsp_empty(&p);
    return ok;
}

int vsp_try_attention(int threads, const float *q, int64_t n, const uint16_t *keys, const uint16_t *values, int64_t n_keys,
                      float scale, float *out) {
    vsp_pool p = {.n_threads = threads};
    const vsp_attention_args x = {
        .q = (const char *)q, .k = (const char *)keys, .v = (const char *)values, .out = (char *)out, .q_stride = 256, .k_stride = 128,
        .v_stride = 128, .out_stride = 256, .n = n, .keys = n_keys, .scale = scale,
    };
    if (!vsp_register_accel()) return 0;
    const int ok = vsp_attention(&p, &x);
    vsp_empty(&p);
    return ok;
}
#else
int vsp_try_product(int kind, int threads, const void *weights, const float *columns, int64_t rows, int64_t k, int64_t n,
                    const float *bias, const float *residual, int gelu, float *out) {
    return (void)kind, (void)threads, (void)weights, (void)columns, (void)rows, (void)k, (void)n, (void)bias, (void)residual, (void)gelu,
           (void)out, 0;
}

int vsp_try_attention(int threads, const float *q, int64_t n, const uint16_t *keys, const uint16_t *values, int64_t n_keys,
                      float scale, float *out) {
    return (void)threads, (void)q, (void)n, (void)keys, (void)values, (void)n_keys, (void)scale, (void)out, 0;
}
#endif
