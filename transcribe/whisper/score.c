// Teacher forcing: how likely the model finds a text that somebody else proposes.
#include "engine.h"

#include <stdlib.h>
#include <string.h>

static int valid(const vsp_engine *e, const int32_t *tokens, int n) {
    for (int i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] > e->facts.eot) return 0;
    }
    return 1;
}

// batch is what is fed at once: tokens, and what is asked behind them.
typedef struct {
    int32_t tokens[NET_BATCH], pos[NET_BATCH], seq[NET_BATCH];
    int n;
    int32_t *ask_at, *ask_token; // room for all asks
    int *slot;                   // where the score of each goes
    float *score;
    vsp_token **rivals; // where the rivals of each go; NULL: nobody wants them
    int asks;
} batch;

static void feed(batch *b, int32_t token, int32_t pos, int32_t seq) {
    b->tokens[b->n] = token;
    b->pos[b->n] = pos;
    b->seq[b->n++] = seq;
}

// ask wants to know how likely a token is behind the last one that was fed, and what else is.
static void ask(batch *b, int32_t token, int slot, vsp_token *rivals) {
    b->ask_at[b->asks] = b->n - 1;
    b->rivals[b->asks] = rivals;
    b->ask_token[b->asks] = token;
    b->slot[b->asks++] = slot;
}

static int flush(vsp_engine *e, batch *b) {
    if (b->n == 0) return VSP_OK;
    const int rc = vsp_scores(e, b->n, b->tokens, b->pos, b->seq, b->asks, b->ask_at, b->ask_token, b->score, b->rivals);
    for (int i = 0; i < b->asks && rc == NET_OK; i++) e->numbers[b->slot[i]] = b->score[i];
    b->n = b->asks = 0;
    return vsp_code(rc);
}

// score_base feeds the base and keeps it as sequence 0. It asks for each of its tokens, and for the first token of each
// edit, which hangs on the same beginning.
static int score_base(vsp_engine *e, batch *b, const int32_t *start, int n_start, const vsp_edits *x) {
    int32_t all[MAX_START + MAX_TEXT];
    const int n = n_start + x->n_base;
    memcpy(all, start, (size_t)n_start * sizeof *all);
    if (x->n_base > 0) memcpy(all + n_start, x->base, (size_t)x->n_base * sizeof *all);
    int rc = VSP_OK;
    for (int i = vsp_keep(e, start, n_start); i < n && rc == VSP_OK; i++) {
        const int behind = i - (n_start - 1); // tokens of the base that lie behind this row
        feed(b, all[i], i, 0);
        if (behind >= 0 && behind < x->n_base) ask(b, x->base[behind], behind, e->rivals + (size_t)behind * VSP_RIVALS);
        for (int t = 0, slot = x->n_base; t < x->n; slot += x->lengths[t++]) {
            if (x->at[t] == behind) ask(b, x->tokens[slot - x->n_base], slot, NULL);
        }
        if (b->n == NET_BATCH) rc = flush(e, b);
    }
    if (rc == VSP_OK) rc = flush(e, b);
    if (rc == VSP_OK) vsp_hold(e, all, n);
    return rc;
}

// score_edits feeds the edits side by side, each as a sequence of its own that begins as a copy of the base.
static int score_edits(vsp_engine *e, batch *b, int first, const vsp_edits *x) {
    int sequences = 0, rc = VSP_OK;
    for (int t = 0, slot = x->n_base; t < x->n && rc == VSP_OK; slot += x->lengths[t++]) {
        const int32_t *tokens = x->tokens + (slot - x->n_base);
        const int more = x->lengths[t] - 1; // the last token need not be fed
        if (more <= 0) continue;
        if (b->n + more > NET_BATCH) {
            rc = flush(e, b);
            while (sequences > 0) vsp_drop(e, sequences--);
            if (rc != VSP_OK) break;
        }
        vsp_copy(e, 0, ++sequences, first + x->at[t]);
        for (int i = 0; i < more; i++) {
            feed(b, tokens[i], first + x->at[t] + i, sequences);
            ask(b, tokens[i + 1], slot + i + 1, NULL);
        }
    }
    return rc == VSP_OK ? flush(e, b) : rc;
}

static int check(vsp_engine *e, const vsp_edits *x, int *total) {
    if (e->frames == 0 || x->n_base > MAX_TEXT || !valid(e, x->base, x->n_base)) return VSP_BAD_INPUT;
    int sum = 0;
    for (int t = 0; t < x->n; t++) {
        if (x->lengths[t] <= 0 || x->lengths[t] > NET_BATCH || x->at[t] < 0 || x->at[t] > x->n_base) return VSP_BAD_INPUT;
        if (x->at[t] + x->lengths[t] > MAX_TEXT + 1) return VSP_BAD_INPUT;
        sum += x->lengths[t];
    }
    *total = x->n_base + sum;
    return valid(e, x->tokens, sum) ? VSP_OK : VSP_BAD_INPUT;
}

const vsp_token *vsp_rivals(const vsp_engine *e) { return e->rivals; }

int vsp_score(vsp_engine *e, const vsp_context *c, const vsp_edits *x, const float **logps) {
    int total;
    int rc = check(e, x, &total);
    if (rc != VSP_OK) return rc;
    if (total > e->n_numbers) {
        float *grown = realloc(e->numbers, (size_t)total * sizeof *grown);
        if (!grown) return VSP_NO_MEMORY;
        e->numbers = grown;
        e->n_numbers = total;
    }
    int32_t start[MAX_START];
    const int n = vsp_start(e, c, 0, start);
    if (n < 0) return -n;
    if (n + x->n_base > e->facts.text_context) return VSP_BAD_INPUT;
    batch *b = calloc(1, sizeof *b);
    void *room = malloc((size_t)(total + 1) * 4 * sizeof(int32_t));
    vsp_token **rivals = malloc((size_t)(total + 1) * sizeof *rivals);
    rc = VSP_NO_MEMORY;
    if (b && room && rivals) {
        b->rivals = rivals;
        b->ask_at = room;
        b->ask_token = b->ask_at + total;
        b->slot = b->ask_token + total;
        b->score = (float *)(b->slot + total);
        rc = score_base(e, b, start, n, x);
        if (rc == VSP_OK) rc = score_edits(e, b, n, x);
        if (rc != VSP_OK) vsp_forget(e);
    }
    free(rivals);
    free(room);
    free(b);
    *logps = e->numbers;
    return rc;
}
