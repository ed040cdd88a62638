// Search for what was said: greedy, sampled, or a beam of hypotheses side by side. Everything is done in a fixed order and
// ties fall to the lower token, so equal input gives equal output.
#include "engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_TIMESTAMP = 50 }; // of 20 ms: a text begins within the first second

typedef struct {
    vsp_token tokens[MAX_TEXT];
    int n;
    float sum; // of log probabilities: what beams compete by
    int seq;
} beam;

typedef struct {
    float sum, logp;
    int beam;
    int32_t token;
} candidate;

typedef struct {
    vsp_engine *e;
    const vsp_options *o;
    int width;    // beams
    int first;    // position of the first text token
    int limit;    // tokens of text
    uint64_t dice;
    beam live[MAX_BEAMS], next[MAX_BEAMS], done[2 * MAX_BEAMS];
    int n_live, n_done;
    float *row; // one row of log probabilities
} search;

// restrict_row sets what must not come next to −∞ and turns the rest into log probabilities.
static void restrict_row(search *s, const beam *b, float *row) {
    const vsp_net_facts *f = &s->e->facts;
    for (int i = 0; i < s->o->n_mask; i++) row[s->o->mask[i]] = -INFINITY;
    if (b->n == 0) { // a text does not begin with a space alone or with its end
        if (f->blank >= 0) row[f->blank] = -INFINITY;
        row[f->eot] = -INFINITY;
    }
    for (int i = f->eot + 1; i < f->timestamps; i++) row[i] = -INFINITY;
    if (!s->o->timestamps) {
        for (int i = f->timestamps; i < f->vocabulary; i++) row[i] = -INFINITY;
        vsp_log_softmax(row, f->vocabulary);
        return;
    }
    // Timestamps come in pairs, grow, and win when together they are likelier than any text.
    const int last = b->n > 0 && b->tokens[b->n - 1].id >= f->timestamps;
    const int before = b->n < 2 || b->tokens[b->n - 2].id >= f->timestamps;
    if (b->n == 0) {
        for (int i = 0; i < f->eot; i++) row[i] = -INFINITY;
        for (int i = f->timestamps + FIRST_TIMESTAMP + 1; i < f->vocabulary; i++) row[i] = -INFINITY;
    } else if (last && before) {
        for (int i = f->timestamps; i < f->vocabulary; i++) row[i] = -INFINITY;
    } else if (last) {
        for (int i = 0; i < f->eot; i++) row[i] = -INFINITY;
    }
    for (int k = b->n - 1; k >= 0; k--) {
        if (b->tokens[k].id < f->timestamps) continue;
        // After a finished pair the next one may begin at the same moment; an end must lie after its start.
        const int32_t floor = b->tokens[k].id + (last && !before ? 0 : 1);
        for (int i = f->timestamps; i < floor; i++) row[i] = -INFINITY;
        break;
    }
    vsp_log_softmax(row, f->vocabulary);
    double stamps = 0;
    float text = -INFINITY;
    for (int i = f->timestamps; i < f->vocabulary; i++) stamps += exp((double)row[i]);
    for (int i = 0; i <= f->eot; i++) text = fmaxf(text, row[i]);
    if (stamps > 0 && log(stamps) > (double)text) {
        for (int i = 0; i <= f->eot; i++) row[i] = -INFINITY;
    }
}

static int better(const candidate *a, const candidate *b) {
    if (a->sum != b->sum) return a->sum > b->sum;
    if (a->beam != b->beam) return a->beam < b->beam;
    return a->token < b->token;
}

// offer keeps the best n candidates, best first.
static void offer(candidate *list, int *n, int cap, candidate c) {
    if (*n == cap && !better(&c, &list[cap - 1])) return;
    int i = *n < cap ? (*n)++ : cap - 1;
    for (; i > 0 && better(&c, &list[i - 1]); i--) list[i] = list[i - 1];
    list[i] = c;
}

// propose adds the continuations of one beam that may survive: only the likeliest can.
static void propose(search *s, int at, candidate *list, int *n, int cap) {
    const int top = s->width + 1;
    candidate own[MAX_BEAMS + 1];
    int have = 0;
    for (int i = 0; i < s->e->facts.vocabulary; i++) {
        const float logp = s->row[i];
        if (!(logp > -INFINITY) || (have == top && logp < own[top - 1].sum)) continue;
        offer(own, &have, top, (candidate){logp, logp, at, i});
    }
    for (int k = 0; k < have; k++) {
        own[k].sum += s->live[at].sum;
        offer(list, n, cap, own[k]);
    }
}

// roll picks a token by chance.
static candidate roll(search *s) {
    const int n = s->e->facts.vocabulary;
    double sum = 0;
    for (int i = 0; i < n; i++) sum += exp((double)s->row[i] / s->o->temperature);
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    double left = sum * ((double)(s->dice >> 11) / 9007199254740992.0);
    int pick = s->e->facts.eot;
    for (int i = 0; i < n; i++) {
        if (!(s->row[i] > -INFINITY)) continue;
        pick = i;
        left -= exp((double)s->row[i] / s->o->temperature);
        if (left <= 0) break;
    }
    return (candidate){s->live[0].sum + s->row[pick], s->row[pick], 0, pick};
}

// unused is a number of a sequence that neither a living beam nor one of the first n of the next has.
static int unused(const search *s, int n) {
    for (int seq = 1;; seq++) {
        int taken = 0;
        for (int i = 0; i < s->n_live; i++) taken |= s->live[i].seq == seq;
        for (int i = 0; i < n; i++) taken |= s->next[i].seq == seq;
        if (!taken) return seq;
    }
}

// advance makes the next generation of beams; it returns how many live on.
static int advance(search *s, const candidate *list, int n) {
    int used[MAX_BEAMS] = {0}, born = 0;
    for (int i = 0; i < n && born < s->width; i++) {
        const candidate *c = &list[i];
        const int ends = c->token == s->e->facts.eot;
        if (ends && s->n_done >= 2 * MAX_BEAMS) continue;
        beam *to = ends ? &s->done[s->n_done++] : &s->next[born++];
        *to = s->live[c->beam];
        to->sum = c->sum;
        if (ends) continue;
        to->tokens[to->n++] = (vsp_token){c->token, c->logp};
        used[c->beam]++;
    }
    // Keys and values follow: the first child of a beam takes its sequence over, the others get copies under numbers that no
    // beam has.
    for (int i = 0; i < born; i++) {
        const int from = s->next[i].seq;
        int taken = 0;
        for (int j = 0; j < i; j++) taken |= s->next[j].seq == from;
        if (taken) {
            s->next[i].seq = unused(s, i);
            vsp_copy(s->e, from, s->next[i].seq, -1);
        }
    }
    for (int i = 0; i < s->n_live; i++) {
        if (!used[i]) vsp_drop(s->e, s->live[i].seq);
    }
    memcpy(s->live, s->next, (size_t)born * sizeof *s->live);
    return s->n_live = born;
}

// feed runs the newest token of each beam; when there is no room for all, the worst beams give way.
static int feed(search *s, const float **rows) {
    for (;;) {
        int32_t tokens[MAX_BEAMS], pos[MAX_BEAMS], seq[MAX_BEAMS];
        int8_t want[MAX_BEAMS];
        for (int i = 0; i < s->n_live; i++) {
            const beam *b = &s->live[i];
            tokens[i] = b->tokens[b->n - 1].id;
            pos[i] = s->first + b->n - 1;
            seq[i] = b->seq;
            want[i] = 1;
        }
        const int rc = vsp_forward(s->e, s->n_live, tokens, pos, seq, want, rows);
        if (rc != NET_FULL || s->n_live == 1) return vsp_code(rc);
        vsp_drop(s->e, s->live[--s->n_live].seq);
        s->width = s->n_live;
    }
}

// standing is what finished texts compete by: without it a short text would win, as each token costs something.
static float standing(const beam *b) { return b->sum / (float)(b->n + 1); }

// conclude hands out the finished texts, best first; a text that was cut stands behind all that ended.
static int conclude(search *s) {
    vsp_engine *e = s->e;
    const int cut = s->n_done;
    for (int i = 0; i < s->n_live && s->n_done < 2 * MAX_BEAMS && cut == 0; i++) s->done[s->n_done++] = s->live[i];
    int order[2 * MAX_BEAMS];
    for (int i = 0; i < s->n_done; i++) {
        int j = i;
        for (; j > 0 && standing(&s->done[i]) > standing(&s->done[order[j - 1]]); j--) order[j] = order[j - 1];
        order[j] = i;
    }
    for (int i = 0; i < s->n_done; i++) {
        const beam *b = &s->done[order[i]];
        vsp_token *to = e->tokens + (size_t)i * MAX_TEXT;
        int n = 0;
        for (int k = 0; k < b->n; k++) {
            if (b->tokens[k].id < e->facts.eot) to[n++] = b->tokens[k];
        }
        e->found[i] = (vsp_hypothesis){to, n, b->sum / (float)(b->n + 1), cut > 0};
    }
    return s->n_done;
}

static int run(search *s) {
    int32_t start[MAX_START];
    int n = vsp_start(s->e, &s->o->context, s->o->timestamps, start);
    if (n < 0) return -n;
    s->first = n;
    s->limit = MAX_TEXT;
    if (s->limit > s->e->facts.text_context - n - 1) s->limit = s->e->facts.text_context - n - 1;
    const float *rows;
    int rc = vsp_feed(s->e, start, n, &rows);
    if (rc != VSP_OK) return rc;
    s->n_live = s->live[0].seq = 1; // sequence 0 stays as it is, for the next request
    vsp_copy(s->e, 0, 1, -1);
    const size_t width = (size_t)s->e->facts.vocabulary;
    for (int step = 0; step < s->limit; step++) {
        candidate list[2 * MAX_BEAMS];
        int have = 0;
        for (int i = 0; i < s->n_live; i++) {
            memcpy(s->row, rows + (size_t)i * width, width * sizeof *s->row);
            restrict_row(s, &s->live[i], s->row);
            if (s->o->temperature > 0) {
                list[have++] = roll(s);
            } else {
                propose(s, i, list, &have, 2 * s->width);
            }
        }
        if (advance(s, list, have) == 0 || s->n_done >= s->width) break;
        if ((rc = feed(s, &rows)) != VSP_OK) return rc;
    }
    return VSP_OK;
}

int vsp_decode(vsp_engine *e, const vsp_options *o, const vsp_hypothesis **found, int *n_found) {
    *n_found = 0;
    if (e->frames == 0) return VSP_BAD_INPUT;
    for (int i = 0; i < o->n_mask; i++) {
        if (o->mask[i] < 0 || o->mask[i] >= e->facts.vocabulary) return VSP_BAD_INPUT;
    }
    search *s = calloc(1, sizeof *s);
    if (!s) return VSP_NO_MEMORY;
    s->row = malloc((size_t)e->facts.vocabulary * sizeof *s->row);
    s->e = e;
    s->o = o;
    s->width = o->temperature > 0 || o->beams < 1 ? 1 : o->beams > MAX_BEAMS ? MAX_BEAMS : o->beams;
    s->dice = UINT64_C(0x9E3779B97F4A7C15);
    int rc = s->row ? run(s) : VSP_NO_MEMORY;
    if (rc == VSP_OK) {
        *n_found = conclude(s);
        *found = e->found;
    } else {
        vsp_forget(e);
    }
    free(s->row);
    free(s);
    return rc;
}
