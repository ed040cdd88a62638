// What the parts of the shim share. Not for Go.
#ifndef VESPER_ENGINE_H
#define VESPER_ENGINE_H

#include <stdatomic.h>
#include <whisper.h>

#include "net/net.h"
#include "shim.h"

enum {
    MAX_PROMPT = 223, // half of the model's text, less the token before it
    MAX_TEXT = 220,   // tokens of one text
    MAX_START = MAX_PROMPT + 5,
    MAX_BEAMS = 8,
};

struct vsp_engine {
    vsp_net *net;
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
    int32_t *ends;
};

// vsp_start writes prompt, start, language and task tokens, at most MAX_START, and returns how many; below 0: a VSP error.
// with_times leaves out the token that forbids timestamps.
int vsp_start(vsp_engine *e, const vsp_context *c, int with_times, int32_t *out);

// vsp_feed runs tokens of sequence 0 from position first on; logits, if asked for, are those after the last one.
int vsp_feed(vsp_engine *e, const int32_t *tokens, int n, int first, const float **logits);

// vsp_log_softmax turns a row of logits into log probabilities, in place; −∞ stays.
void vsp_log_softmax(float *row, int n);

// vsp_code turns a code of the network into one of the shim.
int vsp_code(int net);

#endif
