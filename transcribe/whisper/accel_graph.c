#include "accel_ggml.h"

#if VSP_X86
#include <string.h>

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

static bool product(vsp_pool *p, const struct ggml_tensor *op, struct ggml_tensor *last, vsp_finish finish) {
    const struct ggml_tensor *a = op->src[0], *b = op->src[1];
    vsp_product x = {
        .weights = a->data, .weight_stride = a->nb[1], .weight_next = a->nb[2],
        .columns = b->data, .column_stride = b->nb[1], .column_next = b->nb[2],
        .out = last->data, .out_stride = last->nb[1], .out_next = last->nb[2],
        .rows = a->ne[1], .k = a->ne[0], .n = b->ne[1], .batch = b->ne[2], .half_columns = b->type == GGML_TYPE_F16, .finish = finish,
    };
    if (a->type == GGML_TYPE_F16) return vsp_mul_f16(p, &x);
    x.n = ggml_nrows(b);
    p->key = b;
    return vsp_gemm_q8(p, &x);
}

static bool takes_attention(const struct ggml_tensor *op) {
    const struct ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
    float rest[2];
    memcpy(rest, (const float *)op->op_params + 1, sizeof rest);
    return !op->src[3] && !op->src[4] && rest[0] == 0 && rest[1] == 0 && q->ne[0] == 64 && v->ne[0] == 64 && q->ne[1] >= 32 &&
           q->ne[3] == 1 && k->ne[3] == 1 && k->ne[2] == q->ne[2] && v->ne[2] == q->ne[2] && q->type == GGML_TYPE_F32 &&
           k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && q->nb[0] == 4 && k->nb[0] == 2 && v->nb[0] == 2;
}

static bool attention(vsp_pool *p, struct ggml_tensor *op) {
    bool ok = true;
    const struct ggml_tensor *q = op->src[0], *k = op->src[1], *v = op->src[2];
    for (int64_t h = 0; h < q->ne[2] && ok; h++) {
        vsp_attention_args x = {.q = (char *)q->data + h * q->nb[2], .k = (char *)k->data + h * k->nb[2],
                                .v = (char *)v->data + h * v->nb[2], .out = (char *)op->data + h * op->nb[1],
                                .q_stride = q->nb[1], .k_stride = k->nb[1], .v_stride = v->nb[1], .out_stride = op->nb[2],
                                .n = q->ne[1], .keys = k->ne[1]};
        memcpy(&x.scale, op->op_params, sizeof x.scale);
        ok = vsp_attention(p, &x);
    }
    return ok;
}

// join looks whether the nodes after a product only finish it, and returns how many of them were taken in.
static int join(struct ggml_cgraph *g, int i, vsp_finish *f, struct ggml_tensor **last) {
    const enum ggml_op add[] = {GGML_OP_MUL_MAT, GGML_OP_ADD}, again[] = {GGML_OP_ADD, GGML_OP_ADD}, gelu[] = {GGML_OP_ADD, GGML_OP_UNARY};
    *last = g->nodes[i];
    if (!ggml_can_fuse(g, i, add, 2)) return 0;
    struct ggml_tensor *bias = g->nodes[i + 1], *b = bias->src[1];
    if (bias->src[0] != g->nodes[i] || !vsp_is_vector(b, bias->ne[0]) || !ggml_is_contiguous(bias)) return 0;
    f->bias = b->data;
    if (!vsp_apart(bias, g->nodes[i]->src[1])) return 0;
    *last = bias;
    struct ggml_tensor *next = i + 2 < g->n_nodes ? g->nodes[i + 2] : NULL;
    if (ggml_can_fuse(g, i + 1, gelu, 2) && ggml_get_unary_op(next) == GGML_UNARY_OP_GELU && ggml_is_contiguous(next) &&
        vsp_apart(next, g->nodes[i]->src[1])) {
        f->gelu = 1;
        *last = next;
        return 2;
    }
    if (ggml_can_fuse(g, i + 1, again, 2) && ggml_is_contiguous(next) && vsp_apart(next, g->nodes[i]->src[1])) {
        const struct ggml_tensor *r = next->src[next->src[0] == bias];
        if (r != bias && r->type == GGML_TYPE_F32 && ggml_are_same_shape(r, next) && ggml_is_contiguous(r) &&
            (r->data == next->data || vsp_apart(r, next))) {
            f->residual = r->data;
            *last = next;
            return 2;
        }
    }
    return 1;
}

bool vsp_takes(const struct ggml_tensor *op) {
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
        return vsp_takes_plain(op);
    }
}

int vsp_node(vsp_pool *p, struct ggml_cgraph *g, int i) {
    struct ggml_tensor *op = g->nodes[i], *last;
    vsp_finish finish = {0};
    if (!(op->flags & GGML_TENSOR_FLAG_COMPUTE) || ggml_is_empty(op)) return 1;
    switch (op->op) {
    case GGML_OP_NONE:
    case GGML_OP_RESHAPE:
    case GGML_OP_VIEW:
    case GGML_OP_PERMUTE:
    case GGML_OP_TRANSPOSE:
        return 1;
    case GGML_OP_MUL_MAT: {
        const int joined = join(g, i, &finish, &last);
        return product(p, op, last, finish) ? 1 + joined : 0;
    }
    case GGML_OP_FLASH_ATTN_EXT:
        return attention(p, op);
    default:
        return vsp_plain(p, g, i);
    }
}
#endif
