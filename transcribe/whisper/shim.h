// The shim between Go and the library: one engine per process, which holds one encoded stretch of audio at a time and
// answers questions about it: what was said (search.c), how likely a given text is (score.c), when each token was spoken
// (align.c). All memory it hands out is its own and stays valid until the next call. Token ids only; no text passes here.
#ifndef VESPER_SHIM_H
#define VESPER_SHIM_H

#include <stdint.h>

typedef struct vsp_engine vsp_engine;

typedef struct {
    const char *model_path;
    const char *vad_path;
    const char *preset; // model name without quantisation, "base.en"; chooses the alignment heads
    int shared_fd;      // memory for the weights that the children of a pool share; −1: none
    int use_gpu;
    int n_threads;
} vsp_config;

enum { VSP_OK = 0, VSP_CANCELLED = 1, VSP_FAILED = 2, VSP_BAD_LANGUAGE = 3, VSP_NO_MEMORY = 4, VSP_BAD_INPUT = 5 };

int vsp_open(const vsp_config *config, vsp_engine **out);
void vsp_close(vsp_engine *e);

// vsp_cancel may be called from any thread; it stops the running call within milliseconds. vsp_arm clears it.
void vsp_cancel(vsp_engine *e);
void vsp_arm(vsp_engine *e);

// vsp_speech fills one probability per 512 samples. The detector starts afresh at each call.
int vsp_speech(vsp_engine *e, const float *samples, int n, const float **probs, int *n_probs);

// vsp_encode listens to at most 30 s; what follows is about this audio. no_speech is the probability that nobody speaks,
// asked right after the start token, where the model was trained to tell.
int vsp_encode(vsp_engine *e, const float *samples, int n, float *no_speech);

// A context is what the model is told before it hears: the language and the words that came before.
typedef struct {
    const char *language; // "en", or "auto"
    const int32_t *prompt;
    int n_prompt; // the last tokens win
} vsp_context;

typedef struct {
    vsp_context context;
    int beams;         // 1: greedy
    float temperature; // above 0: sampled, one beam, from a fresh generator
    int timestamps;    // 1: let the model write timestamp tokens (a retry mode)
    const int32_t *mask; // tokens that must not be written
    int n_mask;
} vsp_options;

typedef struct {
    int32_t id;
    float logp;
} vsp_token;

typedef struct {
    const vsp_token *tokens;
    int n;
    float score; // mean log probability, the end included
    int ended;   // 0 when the text was cut at the token limit
} vsp_hypothesis;

// vsp_decode returns the best texts, best first; at least one. language is the token of the language heard or asked for.
int vsp_decode(vsp_engine *e, const vsp_options *o, const vsp_hypothesis **found, int *n_found);

// Edits are texts that could stand in a base text: edit t follows the first at[t] tokens of the base.
typedef struct {
    const int32_t *base;
    int n_base;
    const int *at, *lengths; // of each edit; at most 64 tokens
    const int32_t *tokens;   // of all edits, one after another
    int n;                   // edits
} vsp_edits;

// vsp_score returns the log probability of each token of the base, then of each token of each edit. Texts may contain the
// end token.
int vsp_score(vsp_engine *e, const vsp_context *c, const vsp_edits *x, const float **logps);

// vsp_rivals returns what else the model would have written in the last scored base: for each of its tokens the
// VSP_RIVALS likeliest other text tokens, the likeliest first.
enum { VSP_RIVALS = 4 };
const vsp_token *vsp_rivals(const vsp_engine *e);

// vsp_align returns the end of each token in centiseconds from the start of the samples.
int vsp_align(vsp_engine *e, const vsp_context *c, const int32_t *tokens, int n, const int32_t **ends);

int vsp_vocabulary(vsp_engine *e);
const char *vsp_version(void);

#endif
