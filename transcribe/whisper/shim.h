// The shim between Go and whisper.h: one context, one state and one voice detector per process, greedy decoding that can
// be cancelled at each token, word times by DTW, and the true no-speech probability. All memory it hands out is its own
// and stays valid until the next call.
#ifndef VESPER_SHIM_H
#define VESPER_SHIM_H

#include <stddef.h>
#include <stdint.h>

typedef struct vsp_engine vsp_engine;

typedef struct {
    const char *model_path;
    const char *vad_path;
    const char *preset; // model name without quantisation, "base.en"; chooses the alignment heads
    int use_gpu;
    int word_times; // 1: DTW word times, which needs flash attention off
    int n_threads;
} vsp_config;

typedef struct {
    const char *language; // "en"
    const char *prompt;   // may be empty; the last tokens win
    float temperature;
    int timestamps; // 1: let the model write timestamp tokens (a retry mode)
} vsp_options;

typedef struct {
    int32_t id;
    float p;
    float logp;
    int64_t t; // end of the token, centiseconds from the start of the samples; −1 if unknown
} vsp_token;

enum { VSP_OK = 0, VSP_CANCELLED = 1, VSP_FAILED = 2, VSP_BAD_LANGUAGE = 3, VSP_NO_MEMORY = 4 };

int vsp_open(const vsp_config *config, vsp_engine **out);
void vsp_close(vsp_engine *e);

// vsp_cancel may be called from any thread; it stops the running call at its next token. vsp_arm clears it.
void vsp_cancel(vsp_engine *e);
void vsp_arm(vsp_engine *e);

// vsp_speech fills one probability per 512 samples. The detector starts afresh at each call.
int vsp_speech(vsp_engine *e, const float *samples, int n, const float **probs, int *n_probs);

// vsp_decode decodes up to 30 s. ended is 0 when the text was cut at the token limit.
int vsp_decode(vsp_engine *e, const float *samples, int n, const vsp_options *o, const vsp_token **tokens, int *n_tokens,
               float *no_speech, int *ended);

// vsp_text returns the bytes of a text token, or NULL for a special token.
const char *vsp_text(vsp_engine *e, int32_t id, int *len);

int vsp_is_multilingual(vsp_engine *e);
const char *vsp_version(void);

#endif
