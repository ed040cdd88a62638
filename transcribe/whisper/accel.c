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

#if !VSP_X86
int vsp_register_accel(void) { return 0; }
#else

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <ggml-backend-impl.h>
#include <ggml-impl.h>
#pragma GCC diagnostic pop

typedef struct {
    vsp_pool pool;
    ggml_abort_callback abort;
    void *abort_data;
} context;

static bool is_dense(const struct ggml_tensor *t, size_t element) {
    return t->nb[0] == element && ggml_is_contiguous(t);
}

static bool takes_product(const struct ggml_tensor *op) {
    const struct ggml_tensor *a = op->src[0], *b = op->src[1];
    if (op->type != GGML_TYPE_F32 || !ggml_is_contiguous(op) || a->ne[3] != 1 || b->ne[3] != 1) return false;
    if (a->type == GGML_TYPE_Q8_0) {
        return a->ne[2] == 1 && a->nb[0] == VSP_BLOCK_BYTES && b->type == GGML_TYPE_F32 && is_dense(b, sizeof(float));
    }
    if (a->type != GGML_TYPE_F16 || a->nb[0] != sizeof(ggml_fp16_t) || op->ne[0] < 64 || a->ne[2] != b->ne[2]) {
        return false;
    }
    return (b->type == GGML_TYPE_F32 && b->nb[0] == sizeof(float)) ||
           (b->type == GGML_TYPE_F16 && b->nb[0] == sizeof(ggml_fp16_t) && b->ne[2] == 1 && op->ne[0] >= 256);
}

static bool product(context *c, const struct ggml_tensor *op, struct ggml_tensor *last, vsp_finish finish) {
    const struct ggml_tensor *a = op->src[0], *b = op->src[1];
    vsp_product x = {
        .weights = a->data, .weight_stride = a->nb[1], .weight_next = a->nb[2],
        .columns = b->data, .column_stride = b->nb[1], .column_next = b->nb[2],
        .out = last->data, .out_stride = last->nb[1], .out_next = last->nb[2],
        .rows = a->ne[1], .k = a->ne[0], .n = b->ne[1], .batch = b->ne[2], .half_columns = b->type == GGML_TYPE_F16, .finish = finish,
    };
    if (a->type == GGML_TYPE_F16) return vsp_mul_f16(&c->pool, &x);
    x.n = ggml_nrows(b);
    c->pool.key = b;
    return x.n <= VSP_FEW ? vsp_rows_q8(&c->pool, &x) : vsp_gemm_q8(&c->pool, &x);
}

static bool takes_attention(const struct ggml_tensor *op) {
    const struct ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
    float rest[2];
    memcpy(rest, (const float *)op->op_params + 1, sizeof rest);
    return !op->src[3] && !op->src[4] && rest[0] == 0 && rest[1] == 0 && q->ne[0] == 64 && v->ne[0] == 64 && q->ne[1] >= 32 &&
           q->ne[3] == 1 && k->ne[3] == 1 && k->ne[2] == q->ne[2] && v->ne[2] == q->ne[2] && q->type == GGML_TYPE_F32 &&
           k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && q->nb[0] == 4 && k->nb[0] == 2 && v->nb[0] == 2;
}

static bool attention(context *c, struct ggml_tensor *op) {
    bool ok = true;
    const struct ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
    for (int64_t h = 0; h < q->ne[2] && ok; h++) {
        vsp_attention_args x = {.q = (char *)q->data + h * q->nb[2], .k = (char *)k->data + h * k->nb[2],
                                .v = (char *)v->data + h * v->nb[2], .out = (char *)op->data + h * op->nb[1],
                                .q_stride = q->nb[1], .k_stride = k->nb[1], .v_stride = v->nb[1], .out_stride = op->nb[2],
                                .n = q->ne[1], .keys = k->ne[1]};
        memcpy(&x.scale, op->op_params, sizeof x.scale);
        ok = vsp_attention(&c->pool, &x);
    }
    return ok;
}

// join looks whether the nodes after a product only finish it, and returns how many of them were taken in.
static int join(struct ggml_cgraph *g, int i, vsp_finish *f, struct ggml_tensor **last) {
    const enum ggml_op add[] = {GGML_OP_MUL_MAT, GGML_OP_ADD}, again[] = {GGML_OP_ADD, GGML_OP_ADD}, gelu[] = {GGML_OP_ADD, GGML_OP_UNARY};
    *last = g->nodes[i];
    if (!ggml_can_fuse(g, i, add, 2)) return 0;
    struct ggml_tensor *bias = g->nodes[i + 1], *b = bias->src[1];
    if (bias->src[0] != g->nodes[i] || b->type != GGML_TYPE_F32 || ggml_nelements(b) != bias->ne[0] || !ggml_is_contiguous(b) ||
        !ggml_is_contiguous(bias)) {
        return 0;
    }
    f->bias = b->data;
    *last = bias;
    struct ggml_tensor *next = i + 2 < g->n_nodes ? g->nodes[i + 2] : NULL;
    if (ggml_can_fuse(g, i + 1, gelu, 2) && ggml_get_unary_op(next) == GGML_UNARY_OP_GELU && ggml_is_contiguous(next)) {
        f->gelu = 1;
        *last = next;
        return 2;
    }
    if (ggml_can_fuse(g, i + 1, again, 2) && ggml_is_contiguous(next)) {
        const struct ggml_tensor *r = next->src[next->src[0] == bias];
        if (r != bias && r->type == GGML_TYPE_F32 && ggml_are_same_shape(r, next) && ggml_is_contiguous(r)) {
            f->residual = r->data;
            *last = next;
            return 2;
        }
    }
    return 1;
}

static enum ggml_status compute(ggml_backend_t backend, struct ggml_cgraph *g) {
    context *c = backend->context;
    c->pool.packed = NULL;
    for (int i = 0; i < g->n_nodes; i++) {
        struct ggml_tensor *op = g->nodes[i], *last;
        bool ok = true;
        vsp_finish finish = {0};
        if (!(op->flags & GGML_TENSOR_FLAG_COMPUTE) || ggml_is_empty(op)) continue;
        if (c->abort && c->abort(c->abort_data)) return GGML_STATUS_ABORTED;
        switch (op->op) {
        case GGML_OP_MUL_MAT:
            i += join(g, i, &finish, &last);
            ok = product(c, op, last, finish);
            break;
        case GGML_OP_FLASH_ATTN_EXT:
            ok = attention(c, op);
            break;
        default:
            break; // views
        }
        if (!ok) return GGML_STATUS_ALLOC_FAILED;
    }
    return GGML_STATUS_SUCCESS;
}

static bool supports_op(ggml_backend_dev_t dev, const struct ggml_tensor *op) {
    (void)dev;
    switch (op->op) {
    case GGML_OP_NONE:
    case GGML_OP_RESHAPE:
    case GGML_OP_VIEW:
    case GGML_OP_PERMUTE:
    case GGML_OP_TRANSPOSE:
        return true;
    case GGML_OP_MUL_MAT:
        return takes_product(op);
    case GGML_OP_FLASH_ATTN_EXT:
        return takes_attention(op);
    default:
        return false;
    }
}

static const char *name(ggml_backend_t b) { return (void)b, "VESPER"; }
static const char *device_name(ggml_backend_dev_t d) { return (void)d, "VESPER"; }
static const char *device_text(ggml_backend_dev_t d) { return (void)d, "AVX-512 VNNI and BF16 kernels"; }
static const char *reg_name(ggml_backend_reg_t r) { return (void)r, "VESPER"; }
static enum ggml_backend_dev_type device_type(ggml_backend_dev_t d) { return (void)d, GGML_BACKEND_DEVICE_TYPE_ACCEL; }
static ggml_backend_buffer_type_t buffer_type(ggml_backend_dev_t d) { return (void)d, ggml_backend_cpu_buffer_type(); }
static bool supports_buffer(ggml_backend_dev_t d, ggml_backend_buffer_type_t t) { return (void)d, ggml_backend_buft_is_host(t); }
static size_t device_count(ggml_backend_reg_t r) { return (void)r, 1; }

static void memory(ggml_backend_dev_t d, size_t *available, size_t *total) {
    (void)d;
    *available = *total = 0; // none of its own
}

static void properties(ggml_backend_dev_t d, struct ggml_backend_dev_props *p) {
    memset(p, 0, sizeof *p);
    p->name = device_name(d);
    p->description = device_text(d);
    p->type = device_type(d);
    p->caps.buffer_from_host_ptr = true;
}

static void destroy(ggml_backend_t b) {
    context *c = b->context;
    free(c->pool.columns.data);
    free(c->pool.panels.data);
    free(c);
    free(b);
}

static ggml_backend_t create(ggml_backend_dev_t dev, const char *params) {
    (void)params;
    static ggml_guid id = {0x76, 0x65, 0x73, 0x70, 0x65, 0x72, 0x2d, 0x6b, 0x65, 0x72, 0x6e, 0x65, 0x6c, 0x73, 0x2d, 0x31};
    static const struct ggml_backend_i interface = {.get_name = name, .free = destroy, .graph_compute = compute};
    ggml_backend_t b = calloc(1, sizeof *b);
    context *c = calloc(1, sizeof *c);
    if (!b || !c) {
        free(b);
        free(c);
        return NULL;
    }
    c->pool.n_threads = 1;
    b->guid = &id;
    b->iface = interface;
    b->device = dev;
    b->context = c;
    return b;
}

static ggml_backend_dev_t device(ggml_backend_reg_t reg, size_t index) {
    (void)index;
    static struct ggml_backend_device only = {
        .iface = {.get_name = device_name, .get_description = device_text, .get_memory = memory, .get_type = device_type,
                  .get_props = properties, .init_backend = create, .get_buffer_type = buffer_type,
                  .supports_op = supports_op, .supports_buft = supports_buffer},
    };
    only.reg = reg;
    return &only;
}

static void set_threads(ggml_backend_t b, int n) { ((context *)b->context)->pool.n_threads = n > 0 ? n : 1; }

static void set_abort(ggml_backend_t b, ggml_abort_callback abort, void *data) {
    context *c = b->context;
    c->abort = abort;
    c->abort_data = data;
}

static void *address(ggml_backend_reg_t r, const char *name) {
    (void)r;
    if (strcmp(name, "ggml_backend_set_n_threads") == 0) return (void *)set_threads;
    if (strcmp(name, "ggml_backend_set_abort_callback") == 0) return (void *)set_abort;
    return NULL;
}

static int is_able(void) {
    const char *set = getenv("VESPER_ENGINE_KERNELS");
    if (set && strcmp(set, "off") == 0) return 0;
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

int vsp_register_accel(void) {
    static struct ggml_backend_reg reg = {
        .api_version = GGML_BACKEND_API_VERSION,
        .iface = {.get_name = reg_name, .get_device_count = device_count, .get_device = device, .get_proc_address = address},
    };
    if (!is_able()) return 0;
    if (!ggml_backend_reg_by_name("VESPER")) ggml_backend_register(&reg);
    return 1;
}
#endif
