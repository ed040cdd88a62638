#include "shim.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <whisper.h>

enum { MIN_SAMPLES = 16000, MAX_PROMPT = 223 };

struct vsp_engine {
    struct whisper_context *ctx;
    struct whisper_state *state;
    struct whisper_vad_context *vad;
    int n_threads;
    int word_times;
    atomic_int cancelled;
    vsp_token *tokens;
    int cap;
    float *padded;
};

// Log lines of the library can quote decoded text; none of them leaves the process.
static void discard_log(enum ggml_log_level level, const char *text, void *user) {
    (void)level;
    (void)text;
    (void)user;
}

static enum whisper_alignment_heads_preset heads_for(const char *name) {
    static const struct {
        const char *name;
        enum whisper_alignment_heads_preset preset;
    } known[] = {
        {"tiny.en", WHISPER_AHEADS_TINY_EN},     {"tiny", WHISPER_AHEADS_TINY},         {"base.en", WHISPER_AHEADS_BASE_EN},
        {"base", WHISPER_AHEADS_BASE},           {"small.en", WHISPER_AHEADS_SMALL_EN}, {"small", WHISPER_AHEADS_SMALL},
        {"medium.en", WHISPER_AHEADS_MEDIUM_EN}, {"medium", WHISPER_AHEADS_MEDIUM},     {"large-v1", WHISPER_AHEADS_LARGE_V1},
        {"large-v2", WHISPER_AHEADS_LARGE_V2},   {"large-v3", WHISPER_AHEADS_LARGE_V3}, {"large-v3-turbo", WHISPER_AHEADS_LARGE_V3_TURBO},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) return known[i].preset;
    }
    return WHISPER_AHEADS_N_TOP_MOST;
}

static int open_state(vsp_engine *e) {
    if (e->state) whisper_free_state(e->state);
    e->state = whisper_init_state(e->ctx);
    return e->state ? VSP_OK : VSP_NO_MEMORY;
}

int vsp_open(const vsp_config *c, vsp_engine **out) {
    whisper_log_set(discard_log, NULL);
    vsp_engine *e = calloc(1, sizeof *e);
    if (!e) return VSP_NO_MEMORY;
    e->n_threads = c->n_threads > 0 ? c->n_threads : 1;
    e->word_times = c->word_times;

    struct whisper_context_params p = whisper_context_default_params();
    p.use_gpu = c->use_gpu != 0;
    p.flash_attn = !c->word_times;
    p.dtw_token_timestamps = c->word_times != 0;
    p.dtw_aheads_preset = c->word_times ? heads_for(c->preset) : WHISPER_AHEADS_NONE;
    p.dtw_n_top = 2;
    p.dtw_mem_size = (size_t)256 << 20;
    e->ctx = whisper_init_from_file_with_params_no_state(c->model_path, p);

    struct whisper_vad_context_params v = whisper_vad_default_context_params();
    v.n_threads = e->n_threads;
    v.use_gpu = false;
    if (e->ctx) e->vad = whisper_vad_init_from_file_with_params(c->vad_path, v);
    int rc = e->ctx && e->vad ? open_state(e) : VSP_FAILED;
    if (rc != VSP_OK) {
        vsp_close(e);
        return rc;
    }
    *out = e;
    return VSP_OK;
}

void vsp_close(vsp_engine *e) {
    if (!e) return;
    if (e->state) whisper_free_state(e->state);
    if (e->vad) whisper_vad_free(e->vad);
    if (e->ctx) whisper_free(e->ctx);
    free(e->tokens);
    free(e->padded);
    free(e);
}

void vsp_cancel(vsp_engine *e) { atomic_store(&e->cancelled, 1); }
void vsp_arm(vsp_engine *e) { atomic_store(&e->cancelled, 0); }

static bool is_cancelled(void *e) { return atomic_load(&((vsp_engine *)e)->cancelled) != 0; }

int vsp_speech(vsp_engine *e, const float *samples, int n, const float **probs, int *n_probs) {
    *n_probs = 0;
    if (n <= 0) return VSP_OK;
    if (is_cancelled(e)) return VSP_CANCELLED;
    if (!whisper_vad_detect_speech(e->vad, samples, n)) return VSP_FAILED;
    *probs = whisper_vad_probs(e->vad);
    *n_probs = whisper_vad_n_probs(e->vad);
    return VSP_OK;
}

// no_speech asks the decoder, right after the start token, how likely "no speech" is. The library's own figure is taken
// after the task tokens and is meaningless there.
static float no_speech(vsp_engine *e) {
    whisper_token sot = whisper_token_sot(e->ctx);
    if (whisper_decode_with_state(e->ctx, e->state, &sot, 1, 0, e->n_threads) != 0) return 0;
    const float *logits = whisper_get_logits_from_state(e->state);
    const int n = whisper_n_vocab(e->ctx);
    float top = logits[0];
    for (int i = 1; i < n; i++) top = fmaxf(top, logits[i]);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += exp((double)(logits[i] - top));
    return (float)(exp((double)(logits[whisper_token_nosp(e->ctx)] - top)) / sum);
}

static int push_token(vsp_engine *e, int at, vsp_token t) {
    if (at >= e->cap) {
        int cap = e->cap ? 2 * e->cap : 256;
        vsp_token *grown = realloc(e->tokens, (size_t)cap * sizeof *grown);
        if (!grown) return VSP_NO_MEMORY;
        e->tokens = grown;
        e->cap = cap;
    }
    e->tokens[at] = t;
    return VSP_OK;
}

// collect copies the text tokens out of the state and notes whether the model itself ended the text.
static int collect(vsp_engine *e, int *n_tokens, int *ended) {
    const whisper_token eot = whisper_token_eot(e->ctx);
    int n = 0;
    *ended = 0;
    for (int s = 0; s < whisper_full_n_segments_from_state(e->state); s++) {
        for (int i = 0; i < whisper_full_n_tokens_from_state(e->state, s); i++) {
            whisper_token_data d = whisper_full_get_token_data_from_state(e->state, s, i);
            if (d.id == eot) *ended = 1;
            if (d.id >= eot) continue;
            // The library stores here the moment at which the next token begins, which is the end of this one.
            vsp_token t = {d.id, d.p, d.plog, e->word_times ? d.t_dtw : -1};
            if (push_token(e, n, t) != VSP_OK) return VSP_NO_MEMORY;
            n++;
        }
    }
    *n_tokens = n;
    return VSP_OK;
}

// pad gives very short input a second to stand in: below that the alignment asserts and the encoder sees too little.
static const float *pad(vsp_engine *e, const float *samples, int *n) {
    if (*n >= MIN_SAMPLES) return samples;
    free(e->padded);
    e->padded = calloc(MIN_SAMPLES, sizeof *e->padded);
    if (!e->padded) return NULL;
    memcpy(e->padded, samples, (size_t)*n * sizeof *samples);
    *n = MIN_SAMPLES;
    return e->padded;
}

int vsp_decode(vsp_engine *e, const float *samples, int n, const vsp_options *o, const vsp_token **tokens, int *n_tokens,
               float *nosp, int *ended) {
    *n_tokens = 0;
    *nosp = 1;
    *ended = 1;
    if (n <= 0) return VSP_OK;
    if (is_cancelled(e)) return VSP_CANCELLED;
    const int automatic = strcmp(o->language, "auto") == 0;
    if (!automatic && whisper_lang_id(o->language) < 0) return VSP_BAD_LANGUAGE;
    if ((samples = pad(e, samples, &n)) == NULL) return VSP_NO_MEMORY;
    // A state's random generator runs on from call to call, so sampling starts from a fresh one to stay repeatable.
    if (o->temperature > 0 && open_state(e) != VSP_OK) return VSP_NO_MEMORY;

    whisper_token prompt[1024];
    int n_prompt = o->prompt[0] ? whisper_tokenize(e->ctx, o->prompt, prompt, 1024) : 0;
    if (n_prompt < 0) return VSP_FAILED;
    const int skip = n_prompt > MAX_PROMPT ? n_prompt - MAX_PROMPT : 0;

    struct whisper_full_params p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    p.n_threads = e->n_threads;
    p.no_context = true;
    p.single_segment = true;
    p.no_timestamps = !o->timestamps;
    p.print_progress = false;
    p.language = o->language;
    p.prompt_tokens = n_prompt ? prompt + skip : NULL;
    p.prompt_n_tokens = n_prompt - skip;
    p.temperature = o->temperature;
    p.temperature_inc = 0;
    p.greedy.best_of = 1;
    p.entropy_thold = -1; // our guards judge the text; the library must not drop any
    p.no_speech_thold = 2;
    p.abort_callback = is_cancelled;
    p.abort_callback_user_data = e;

    const int rc = whisper_full_with_state(e->ctx, e->state, p, samples, n);
    if (is_cancelled(e)) return VSP_CANCELLED;
    if (rc != 0) return VSP_FAILED;
    if (collect(e, n_tokens, ended) != VSP_OK) return VSP_NO_MEMORY;
    *tokens = e->tokens;
    *nosp = no_speech(e);
    return VSP_OK;
}

const char *vsp_text(vsp_engine *e, int32_t id, int *len) {
    if (id < 0 || id >= whisper_token_eot(e->ctx)) return NULL;
    const char *s = whisper_token_to_str(e->ctx, id);
    *len = s ? (int)strlen(s) : 0;
    return s;
}

int vsp_is_multilingual(vsp_engine *e) { return whisper_is_multilingual(e->ctx); }
const char *vsp_version(void) { return whisper_version(); }
