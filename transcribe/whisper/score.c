// Teacher forcing: how likely the model finds a text that somebody else proposes.
#include "engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// cell is one token to be fed and where the score of the token after it goes; −1: nowhere.
typedef struct {
    int32_t token, pos, seq;
    int next, slot;
} cell;

// score_of is the log probability of one token in a row of logits.
static float score_of(const float *row, int n, int32_t token) {
    float top = row[0];
    for (int i = 1; i < n; i++) top = row[i] > top ? row[i] : top;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (row[i] > top - 30.0f) sum += expf(row[i] - top);
    }
    return row[token] - top - (float)log(sum);
}

static int valid(const vsp_engine *e, const int32_t *tokens, int n) {
    for (int i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] > e->facts.eot) return 0;
    }
    return 1;
}

static int flush(vsp_engine *e, const cell *cells, int n, float *out) {
    int32_t tokens[NET_BATCH] = {0}, pos[NET_BATCH] = {0}, seq[NET_BATCH] = {0};
    int8_t want[NET_BATCH] = {0};
    for (int i = 0; i < n; i++) {
        tokens[i] = cells[i].token;
        pos[i] = cells[i].pos;
        seq[i] = cells[i].seq;
        want[i] = cells[i].slot >= 0;
    }
    const float *rows;
    int rc = vsp_net_forward(e->net, n, tokens, pos, seq, want, &rows);
    if (rc != NET_OK) return vsp_code(rc);
    for (int i = 0; i < n; i++) {
        if (cells[i].slot >= 0) {
            out[cells[i].slot] = score_of(rows + (size_t)i * (size_t)e->facts.vocabulary, e->facts.vocabulary, cells[i].next);
        }
    }
    return VSP_OK;
}

// score_base feeds the base and keeps it as sequence 0. It fills the score of each of its tokens, and of the first token of
// each edit, which hangs on the same beginning.
static int score_base(vsp_engine *e, const int32_t *start, int n_start, const vsp_edits *x) {
    int32_t pos[NET_BATCH], seq[NET_BATCH] = {0}, all[MAX_START + MAX_TEXT];
    int8_t want[NET_BATCH];
    const int n = n_start + x->n_base, last = n_start - 1; // after the last token of the start comes the first of the base
    memcpy(all, start, (size_t)n_start * sizeof *all);
    if (x->n_base > 0) memcpy(all + n_start, x->base, (size_t)x->n_base * sizeof *all);
    for (int at = 0; at < n; at += NET_BATCH) {
        const int m = n - at < NET_BATCH ? n - at : NET_BATCH;
        for (int i = 0; i < m; i++) {
            pos[i] = at + i;
            want[i] = at + i >= last;
        }
        const float *rows;
        int rc = vsp_net_forward(e->net, m, all + at, pos, seq, want, &rows);
        if (rc != NET_OK) return vsp_code(rc);
        for (int i = 0; i < m; i++) {
            const int behind = at + i - last; // tokens of the base that lie behind this row
            const float *row = rows + (size_t)i * (size_t)e->facts.vocabulary;
            if (behind < 0) continue;
            if (behind < x->n_base) e->numbers[behind] = score_of(row, e->facts.vocabulary, x->base[behind]);
            for (int t = 0, slot = x->n_base; t < x->n; slot += x->lengths[t++]) {
                if (x->at[t] == behind) e->numbers[slot] = score_of(row, e->facts.vocabulary, x->tokens[slot - x->n_base]);
            }
        }
    }
    return VSP_OK;
}

// score_edits feeds the edits side by side, each as a sequence of its own that begins as a copy of the base.
static int score_edits(vsp_engine *e, int first, const vsp_edits *x) {
    cell batch[NET_BATCH];
    int n = 0, open = 1, rc = VSP_OK;
    for (int t = 0, slot = x->n_base; t < x->n && rc == VSP_OK; slot += x->lengths[t++]) {
        const int feed = x->lengths[t] - 1; // the last token need not be fed
        if (feed <= 0) continue;
        if (n + feed > NET_BATCH) {
            if ((rc = flush(e, batch, n, e->numbers)) != VSP_OK) break;
            for (; open < t + 1; open++) vsp_net_drop(e->net, open);
            n = 0;
        }
        vsp_net_copy(e->net, 0, t + 1, first + x->at[t]);
        const int32_t *tokens = x->tokens + (slot - x->n_base);
        for (int i = 0; i < feed; i++) batch[n++] = (cell){tokens[i], first + x->at[t] + i, t + 1, tokens[i + 1], slot + i + 1};
    }
    if (rc == VSP_OK && n > 0) rc = flush(e, batch, n, e->numbers);
    return rc;
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
    vsp_net_forget(e->net);
    rc = score_base(e, start, n, x);
    if (rc == VSP_OK) rc = score_edits(e, n, x);
    vsp_net_forget(e->net);
    *logps = e->numbers;
    return rc;
}
