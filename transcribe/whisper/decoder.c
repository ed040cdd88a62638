#include "decoder.h"

#include "accel.h"
#include "accel_int.h"

#include <stdlib.h>
#include <string.h>

#if !VSP_X86
int vsp_decoder_takes(const vsp_net_parts *p) { return (void)p, 0; }
int vsp_decoder_pack(void *w, int64_t rows, int64_t k) { return (void)w, (void)rows, (void)k, 0; }
vsp_decoder *vsp_decoder_open(const vsp_net_parts *p, int n, int (*stop)(void *), void *user) { return (void)p, (void)n, (void)stop, (void)user, NULL; }
void vsp_decoder_close(vsp_decoder *d) { (void)d; }
int vsp_decoder_hear(vsp_decoder *d) { return (void)d, NET_FAILED; }
int vsp_decoder_forward(vsp_decoder *d, int n, const int32_t *t, const int32_t *p, const int32_t *s, const int8_t *w, const float **l) {
    return (void)d, (void)n, (void)t, (void)p, (void)s, (void)w, (void)l, NET_FAILED;
}
int vsp_decoder_score(vsp_decoder *d, int n, const int32_t *t, const int32_t *p, const int32_t *s, int a, const int32_t *b, const int32_t *c, float *o,
                      vsp_token *const *r, int x) {
    return (void)d, (void)n, (void)t, (void)p, (void)s, (void)a, (void)b, (void)c, (void)o, (void)r, (void)x, NET_FAILED;
}
int vsp_decoder_attend(vsp_decoder *d, int n, const int32_t *t, int f, const float **w, int *h, int *fr) {
    return (void)d, (void)n, (void)t, (void)f, (void)w, (void)h, (void)fr, NET_FAILED;
}
void vsp_decoder_forget(vsp_decoder *d) { (void)d; }
void vsp_decoder_copy(vsp_decoder *d, int32_t a, int32_t b, int32_t c) { (void)d, (void)a, (void)b, (void)c; }
void vsp_decoder_drop(vsp_decoder *d, int32_t s) { (void)d, (void)s; }
void vsp_decoder_trim(vsp_decoder *d, int32_t s, int n) { (void)d, (void)s, (void)n; }
#else
#include <math.h>

enum { MAX_CONTEXT = 448, CHUNK = 1024 }; // tokens of one sequence; words of the vocabulary that are scored at a time

// sequence is where the keys of its tokens lie, in order.
typedef struct {
    int n;
    int16_t cells[MAX_CONTEXT];
} sequence;

struct vsp_decoder {
    vsp_net_parts p;
    vsp_pool pool;
    int (*stop)(void *);
    void *user;
    int64_t panels;  // of cells, for one head
    int64_t audio;   // panels of the audio, for one head
    uint32_t *keys, *values; // [layer][head][panel]
    uint16_t *users; // sequences that hold a cell
    int used;        // cells from here on are free
    sequence seqs[DEC_SEQUENCES];
    float *x, *h, *q, *k, *v, *a, *wide; // [token][…]
    float *mask, *part, *weights;
    vsp_work logits;
};

static int is_square(const vsp_net_matrix *m, int rows, int k) { return m->data && m->rows == rows && m->k == k; }

int vsp_decoder_takes(const vsp_net_parts *p) {
    const int s = p->state;
    if (!vsp_register_accel() || s % VSP_HEAD || p->heads * VSP_HEAD != s || p->text_context > MAX_CONTEXT) return 0;
    if (p->padded % VSP_LANES || !p->embedding.data || p->embedding.k != s) return 0;
    for (int i = 0; i < p->layers; i++) {
        const vsp_net_layer *l = &p->layer[i];
        if (!is_square(&l->q, s, s) || !is_square(&l->k, s, s) || !is_square(&l->v, s, s) || !is_square(&l->out, s, s) ||
            !is_square(&l->cross_q, s, s) || !is_square(&l->cross_out, s, s) || !is_square(&l->up, 4 * s, s) || !is_square(&l->down, s, 4 * s)) {
            return 0;
        }
    }
    return 1;
}

int vsp_decoder_pack(void *weights, int64_t rows, int64_t k) { return vsp_pack_weights(weights, rows, k); }

static float *floats(size_t n) { return aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64); }

vsp_decoder *vsp_decoder_open(const vsp_net_parts *parts, int n_threads, int (*stop)(void *), void *user) {
    vsp_decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->p = *parts;
    d->pool.n_threads = n_threads;
    d->stop = stop;
    d->user = user;
    d->panels = parts->cells / VSP_LANES;
    d->audio = parts->padded / VSP_LANES;
    const size_t s = (size_t)parts->state, words = (size_t)(parts->layers * parts->heads * d->panels) * VSP_PANEL;
    // Pages of these that are never written take no memory.
    d->keys = calloc(words, sizeof *d->keys);
    d->values = calloc(words, sizeof *d->values);
    d->users = calloc((size_t)parts->cells, sizeof *d->users);
    d->x = floats(NET_BATCH * s);
    d->h = floats(NET_BATCH * s);
    d->q = floats(NET_BATCH * s);
    d->k = floats(NET_BATCH * s);
    d->v = floats(NET_BATCH * s);
    d->a = floats(NET_BATCH * s);
    d->wide = floats(NET_BATCH * 4 * s);
    d->mask = floats((size_t)(NET_BATCH * parts->cells));
    d->part = floats(NET_BATCH * CHUNK);
    if (!d->keys || !d->values || !d->users || !d->x || !d->h || !d->q || !d->k || !d->v || !d->a || !d->wide || !d->mask || !d->part) {
        vsp_decoder_close(d);
        return NULL;
    }
    return d;
}

void vsp_decoder_close(vsp_decoder *d) {
    if (!d) return;
    void *all[] = {d->keys, d->values, d->users, d->x, d->h, d->q, d->k, d->v, d->a, d->wide, d->mask, d->part, d->weights, d->logits.data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    vsp_empty(&d->pool);
    free(d);
}

// hear packs the library's halves, [layer][frame][state], in place: a layer takes as much room either way.
int vsp_decoder_hear(vsp_decoder *d) {
    const vsp_net_parts *p = &d->p;
    const size_t row = (size_t)p->state * 2, layer = (size_t)p->padded * row;
    vsp_decoder_forget(d);
    char *k = malloc(layer), *v = malloc(layer);
    for (int l = 0; l < p->layers && k && v; l++) {
        char *keys = (char *)p->cross_keys + (size_t)l * layer, *values = (char *)p->cross_values + (size_t)l * layer;
        memcpy(k, keys, layer);
        memcpy(v, values, layer);
        for (int64_t i = 0; i < p->heads * d->audio; i++) {
            const int64_t head = i / d->audio, first = i % d->audio * VSP_LANES, left = p->audio_context - first;
            const size_t at = (size_t)first * row + (size_t)head * VSP_HEAD * 2;
            vsp_pack_keys(k + at, row, v + at, row, left < 0 ? 0 : left < VSP_LANES ? left : VSP_LANES, (uint32_t *)keys + i * VSP_PANEL,
                          (uint32_t *)values + i * VSP_PANEL);
        }
    }
    const int ok = k && v;
    free(k);
    free(v);
    return ok ? NET_OK : NET_FAILED;
}

static void release(vsp_decoder *d, int16_t cell) {
    if (--d->users[cell] > 0) return;
    while (d->used > 0 && d->users[d->used - 1] == 0) d->used--;
}

void vsp_decoder_trim(vsp_decoder *d, int32_t seq, int n) {
    sequence *s = &d->seqs[seq];
    while (s->n > n) release(d, s->cells[--s->n]);
}

void vsp_decoder_drop(vsp_decoder *d, int32_t seq) { vsp_decoder_trim(d, seq, 0); }

void vsp_decoder_forget(vsp_decoder *d) {
    for (int i = 0; i < DEC_SEQUENCES; i++) d->seqs[i].n = 0;
    memset(d->users, 0, (size_t)d->p.cells * sizeof *d->users);
    d->used = 0;
}

void vsp_decoder_copy(vsp_decoder *d, int32_t from, int32_t to, int32_t pos) {
    const sequence *s = &d->seqs[from];
    sequence *t = &d->seqs[to];
    if (from == to) return;
    vsp_decoder_drop(d, to);
    t->n = pos < 0 || pos > s->n ? s->n : pos;
    memcpy(t->cells, s->cells, (size_t)t->n * sizeof *t->cells);
    for (int i = 0; i < t->n; i++) d->users[t->cells[i]]++;
}

// place gives each token a cell at the end of its sequence, the lowest that is free, and lets it see the cells before it.
static int place(vsp_decoder *d, int n, const int32_t *pos, const int32_t *seq, int *cells) {
    int free_from = 0;
    for (int i = 0; i < n; i++) {
        sequence *s = &d->seqs[seq[i]];
        while (free_from < d->p.cells && d->users[free_from]) free_from++;
        if (free_from == d->p.cells || s->n >= d->p.text_context || pos[i] != s->n) {
            const int rc = pos[i] == s->n ? NET_FULL : NET_FAILED;
            while (--i >= 0) release(d, d->seqs[seq[i]].cells[--d->seqs[seq[i]].n]);
            return rc;
        }
        cells[i] = free_from;
        d->users[free_from] = 1;
        s->cells[s->n++] = (int16_t)free_from;
        if (free_from >= d->used) d->used = free_from + 1;
    }
    for (int i = 0; i < n; i++) {
        float *row = d->mask + (size_t)i * (size_t)d->used;
        for (int c = 0; c < d->used; c++) row[c] = -INFINITY;
        for (int c = 0; c <= pos[i]; c++) row[d->seqs[seq[i]].cells[c]] = 0;
    }
    return NET_OK;
}

// linear is out = gelu?(w · in + bias) + residual. in stays quantised until it changes; see changed.
static int linear(vsp_decoder *d, const vsp_net_matrix *w, const float *bias, const float *in, int n, float *out, const float *residual, int gelu) {
    const vsp_product x = {
        .weights = w->data, .weight_stride = (size_t)(w->k / VSP_BLOCK * VSP_BLOCK_BYTES), .columns = in, .out = out,
        .out_stride = (size_t)w->rows * sizeof(float), .rows = w->rows, .n = n, .k = w->k, .batch = 1,
        .finish = {.bias = bias, .residual = residual, .gelu = gelu},
    };
    d->pool.key = in;
    return vsp_gemm_packed(&d->pool, &x);
}

static void changed(vsp_decoder *d) { d->pool.packed = NULL; }

VSP_TARGET static void norm(vsp_decoder *d, const vsp_net_norm *w, const float *in, int n, float *out) {
    const int64_t s = d->p.state;
    for (int64_t i = 0; i < n; i++) vsp_norm(in + i * s, s, d->p.eps, w->gain, w->shift, out + i * s);
    changed(d);
}

// layer runs one layer over the batch; save is where the weights of the audio's heads go, NULL: nowhere.
static int layer(vsp_decoder *d, int l, int n, const int *cells, float *const *save) {
    const vsp_net_parts *p = &d->p;
    const vsp_net_layer *w = &p->layer[l];
    const int64_t s = p->state, self = (int64_t)l * p->heads * d->panels * VSP_PANEL, cross = (int64_t)l * p->heads * d->audio * VSP_PANEL;
    norm(d, &w->before_self, d->x, n, d->h);
    int ok = linear(d, &w->q, w->q_bias, d->h, n, d->q, NULL, 0) && linear(d, &w->k, NULL, d->h, n, d->k, NULL, 0) &&
             linear(d, &w->v, w->v_bias, d->h, n, d->v, NULL, 0);
    for (int i = 0; i < n; i++) {
        for (int64_t h = 0; h < p->heads; h++) {
            const int64_t from = i * s + h * VSP_HEAD, to = self + h * d->panels * VSP_PANEL;
            vsp_put_key(d->k + from, d->v + from, cells[i], d->keys + to, d->values + to);
        }
    }
    vsp_attend_args a = {.q = d->q, .out = d->a, .width = s, .out_width = s, .keys = d->keys + self, .values = d->values + self,
                         .next = d->panels * VSP_PANEL, .heads = p->heads, .n = n, .n_keys = d->used, .scale = 1.0f / sqrtf((float)VSP_HEAD),
                         .mask = d->mask, .mask_stride = d->used};
    ok = ok && vsp_attend(&d->pool, &a) && linear(d, &w->out, w->out_bias, d->a, n, d->x, d->x, 0);
    norm(d, &w->before_cross, d->x, n, d->h);
    ok = ok && linear(d, &w->cross_q, w->cross_q_bias, d->h, n, d->q, NULL, 0);
    // The library scaled the keys by the other half of this.
    a = (vsp_attend_args){.q = d->q, .out = d->a, .width = s, .out_width = s, .keys = (uint32_t *)p->cross_keys + cross,
                          .values = (uint32_t *)p->cross_values + cross, .next = d->audio * VSP_PANEL, .heads = p->heads, .n = n,
                          .n_keys = p->audio_context, .scale = powf((float)VSP_HEAD, -0.25f), .save = save};
    ok = ok && vsp_attend(&d->pool, &a) && linear(d, &w->cross_out, w->cross_out_bias, d->a, n, d->x, d->x, 0);
    norm(d, &w->before_mlp, d->x, n, d->h);
    return ok && linear(d, &w->up, w->up_bias, d->h, n, d->wide, NULL, 1) && (changed(d), linear(d, &w->down, w->down_bias, d->wide, n, d->x, d->x, 0));
}

// run takes the batch through all layers. saves holds the heads' places for each layer.
VSP_TARGET static int run(vsp_decoder *d, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, float *const *const *saves) {
    const vsp_net_parts *p = &d->p;
    const int64_t s = p->state;
    int cells[NET_BATCH];
    if (n <= 0 || n > NET_BATCH) return NET_FAILED;
    for (int i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= p->embedding.rows || seq[i] < 0 || seq[i] >= DEC_SEQUENCES) return NET_FAILED;
    }
    if (d->stop && d->stop(d->user)) return NET_STOPPED;
    const int rc = place(d, n, pos, seq, cells);
    if (rc != NET_OK) return rc;
    for (int64_t i = 0; i < n; i++) {
        vsp_unpack_row(p->embedding.data, p->embedding.rows, s, tokens[i], d->x + i * s);
        for (int64_t k = 0; k < s; k++) d->x[i * s + k] += p->positions[pos[i] * s + k];
    }
    for (int l = 0; l < p->layers; l++) {
        if (d->stop && d->stop(d->user)) return NET_STOPPED;
        if (!layer(d, l, n, cells, saves ? saves[l] : NULL)) return NET_FAILED;
    }
    return NET_OK;
}

// last gathers the batch's tokens at[0 … n) behind each other, normed, in h.
static void last(vsp_decoder *d, const int *at, int n) {
    const size_t s = (size_t)d->p.state;
    for (int i = 0; i < n; i++) {
        if (at[i] != i) memcpy(d->x + (size_t)i * s, d->x + (size_t)at[i] * s, s * sizeof *d->x);
    }
    norm(d, &d->p.last, d->x, n, d->h);
}

int vsp_decoder_forward(vsp_decoder *d, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                        const float **logits) {
    int at[NET_BATCH], wanted = 0;
    const int rc = run(d, n, tokens, pos, seq, NULL);
    if (rc != NET_OK) return rc;
    for (int i = 0; i < n; i++) {
        if (want[i]) at[wanted++] = i;
    }
    if (wanted == 0) return NET_OK;
    last(d, at, wanted);
    float *out = vsp_reserve(&d->logits, (size_t)wanted * (size_t)d->p.embedding.rows * sizeof *out);
    if (!out || !linear(d, &d->p.embedding, NULL, d->h, wanted, out, NULL, 0)) return NET_FAILED;
    *logits = out;
    return NET_OK;
}

// total is log Σ exp, built up part by part.
typedef struct {
    float top;
    double sum;
} total;

VSP_TARGET static void add_part(total *t, const float *x, int64_t n) {
    __m512 top = _mm512_set1_ps(t->top), sum = _mm512_setzero_ps();
    for (int64_t i = 0; i < n; i += 16) top = _mm512_mask_max_ps(top, vsp_mask(n - i), top, _mm512_maskz_loadu_ps(vsp_mask(n - i), x + i));
    const float most = _mm512_reduce_max_ps(top);
    top = _mm512_set1_ps(most);
    for (int64_t i = 0; i < n; i += 16) {
        const __mmask16 m = vsp_mask(n - i);
        sum = _mm512_mask_add_ps(sum, m, sum, vsp_exp(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), top)));
    }
    t->sum = t->sum * exp((double)(t->top - most)) + (double)_mm512_reduce_add_ps(sum);
    t->top = most;
}

// add_rivals takes those of n tokens from first on that belong into a list; not is left out.
VSP_TARGET static void add_rivals(vsp_token *list, const float *x, int first, int n, int32_t not) {
    for (int i = 0; i < n; i += 16) {
        __mmask16 more = _mm512_mask_cmp_ps_mask(vsp_mask(n - i), _mm512_maskz_loadu_ps(vsp_mask(n - i), x + i),
                                                 _mm512_set1_ps(list[VSP_RIVALS - 1].logp), _CMP_GT_OQ);
        for (; more; more &= (__mmask16)(more - 1)) {
            const int k = i + __builtin_ctz(more);
            if (first + k != not && x[k] > list[VSP_RIVALS - 1].logp) vsp_add_rival(list, first + k, x[k]);
        }
    }
}

int vsp_decoder_score(vsp_decoder *d, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, int n_asks,
                      const int32_t *ask_at, const int32_t *ask_token, float *out, vsp_token *const *rivals, int n_text) {
    int at[NET_BATCH], row[NET_BATCH], rows = 0;
    total totals[NET_BATCH];
    const int rc = run(d, n, tokens, pos, seq, NULL);
    if (rc != NET_OK) return rc;
    for (int i = 0; i < n; i++) row[i] = -1;
    for (int i = 0; i < n_asks; i++) row[ask_at[i]] = 0;
    for (int i = 0; i < n; i++) {
        if (row[i] < 0) continue;
        row[i] = rows;
        totals[rows] = (total){-3.0e38f, 0};
        at[rows++] = i;
    }
    if (rows == 0) return NET_OK;
    last(d, at, rows);
    const vsp_net_matrix *e = &d->p.embedding;
    for (int first = 0; first < e->rows; first += CHUNK) {
        const int words = e->rows - first < CHUNK ? e->rows - first : CHUNK;
        const vsp_net_matrix some = {(uint8_t *)e->data + (size_t)first * (size_t)(e->k / VSP_BLOCK * VSP_BLOCK_BYTES), words, e->k};
        if (!linear(d, &some, NULL, d->h, rows, d->part, NULL, 0)) return NET_FAILED;
        for (int r = 0; r < rows; r++) add_part(&totals[r], d->part + (size_t)r * (size_t)words, words);
        for (int i = 0; i < n_asks; i++) {
            if (first == 0 && rivals[i]) vsp_no_rivals(rivals[i]);
            if (rivals[i] && first < n_text) {
                const int text = n_text - first < words ? n_text - first : words;
                add_rivals(rivals[i], d->part + (size_t)row[ask_at[i]] * (size_t)words, first, text, ask_token[i]);
            }
            const int word = ask_token[i] - first;
            if (word >= 0 && word < words) out[i] = d->part[(size_t)row[ask_at[i]] * (size_t)words + (size_t)word];
        }
    }
    for (int i = 0; i < n_asks; i++) {
        const total *t = &totals[row[ask_at[i]]];
        const float all = t->top + (float)log(t->sum);
        out[i] -= all;
        for (int k = 0; k < VSP_RIVALS && rivals[i]; k++) rivals[i][k].logp -= all;
    }
    return NET_OK;
}

int vsp_decoder_attend(vsp_decoder *d, int n, const int32_t *tokens, int first, const float **weights, int *heads, int *frames) {
    const vsp_net_parts *p = &d->p;
    int32_t pos[NET_BATCH], seq[NET_BATCH] = {0};
    if (n <= 0 || n > NET_BATCH || p->n_align == 0) return NET_FAILED;
    const size_t each = (size_t)p->audio_context * (size_t)n;
    float **places = calloc((size_t)(p->layers * p->heads), sizeof *places), *const **saves = calloc((size_t)p->layers, sizeof *saves);
    free(d->weights);
    d->weights = floats((size_t)p->n_align * each);
    int rc = NET_FAILED;
    if (places && saves && d->weights) {
        for (int i = 0; i < p->n_align; i++) places[p->align[i][0] * p->heads + p->align[i][1]] = d->weights + (size_t)i * each;
        for (int l = 0; l < p->layers; l++) saves[l] = places + l * p->heads;
        for (int i = 0; i < n; i++) pos[i] = first + i;
        rc = run(d, n, tokens, pos, seq, saves);
    }
    free(places);
    free(saves);
    *weights = d->weights;
    *heads = p->n_align;
    *frames = p->audio_context;
    return rc;
}
#endif
