// When each token was spoken: dynamic time warping over the cross attention of the heads that follow the audio, as in
// OpenAI's reference implementation (Radford et al. 2022, and the timing notes of its repository).
#include "engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIAN = 7 };

static void insertion_sort(float *v, int n) {
    for (int i = 1; i < n; i++) {
        const float x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

// add_head puts one head's weights, normalised over the tokens and smoothed over time, into the sum, from token skip on.
// w is [frame][token], and so is flat, which is room to work in; sum is [token][frame].
static void add_head(const float *w, int tokens, int frames, int skip, float *flat, float *sum) {
    for (int f = 0; f < frames; f++) {
        double mean = 0, square = 0;
        for (int t = 0; t < tokens; t++) {
            mean += w[f * tokens + t];
            square += (double)w[f * tokens + t] * w[f * tokens + t];
        }
        mean /= tokens;
        const double deviation = sqrt(fmax(square / tokens - mean * mean, 1e-18));
        for (int t = 0; t < tokens; t++) flat[f * tokens + t] = (float)((w[f * tokens + t] - mean) / deviation);
    }
    for (int t = skip; t < tokens; t++) {
        for (int f = 0; f < frames; f++) {
            float window[MEDIAN];
            for (int k = 0; k < MEDIAN; k++) {
                int g = f + k - MEDIAN / 2; // mirrored at the ends
                if (g < 0) g = -g;
                if (g >= frames) g = 2 * frames - 2 - g;
                if (g < 0) g = 0;
                window[k] = flat[g * tokens + t];
            }
            insertion_sort(window, MEDIAN);
            sum[(t - skip) * frames + f] += window[MEDIAN / 2];
        }
    }
}

// warp finds the cheapest monotonic path through cost[row][frame] and writes, for each row, the frame at which it begins.
static int warp(const float *gain, int rows, int frames, int32_t *begins) {
    const size_t width = (size_t)frames + 1;
    float *best = malloc(((size_t)rows + 1) * width * sizeof *best);
    int8_t *came = malloc(((size_t)rows + 1) * width);
    if (!best || !came) {
        free(best);
        free(came);
        return VSP_NO_MEMORY;
    }
    for (size_t i = 0; i < ((size_t)rows + 1) * width; i++) best[i] = INFINITY;
    best[0] = 0;
    for (int f = 1; f <= frames; f++) {
        for (int r = 1; r <= rows; r++) {
            const float both = best[(size_t)(r - 1) * width + (size_t)f - 1];
            const float row = best[(size_t)(r - 1) * width + (size_t)f];
            const float frame = best[(size_t)r * width + (size_t)f - 1];
            float c = frame;
            int8_t from = 2;
            if (both < row && both < frame) {
                c = both;
                from = 0;
            } else if (row < both && row < frame) {
                c = row;
                from = 1;
            }
            best[(size_t)r * width + (size_t)f] = c - gain[(r - 1) * frames + f - 1];
            came[(size_t)r * width + (size_t)f] = from;
        }
    }
    int r = rows, f = frames;
    while (r > 0 || f > 0) {
        if (r > 0) begins[r - 1] = f > 0 ? f - 1 : 0;
        if (r == 0) {
            f--;
        } else if (f == 0) {
            r--;
        } else {
            switch (came[(size_t)r * width + (size_t)f]) {
            case 0: r--, f--; break;
            case 1: r--; break;
            default: f--;
            }
        }
    }
    free(best);
    free(came);
    return VSP_OK;
}

// gather runs the tokens in batches and collects each head's weights as [head][frame][token].
static int gather(vsp_engine *e, const int32_t *tokens, int n, float **all, int *heads) {
    const int frames = e->frames;
    *all = NULL;
    for (int at = 0; at < n; at += NET_BATCH) {
        const int m = n - at < NET_BATCH ? n - at : NET_BATCH;
        const float *w;
        int have_frames;
        int rc = vsp_attentions(e, m, tokens + at, at, &w, heads, &have_frames);
        if (rc != NET_OK) return vsp_code(rc);
        if (have_frames < frames) return VSP_FAILED;
        if (!*all) *all = calloc((size_t)*heads * (size_t)frames * (size_t)n, sizeof **all);
        if (!*all) return VSP_NO_MEMORY;
        for (int h = 0; h < *heads; h++) {
            for (int f = 0; f < frames; f++) {
                const float *from = w + ((size_t)h * (size_t)have_frames + (size_t)f) * (size_t)m;
                memcpy(*all + ((size_t)h * (size_t)frames + (size_t)f) * (size_t)n + at, from, (size_t)m * sizeof *from);
            }
        }
    }
    return VSP_OK;
}

int vsp_align(vsp_engine *e, const vsp_context *c, const int32_t *tokens, int n, const int32_t **ends) {
    if (e->frames == 0 || n <= 0 || n > MAX_TEXT) return VSP_BAD_INPUT;
    for (int i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= e->facts.eot) return VSP_BAD_INPUT;
    }
    // The prompt is left out: it says nothing about when, and the reference has none.
    const vsp_context bare = {c->language, NULL, 0};
    int32_t all[MAX_START + MAX_TEXT];
    int start = vsp_start(e, &bare, 0, all);
    if (start < 0) return -start;
    memcpy(all + start, tokens, (size_t)n * sizeof *all);
    // The row of a token shows where the model looks for the one after it: the last start token finds the first word, the
    // last word finds the end.
    const int skip = start - 1, rows = n + 1;
    float *weights = NULL, *work = NULL, *sum = NULL;
    int heads = 0;
    vsp_forget(e);
    const int fed = start + n;
    int rc = gather(e, all, fed, &weights, &heads);
    vsp_forget(e);
    int32_t *begins = calloc((size_t)rows, sizeof *begins);
    if (rc == VSP_OK) {
        const size_t size = (size_t)fed * (size_t)e->frames;
        work = malloc(size * sizeof *work);
        sum = calloc((size_t)rows * (size_t)e->frames, sizeof *sum);
        rc = work && sum && begins ? VSP_OK : VSP_NO_MEMORY;
        for (int h = 0; h < heads && rc == VSP_OK; h++) {
            add_head(weights + (size_t)h * size, fed, e->frames, skip, work, sum);
        }
        if (rc == VSP_OK) rc = warp(sum, rows, e->frames, begins);
    }
    for (int i = 0; i < n && rc == VSP_OK; i++) e->ends[i] = 2 * begins[i + 1];
    free(weights);
    free(work);
    free(sum);
    free(begins);
    *ends = e->ends;
    return rc;
}
