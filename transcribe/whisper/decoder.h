// The decoder of Whisper on our own kernels: one step of many tokens over one encoded stretch. It reads the weights where
// the library put them, needs no graph, computes only the logits that are asked for, and keeps keys and values packed.
#ifndef VESPER_DECODER_H
#define VESPER_DECODER_H

#include <stdint.h>

#include "net/net.h"
#include "shim.h"

typedef struct vsp_decoder vsp_decoder;

enum { DEC_SEQUENCES = 1 + NET_BATCH }; // numbers of sequences lie below this

// vsp_decoder_open makes a decoder for weights that vsp_decoder_pack went over. NULL: no memory, or shapes that the kernels
// do not have.
vsp_decoder *vsp_decoder_open(const vsp_net_parts *parts, int n_threads, int (*stop)(void *), void *user);
void vsp_decoder_close(vsp_decoder *d);

// vsp_decoder_takes tells whether the kernels can run this model here. vsp_decoder_pack brings one matrix of it into their
// layout, in place; 0: no memory.
int vsp_decoder_takes(const vsp_net_parts *parts);
int vsp_decoder_pack(void *weights, int64_t rows, int64_t k);

// vsp_decoder_hear takes over the keys and values of the audio that was just encoded, and forgets all sequences.
int vsp_decoder_hear(vsp_decoder *d);

// The next three run n ≤ NET_BATCH tokens, each at the end of its sequence, and return a NET code. forward fills one row of
// logits for each token whose want is set, one behind the other. score fills, for each ask, the log probability of
// token ask_token[i] behind the batch's token ask_at[i], and in rivals[i], where that is not NULL, the VSP_RIVALS likeliest
// others of the first n_text tokens. attend returns weights[head][frame][token] of the heads that
// follow the audio, frames of 20 ms, for n tokens of sequence 0.
int vsp_decoder_forward(vsp_decoder *d, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                        const float **logits);
int vsp_decoder_score(vsp_decoder *d, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, int n_asks,
                      const int32_t *ask_at, const int32_t *ask_token, float *out, vsp_token *const *rivals, int n_text);
int vsp_decoder_attend(vsp_decoder *d, int n, const int32_t *tokens, int first, const float **weights, int *heads, int *frames);

void vsp_decoder_forget(vsp_decoder *d);
void vsp_decoder_copy(vsp_decoder *d, int32_t from, int32_t to, int32_t pos); // to begins as from before pos; −1: all of it
void vsp_decoder_drop(vsp_decoder *d, int32_t seq);
void vsp_decoder_trim(vsp_decoder *d, int32_t seq, int n); // keeps its first n tokens

// vsp_no_rivals empties a list of VSP_RIVALS; vsp_add_rival puts a token that belongs there into it, the likeliest first.
static inline void vsp_no_rivals(vsp_token *list) {
    for (int i = 0; i < VSP_RIVALS; i++) list[i] = (vsp_token){0, -3.0e38f};
}

static inline void vsp_add_rival(vsp_token *list, int32_t id, float value) {
    int i = VSP_RIVALS - 1;
    for (; i > 0 && list[i - 1].logp < value; i--) list[i] = list[i - 1];
    list[i] = (vsp_token){id, value};
}

#endif
