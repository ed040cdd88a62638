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

struct vsp_net_parts;

typedef struct {
    const char *model_path;
    const char *preset;   // model name without quantisation, "base.en"; chooses the alignment heads
    int shared_fd;        // memory that children of one pool share for the weights; −1: none
    int use_gpu;
    int n_threads;
    // Where another decoder than the library's will run the model, what asks whether it can, and what brings one matrix
    // into its layout, in place; see vsp_net_parts. NULL: none.
    int (*takes)(const struct vsp_net_parts *parts);
    int (*pack)(void *weights, int64_t rows, int64_t k);
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
// whose want is set, one behind the other. NET_FULL: no room for so many live tokens.
int vsp_net_forward(vsp_net *net, int n, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                    const float **logits);

// vsp_net_attend runs n tokens of sequence 0 and returns how they attend to the audio: weights[head][frame][token],
// frames of 20 ms.
int vsp_net_attend(vsp_net *net, int n, const int32_t *tokens, int first_pos, const float **weights, int *heads, int *frames);

void vsp_net_forget(vsp_net *net);            // all sequences
void vsp_net_copy(vsp_net *net, int32_t from, int32_t to, int32_t pos); // to begins as from before pos; −1: all of it
void vsp_net_drop(vsp_net *net, int32_t seq); // one sequence
void vsp_net_trim(vsp_net *net, int32_t seq, int32_t n); // keeps its first n tokens

typedef struct {
    int vocabulary, text_context;
    int multilingual;
    int32_t sot, eot, prev, nosp, notimestamps, timestamps, transcribe, language_first, languages;
    int32_t blank; // the token of a single space
} vsp_net_facts;

// What a decoder of one's own needs: the weights where the library put them, and where the encoder leaves keys and values.
typedef struct {
    void *data; // q8_0, rows of k; NULL: stored in another way
    int rows, k;
} vsp_net_matrix;

typedef struct {
    const float *gain, *shift;
} vsp_net_norm;

typedef struct {
    vsp_net_norm before_self, before_cross, before_mlp;
    vsp_net_matrix q, k, v, out, cross_q, cross_out, up, down;
    const float *q_bias, *v_bias, *out_bias, *cross_q_bias, *cross_out_bias, *up_bias, *down_bias;
} vsp_net_layer;

typedef struct vsp_net_parts {
    int state, heads, layers, text_context, audio_context;
    int cells;  // tokens that may be alive at once
    int padded; // frames of keys and values for each layer
    float eps;
    const vsp_net_layer *layer;
    vsp_net_matrix embedding; // also what logits are made with
    const float *positions;
    vsp_net_norm last;
    void *cross_keys, *cross_values; // after encoding: halves, [layer][padded][state]
    int n_align;                     // heads that follow the audio
    const int (*align)[2];           // layer and head of each
} vsp_net_parts;

// vsp_net_packed returns the parts where takes agreed and pack went over the matrices; then the functions from forward to
// drop are not to be called. NULL otherwise.
const vsp_net_parts *vsp_net_packed(vsp_net *net);

vsp_net_facts vsp_net_about(vsp_net *net);
int32_t vsp_net_language(vsp_net *net, const char *code); // its token, or −1

#ifdef __cplusplus
}
#endif
#endif
