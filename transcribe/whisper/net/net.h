// The network: whisper.cpp's encoder and decoder, one step at a time. Where whisper.h offers whole transcriptions, this
// offers what a search needs: one encoded stretch of audio, many token sequences over it at once, the attention that
// tells when a token was spoken, and a stop within milliseconds. Tensors, graphs and backends stay whisper.cpp's own.
#ifndef VESPER_NET_H
#define VESPER_NET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vsp_net vsp_net;

typedef struct {
    const char *model_path;
    const char *preset;   // model name without quantisation, "base.en"; chooses the alignment heads
    int shared_fd;        // memory that children of one pool share for the weights; −1: none
    int use_gpu;
    int n_threads;
} vsp_net_config;

enum { NET_OK = 0, NET_STOPPED = 1, NET_FAILED = 2, NET_FULL = 3 };

// NET_BATCH is how many tokens one call of vsp_net_forward takes at most; it bounds the memory that logits need.
enum { NET_BATCH = 64 };

// vsp_net_open loads the weights; stop is polled while anything runs. NULL when the model or the memory is not to be had.
vsp_net *vsp_net_open(const vsp_net_config *config, int (*stop)(void *), void *user);
void vsp_net_close(vsp_net *net);

// vsp_net_encode listens to at most 30 s of 16 kHz mono and forgets all sequences.
int vsp_net_encode(vsp_net *net, const float *samples, int n);

// vsp_net_forward runs n tokens, each at its position in its sequence, and fills one row of vocabulary logits for each token
// whose want is set, at logits + i·vocabulary. NET_FULL: no room for so many live tokens.
int vsp_net_forward(vsp_net *net, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                    const float **logits);

// vsp_net_attend runs n tokens of sequence 0 and returns how they attend to the audio: weights[head][frame][token],
// frames of 20 ms.
int vsp_net_attend(vsp_net *net, int n, const int32_t *tokens, int first_pos, const float **weights, int *heads, int *frames);

void vsp_net_forget(vsp_net *net);            // all sequences
void vsp_net_copy(vsp_net *net, int32_t from, int32_t to, int32_t pos); // to begins as from before pos; −1: all of it
void vsp_net_drop(vsp_net *net, int32_t seq); // one sequence

typedef struct {
    int vocabulary, text_context;
    int multilingual;
    int32_t sot, eot, prev, nosp, notimestamps, timestamps, transcribe, language_first, languages;
    int32_t blank; // the token of a single space
} vsp_net_facts;

vsp_net_facts vsp_net_about(vsp_net *net);
int32_t vsp_net_language(vsp_net *net, const char *code); // its token, or −1

#ifdef __cplusplus
}
#endif
#endif
