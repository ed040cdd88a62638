#include "accel.h"

#include "accel_int.h"

#include <stdlib.h>
#include <string.h>

#if !VSP_X86
int vsp_register_accel(void) { return 0; }
#else

#include "accel_ggml.h"

typedef struct {
    vsp_pool pool;
    ggml_abort_callback abort;
    void *abort_data;
} context;

static enum ggml_status compute(ggml_backend_t backend, struct ggml_cgraph *g) {
    context *c = backend->context;
    c->pool.packed = NULL;
    for (int i = 0; i < g->n_nodes;) {
        if (c->abort && c->abort(c->abort_data)) return GGML_STATUS_ABORTED;
        const int done = vsp_node(&c->pool, g, i);
        if (done == 0) return GGML_STATUS_ALLOC_FAILED;
        i += done;
    }
    return GGML_STATUS_SUCCESS;
}

static bool supports_op(ggml_backend_dev_t dev, const struct ggml_tensor *op) { return (void)dev, vsp_takes(op); }

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
    vsp_empty(&c->pool);
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
