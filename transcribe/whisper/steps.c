// Which decoder does a step: ours where it can, else the library's.
#include "engine.h"

#include <math.h>
#include <string.h>

int vsp_forward(vsp_engine *e, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want, const float **logits) {
    if (e->decoder) return vsp_decoder_forward(e->decoder, n, tokens, pos, seq, want, logits);
    return vsp_net_forward(e->net, n, tokens, pos, seq, want, logits);
}

// log_sum is log Σ exp over a row of logits.
static float log_sum(const float *row, int n) {
    float top = row[0];
    for (int i = 1; i < n; i++) top = row[i] > top ? row[i] : top;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (row[i] > top - 30.0f) sum += expf(row[i] - top);
    }
    return top + (float)log(sum);
}

int vsp_scores(vsp_engine *e, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, int n_asks, const int32_t *ask_at,
               const int32_t *ask_token, float *out, vsp_token *const *rivals) {
    if (e->decoder) return vsp_decoder_score(e->decoder, n, tokens, pos, seq, n_asks, ask_at, ask_token, out, rivals, e->facts.eot);
    int8_t want[NET_BATCH] = {0};
    for (int i = 0; i < n_asks; i++) want[ask_at[i]] = 1;
    const float *row;
    const int rc = vsp_net_forward(e->net, n, tokens, pos, seq, want, &row);
    if (rc != NET_OK) return rc;
    for (int t = 0; t < n; t++) {
        if (!want[t]) continue;
        const float all = log_sum(row, e->facts.vocabulary);
        for (int i = 0; i < n_asks; i++) {
            if (ask_at[i] != t) continue;
            out[i] = row[ask_token[i]] - all;
            if (!rivals[i]) continue;
            vsp_no_rivals(rivals[i]);
            for (int k = 0; k < e->facts.eot; k++) {
                if (row[k] > rivals[i][VSP_RIVALS - 1].logp && k != ask_token[i]) vsp_add_rival(rivals[i], k, row[k]);
            }
            for (int k = 0; k < VSP_RIVALS; k++) rivals[i][k].logp -= all;
        }
        row += e->facts.vocabulary;
    }
    return NET_OK;
}

int vsp_attentions(vsp_engine *e, int n, const int32_t *tokens, int first, const float **weights, int *heads, int *frames) {
    if (e->decoder) return vsp_decoder_attend(e->decoder, n, tokens, first, weights, heads, frames);
    return vsp_net_attend(e->net, n, tokens, first, weights, heads, frames);
}

void vsp_forget(vsp_engine *e) {
    e->n_fed = 0;
    if (e->decoder) {
        vsp_decoder_forget(e->decoder);
    } else {
        vsp_net_forget(e->net);
    }
}

void vsp_copy(vsp_engine *e, int32_t from, int32_t to, int32_t pos) {
    if (e->decoder) {
        vsp_decoder_copy(e->decoder, from, to, pos);
    } else {
        vsp_net_copy(e->net, from, to, pos);
    }
}

void vsp_drop(vsp_engine *e, int32_t seq) {
    if (e->decoder) {
        vsp_decoder_drop(e->decoder, seq);
    } else {
        vsp_net_drop(e->net, seq);
    }
}

int vsp_keep(vsp_engine *e, const int32_t *tokens, int n) {
    int same = 0;
    while (same < n - 1 && same < e->n_fed && tokens[same] == e->fed[same]) same++;
    if (same == 0) {
        vsp_forget(e);
        return 0;
    }
    for (int seq = 1; seq <= MAX_SEQUENCE; seq++) vsp_drop(e, seq);
    if (e->decoder) {
        vsp_decoder_trim(e->decoder, 0, same);
    } else {
        vsp_net_trim(e->net, 0, same);
    }
    return e->n_fed = same;
}

void vsp_hold(vsp_engine *e, const int32_t *tokens, int n) {
    memcpy(e->fed, tokens, (size_t)n * sizeof *tokens);
    e->n_fed = n;
}

int vsp_feed(vsp_engine *e, const int32_t *tokens, int n, const float **logits) {
    int32_t pos[NET_BATCH], seq[NET_BATCH] = {0};
    int8_t want[NET_BATCH] = {0};
    for (int at = vsp_keep(e, tokens, n); at < n; at += NET_BATCH) {
        const int m = n - at < NET_BATCH ? n - at : NET_BATCH;
        for (int i = 0; i < m; i++) pos[i] = at + i;
        want[m - 1] = at + m == n;
        const int rc = vsp_forward(e, m, tokens + at, pos, seq, want, logits);
        if (rc != NET_OK) return vsp_code(rc);
    }
    vsp_hold(e, tokens, n);
    return VSP_OK;
}
