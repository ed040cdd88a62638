#include "engine.h"

#include "accel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_SAMPLES = 16000, FRAME_SAMPLES = 320 };

static int is_cancelled(void *e) { return atomic_load(&((vsp_engine *)e)->cancelled) != 0; }

int vsp_code(int net) {
    switch (net) {
    case NET_OK: return VSP_OK;
    case NET_STOPPED: return VSP_CANCELLED;
    default: return VSP_FAILED;
    }
}

int vsp_open(const vsp_config *c, vsp_engine **out) {
    vsp_register_accel();
    vsp_engine *e = calloc(1, sizeof *e);
    if (!e) return VSP_NO_MEMORY;
    vsp_net_config n = {c->model_path, c->preset, c->shared_fd, c->use_gpu, c->n_threads, vsp_decoder_takes, vsp_decoder_pack};
    e->net = vsp_net_open(&n, is_cancelled, e);
    struct whisper_vad_context_params v = whisper_vad_default_context_params();
    v.n_threads = c->n_threads > 0 ? c->n_threads : 1;
    v.use_gpu = false;
    if (e->net) e->vad = whisper_vad_init_from_file_with_params(c->vad_path, v);
    const vsp_net_parts *parts = e->net ? vsp_net_packed(e->net) : NULL;
    if (parts) e->decoder = vsp_decoder_open(parts, n.n_threads > 0 ? n.n_threads : 1, is_cancelled, e);
    if (!e->net || !e->vad || (parts && !e->decoder)) {
        vsp_close(e);
        return VSP_FAILED;
    }
    e->facts = vsp_net_about(e->net);
    e->tokens = calloc((size_t)2 * MAX_BEAMS * MAX_TEXT, sizeof *e->tokens);
    e->ends = calloc(MAX_TEXT + 1, sizeof *e->ends);
    if (!e->tokens || !e->ends) {
        vsp_close(e);
        return VSP_NO_MEMORY;
    }
    *out = e;
    return VSP_OK;
}

void vsp_close(vsp_engine *e) {
    if (!e) return;
    vsp_decoder_close(e->decoder);
    vsp_net_close(e->net);
    if (e->vad) whisper_vad_free(e->vad);
    free(e->tokens);
    free(e->ends);
    free(e->numbers);
    free(e->padded);
    free(e);
}

void vsp_cancel(vsp_engine *e) { atomic_store(&e->cancelled, 1); }
void vsp_arm(vsp_engine *e) { atomic_store(&e->cancelled, 0); }

int vsp_speech(vsp_engine *e, const float *samples, int n, const float **probs, int *n_probs) {
    *n_probs = 0;
    if (n <= 0) return VSP_OK;
    if (is_cancelled(e)) return VSP_CANCELLED;
    if (!whisper_vad_detect_speech(e->vad, samples, n)) return is_cancelled(e) ? VSP_CANCELLED : VSP_FAILED;
    *probs = whisper_vad_probs(e->vad);
    *n_probs = whisper_vad_n_probs(e->vad);
    return VSP_OK;
}

void vsp_log_softmax(float *row, int n) {
    float top = -INFINITY;
    for (int i = 0; i < n; i++) top = row[i] > top ? row[i] : top;
    if (!isfinite(top)) return;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        // Below this a term no longer shows in the sum, and most of the vocabulary is below.
        if (row[i] > top - 30.0f) sum += expf(row[i] - top);
    }
    const float norm = top + (float)log(sum);
    for (int i = 0; i < n; i++) row[i] -= norm;
}

// pad gives very short audio a second to stand in: below that the encoder sees too little.
static const float *pad(vsp_engine *e, const float *samples, int *n) {
    if (*n >= MIN_SAMPLES) return samples;
    free(e->padded);
    e->padded = calloc(MIN_SAMPLES, sizeof *e->padded);
    if (!e->padded) return NULL;
    memcpy(e->padded, samples, (size_t)*n * sizeof *samples);
    *n = MIN_SAMPLES;
    return e->padded;
}

// hear_start asks the decoder, after the start token alone, how likely "no speech" is and which language it hears.
static int hear_start(vsp_engine *e, float *no_speech) {
    const float *logits;
    int rc = vsp_feed(e, &e->facts.sot, 1, &logits);
    if (rc != VSP_OK) return rc;
    const int n = e->facts.vocabulary;
    float top = logits[0];
    for (int i = 1; i < n; i++) top = fmaxf(top, logits[i]);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += exp((double)(logits[i] - top));
    *no_speech = (float)(exp((double)(logits[e->facts.nosp] - top)) / sum);
    e->heard = e->facts.language_first;
    for (int i = 1; i < e->facts.languages; i++) {
        if (logits[e->facts.language_first + i] > logits[e->heard]) e->heard = e->facts.language_first + i;
    }
    vsp_forget(e);
    return VSP_OK;
}

int vsp_encode(vsp_engine *e, const float *samples, int n, float *no_speech) {
    e->frames = 0;
    *no_speech = 1;
    if (n <= 0) return VSP_BAD_INPUT;
    if (!(samples = pad(e, samples, &n))) return VSP_NO_MEMORY;
    vsp_forget(e);
    int rc = vsp_code(vsp_net_encode(e->net, samples, n));
    if (rc == VSP_OK && e->decoder) rc = vsp_code(vsp_decoder_hear(e->decoder));
    if (rc == VSP_OK) rc = hear_start(e, no_speech);
    if (rc == VSP_OK) e->frames = n / FRAME_SAMPLES;
    return rc;
}

int vsp_start(vsp_engine *e, const vsp_context *c, int with_times, int32_t *out) {
    int n = 0;
    if (c->n_prompt > 0) {
        const int skip = c->n_prompt > MAX_PROMPT ? c->n_prompt - MAX_PROMPT : 0;
        out[n++] = e->facts.prev;
        for (int i = skip; i < c->n_prompt; i++) out[n++] = c->prompt[i];
    }
    out[n++] = e->facts.sot;
    if (e->facts.multilingual) {
        int32_t language = e->heard;
        if (strcmp(c->language, "auto") != 0 && (language = vsp_net_language(e->net, c->language)) < 0) return -VSP_BAD_LANGUAGE;
        out[n++] = language;
        out[n++] = e->facts.transcribe;
    }
    if (!with_times) out[n++] = e->facts.notimestamps;
    return n;
}

int vsp_vocabulary(vsp_engine *e) { return e->facts.vocabulary; }
const char *vsp_version(void) { return whisper_version(); }
