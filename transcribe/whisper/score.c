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

// score_texts feeds the texts side by side, each as a sequence of its own that begins as a copy of sequence 0.
static int score_texts(vsp_engine *e, int first, const int32_t *texts, const int *lengths, int n_texts, float *out) {
    cell batch[NET_BATCH];
    int n = 0, at = 0, open = 1, rc = VSP_OK;
    for (int t = 0; t < n_texts && rc == VSP_OK; at += lengths[t++]) {
        const int feed = lengths[t] - 1; // the last token need not be fed
        if (feed <= 0) continue;
        if (n + feed > NET_BATCH) {
            if ((rc = flush(e, batch, n, out)) != VSP_OK) break;
            for (; open < t + 1; open++) vsp_net_drop(e->net, open);
            n = 0;
        }
        vsp_net_copy(e->net, 0, t + 1);
        for (int i = 0; i < feed; i++) batch[n++] = (cell){texts[at + i], first + i, t + 1, texts[at + i + 1], at + i + 1};
    }
    if (rc == VSP_OK && n > 0) rc = flush(e, batch, n, out);
    return rc;
}

int vsp_score(vsp_engine *e, const vsp_context *c, const int32_t *beginning, int n_beginning, const int32_t *texts,
              const int *lengths, int n_texts, const float **logps) {
    if (e->frames == 0 || n_beginning > MAX_TEXT) return VSP_BAD_INPUT;
    int total = 0;
    for (int t = 0; t < n_texts; t++) {
        if (lengths[t] <= 0 || lengths[t] > NET_BATCH || n_beginning + lengths[t] > MAX_TEXT) return VSP_BAD_INPUT;
        total += lengths[t];
    }
    if (!valid(e, beginning, n_beginning) || !valid(e, texts, total)) return VSP_BAD_INPUT;
    if (total > e->n_numbers) {
        float *grown = realloc(e->numbers, (size_t)total * sizeof *grown);
        if (!grown) return VSP_NO_MEMORY;
        e->numbers = grown;
        e->n_numbers = total;
    }
    int32_t start[MAX_START + MAX_TEXT];
    int n = vsp_start(e, c, 0, start);
    if (n < 0) return -n;
    if (n_beginning > 0) memcpy(start + n, beginning, (size_t)n_beginning * sizeof *start);
    n += n_beginning;
    vsp_net_forget(e->net);
    const float *row;
    int rc = vsp_feed(e, start, n, 0, &row);
    if (rc == VSP_OK) {
        int at = 0;
        for (int t = 0; t < n_texts; at += lengths[t++]) e->numbers[at] = score_of(row, e->facts.vocabulary, texts[at]);
        rc = score_texts(e, n, texts, lengths, n_texts, e->numbers);
    }
    vsp_net_forget(e->net);
    *logps = e->numbers;
    return rc;
}
