// ggml's internal headers, and what the accelerator's files offer each other about nodes of a graph.
#ifndef VESPER_ACCEL_GGML_H
#define VESPER_ACCEL_GGML_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <ggml-backend-impl.h>
#include <ggml-impl.h>
#pragma GCC diagnostic pop

#include "accel_int.h"

// vsp_takes tells whether the accelerator computes a node. vsp_node computes node i of a graph and those after it that it
// could join; it returns how many it did, 0 when there was no memory.
bool vsp_takes(const struct ggml_tensor *op);
int vsp_node(vsp_pool *p, struct ggml_cgraph *g, int i);

// The same for what is neither product nor attention: sums, norms, copies.
bool vsp_takes_plain(const struct ggml_tensor *op);
int vsp_plain(vsp_pool *p, struct ggml_cgraph *g, int i);

// vsp_apart tells whether writing one tensor leaves the other as it is.
static inline bool vsp_apart(const struct ggml_tensor *a, const struct ggml_tensor *b) {
    const char *x = a->data, *y = b->data;
    return x + ggml_nbytes(a) <= y || y + ggml_nbytes(b) <= x;
}

// vsp_is_vector tells whether a tensor is one dense row of n floats.
static inline bool vsp_is_vector(const struct ggml_tensor *t, int64_t n) {
    return t->type == GGML_TYPE_F32 && t->ne[0] == n && ggml_nelements(t) == n && t->nb[0] == sizeof(float);
}
#endif
