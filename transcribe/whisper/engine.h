// What the parts of the shim share. Not for Go.
#ifndef VESPER_ENGINE_H
#define VESPER_ENGINE_H

#include <stdatomic.h>
#include <whisper.h>

#include "decoder.h"
#include "net/net.h"
#include "shim.h"

enum {
    MAX_PROMPT = 223, // half of the model's text, less the token before it
    MAX_TEXT = 220,   // tokens of one text
    MAX_START = MAX_PROMPT + 5,
    MAX_BEAMS = 8,
    MAX_SEQUENCE = NET_BATCH, // the highest number of a sequence
};

struct vsp_engine {
    vsp_net *net;
    vsp_decoder *decoder; // on our own kernels; NULL: the library's is used
    vsp_net_facts facts;
    struct whisper_vad_context *vad;
    atomic_int cancelled;
    int frames;        // of 20 ms in the audio that is held; 0: none
    float *padded;     // short audio with silence behind it
    int32_t heard;     // token of the language that was detected in it; −1: not asked yet
    vsp_token *tokens; // of the last texts
    vsp_hypothesis found[2 * MAX_BEAMS];
    float *numbers; // of the last scores
    int n_numbers;
    vsp_token rivals[MAX_TEXT * VSP_RIVALS]; // of the last base
    int32_t *ends;
    int32_t fed[MAX_START + MAX_TEXT]; // what sequence 0 holds
    int n_fed;
};

// Steps of the decoder, whichever it is; they return NET codes. See net.h and decoder.h.
int vsp_forward(vsp_engine *e, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                const float **logits);
int vsp_scores(vsp_engine *e, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, int n_asks, const int32_t *ask_at,
               const int32_t *ask_token, float *out, vsp_token *const *rivals);
int vsp_attentions(vsp_engine *e, int n, const int32_t *tokens, int first, const float **weights, int *heads, int *frames);
void vsp_forget(vsp_engine *e);
void vsp_copy(vsp_engine *e, int32_t from, int32_t to, int32_t pos);
void vsp_drop(vsp_engine *e, int32_t seq);

// vsp_keep makes sequence 0 the longest beginning of tokens that it holds already, but not all of them, drops all other
// sequences, and returns how many tokens that is: requests about the same audio often begin alike. vsp_hold notes what it
// holds after the rest was fed.
int vsp_keep(vsp_engine *e, const int32_t *tokens, int n);
void vsp_hold(vsp_engine *e, const int32_t *tokens, int n);

// vsp_start writes prompt, start, language and task tokens, at most MAX_START, and returns how many; below 0: a VSP error.
// with_times leaves out the token that forbids timestamps.
int vsp_start(vsp_engine *e, const vsp_context *c, int with_times, int32_t *out);

// vsp_feed makes sequence 0 hold these tokens; logits are those after the last one.
int vsp_feed(vsp_engine *e, const int32_t *tokens, int n, const float **logits);

// vsp_log_softmax turns a row of logits into log probabilities, in place; −∞ stays.
void vsp_log_softmax(float *row, int n);

// vsp_code turns a code of the network into one of the shim.
int vsp_code(int net);

#endif
