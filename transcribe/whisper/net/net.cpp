// Compiled together with whisper.cpp's own source, because what a search needs is not in its header: batches over several
// sequences, their key-value cells, and the cross attention. Nothing of it is copied or changed, but for one call: the
// weights are put where all children of a pool share them.
#include <ggml-backend.h>

static ggml_backend_buffer_t vsp_alloc_weights(struct ggml_context *ctx, ggml_backend_buffer_type_t type);
#define ggml_backend_alloc_ctx_tensors_from_buft vsp_alloc_weights
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <whisper-version.h>
#include <whisper.cpp>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#undef ggml_backend_alloc_ctx_tensors_from_buft

#include <ggml-alloc.h>
#include <ggml-cpu.h>

#include <array>
#include <functional>

#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "parts.hpp"
#include "weights.hpp"

struct vsp_net {
    whisper_context *ctx = nullptr;
    whisper_state *state = nullptr;
    int n_threads = 1;
    int (*stop)(void *) = nullptr;
    void *user = nullptr;
    whisper_batch batch = {};
    bool has_batch = false;
    model_parts parts;
    bool packed = false;
    bool use_gpu = false;
    vsp_net_facts about = {};
    ggml_backend_buffer_t kept = nullptr; // what one stage of the encoder hands to the next
};

static whisper_alignment_heads_preset heads_for(const char *name) {
    static const struct {
        const char *name;
        whisper_alignment_heads_preset preset;
    } known[] = {
        {"tiny.en", WHISPER_AHEADS_TINY_EN},     {"tiny", WHISPER_AHEADS_TINY},         {"base.en", WHISPER_AHEADS_BASE_EN},
        {"base", WHISPER_AHEADS_BASE},           {"small.en", WHISPER_AHEADS_SMALL_EN}, {"small", WHISPER_AHEADS_SMALL},
        {"medium.en", WHISPER_AHEADS_MEDIUM_EN}, {"medium", WHISPER_AHEADS_MEDIUM},     {"large-v1", WHISPER_AHEADS_LARGE_V1},
        {"large-v2", WHISPER_AHEADS_LARGE_V2},   {"large-v3", WHISPER_AHEADS_LARGE_V3}, {"large-v3-turbo", WHISPER_AHEADS_LARGE_V3_TURBO},
    };
    for (const auto &k : known) {
        if (strcmp(name, k.name) == 0) return k.preset;
    }
    return WHISPER_AHEADS_N_TOP_MOST;
}

// Log lines of the library can quote decoded text; none of them leaves the process.
static void discard_log(ggml_log_level, const char *, void *) {}

static bool stopped(void *net) {
    auto *n = static_cast<vsp_net *>(net);
    return n->stop && n->stop(n->user) != 0;
}

// live_cells is how many tokens may be alive at once: a prompt, a text, and beams that part late. Fewer for large models,
// whose cells are big; a search that runs out goes on greedily.
static int live_cells(const whisper_context &ctx) {
    return GGML_PAD(ctx.model.hparams.n_text_ctx, 256) + (ctx.model.hparams.n_text_layer <= 12 ? 768 : 256);
}

static bool open_state(vsp_net *n) {
    n->state = whisper_init_state(n->ctx);
    if (!n->state) return false;
    whisper_kv_cache_free(n->state->kv_self);
    n->state->kv_self = {};
    const auto &h = n->ctx->model.hparams;
    if (n->packed) {
        n->parts.cross_keys = n->state->kv_cross.k->data;
        n->parts.cross_values = n->state->kv_cross.v->data;
    } else if (!whisper_kv_cache_init(n->state->kv_self, n->state->backends[0], n->ctx->itype, h.n_text_state, h.n_text_layer,
                               live_cells(*n->ctx))) {
        return false;
    }
    if (!n->use_gpu) {
        for (auto *sched : {&n->state->sched_conv, &n->state->sched_encode, &n->state->sched_cross, &n->state->sched_decode}) {
            if (sched == &n->state->sched_decode && !n->packed) continue;
            ggml_backend_sched_free(sched->sched);
            sched->sched = nullptr;
        }
    }
    // The processor's backends ask before each node of a graph, so that even the encoder stops at once.
    for (auto &b : n->state->backends) {
        auto *reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(b));
        auto *set = (ggml_backend_set_abort_callback_t)ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_abort_callback");
        if (set) set(b, stopped, n);
    }
    return true;
}

static vsp_net_facts about(whisper_context &ctx) {
    auto *c = &ctx;
    vsp_net_facts f = {};
    f.vocabulary = whisper_n_vocab(c);
    f.text_context = whisper_n_text_ctx(c);
    f.multilingual = whisper_is_multilingual(c);
    f.sot = whisper_token_sot(c);
    f.eot = whisper_token_eot(c);
    f.prev = whisper_token_prev(c);
    f.nosp = whisper_token_nosp(c);
    f.notimestamps = whisper_token_not(c);
    f.timestamps = whisper_token_beg(c);
    f.transcribe = whisper_token_transcribe(c);
    f.language_first = whisper_token_lang(c, 0);
    f.languages = f.multilingual ? f.transcribe - 1 - f.language_first : 0;
    const auto blank = c->vocab.token_to_id.find(" ");
    f.blank = blank == c->vocab.token_to_id.end() ? -1 : blank->second;
    return f;
}

// give_back returns free memory to the system, and from then on large pieces at once when they are freed.
static void give_back() {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    malloc_trim(0);
#endif
}

vsp_net *vsp_net_open(const vsp_net_config *c, int (*stop)(void *), void *user) {
    whisper_log_set(discard_log, nullptr);
    auto *n = new vsp_net;
    n->n_threads = c->n_threads > 0 ? c->n_threads : 1;
    n->stop = stop;
    n->user = user;
    n->use_gpu = c->use_gpu != 0;

    whisper_context_params p = whisper_context_default_params();
    p.use_gpu = n->use_gpu;
    p.flash_attn = false; // the decoder's attention must be visible; the encoder has its own switch
    p.dtw_token_timestamps = true;
    p.dtw_aheads_preset = heads_for(c->preset);
    p.dtw_n_top = 2;
    shared_weights shared(c->shared_fd);
    shared.prepare = [&](whisper_context *ctx, bool filled) {
        n->parts.read(*ctx, p, live_cells(*ctx));
        n->packed = c->takes && c->pack && !p.use_gpu && c->takes(&n->parts);
        return filled || !n->packed || n->parts.each_matrix(c->pack);
    };
    n->ctx = shared.load(c->model_path, p);
    if (!n->ctx || !open_state(n)) {
        vsp_net_close(n);
        return nullptr;
    }
    n->batch = whisper_batch_init(NET_BATCH, 1);
    n->has_batch = true;
    n->about = about(*n->ctx);
    // The two maps of all words are not asked again; what memory loading took goes back.
    n->ctx->vocab.token_to_id.clear();
    n->ctx->vocab.id_to_token.clear();
    give_back();
    return n;
}

void vsp_net_close(vsp_net *n) {
    if (!n) return;
    if (n->has_batch) whisper_batch_free(n->batch);
    if (n->state) whisper_free_state(n->state);
    if (n->ctx) whisper_free(n->ctx);
    if (n->kept) ggml_backend_buffer_free(n->kept);
    delete n;
}

const vsp_net_parts *vsp_net_packed(vsp_net *n) { return n->packed ? &n->parts : nullptr; }

static int outcome(vsp_net *n, bool ok) {
    if (stopped(n)) return NET_STOPPED;
    return ok ? NET_OK : NET_FAILED;
}

// set_mel puts the spectrogram into the graph's input, with silence up to the 30 s that the model sees.
static void set_mel(const whisper_state &s, ggml_tensor *input) {
    const int64_t frames = input->ne[0];
    std::vector<float> padded(ggml_nelements(input), 0.0f);
    const int64_t have = std::min<int64_t>(frames, s.mel.n_len);
    for (int64_t band = 0; band < s.mel.n_mel; band++) {
        const float *from = s.mel.data.data() + band * s.mel.n_len;
        std::copy(from, from + have, padded.data() + band * frames);
    }
    ggml_backend_tensor_set(input, padded.data(), 0, ggml_nbytes(input));
}

// stage runs one graph of the encoder, which fill may put something into before, and returns its result in kept. On a
// processor its memory is given back at once: the stages need much, one after the other, and the decoder none of it.
template <typename Build, typename Fill>
static bool stage(vsp_net *n, whisper_sched &s, Build build, Fill fill, ggml_tensor **result) {
    if (!s.sched) {
        auto &b = n->state->backends;
        s.sched = ggml_backend_sched_new(b.data(), nullptr, b.size(), WHISPER_MAX_NODES, false, true);
    }
    ggml_cgraph *graph = build(*n->ctx, *n->state);
    bool ok = ggml_backend_sched_alloc_graph(s.sched, graph);
    if (ok) fill(graph);
    ok = ok && ggml_graph_compute_helper(s.sched, graph, n->n_threads) && !stopped(n);
    if (n->use_gpu) return ok;
    if (ok && result) {
        ggml_tensor *t = *result;
        if (!n->kept) n->kept = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), ggml_nbytes(t));
        if (n->kept && ggml_backend_buffer_get_size(n->kept) >= ggml_nbytes(t)) {
            void *to = ggml_backend_buffer_get_base(n->kept);
            ggml_backend_tensor_get(t, to, 0, ggml_nbytes(t));
            t->data = to;
            t->buffer = n->kept;
        } else {
            ok = false;
        }
    }
    ggml_backend_sched_free(s.sched);
    s.sched = nullptr;
    return ok;
}

// encode runs the three graphs of the encoder. Flash attention is the faster there, and is switched on for it alone: the
// keys and values that the library's decoder reads are laid out for attention that can be seen.
static bool encode(vsp_net *n) {
    auto &s = *n->state;
    const auto nothing = [](ggml_cgraph *) {};
    if (!stage(n, s.sched_conv, whisper_build_graph_conv, [&](ggml_cgraph *g) { set_mel(s, ggml_graph_get_tensor(g, "mel")); }, &s.embd_conv)) {
        return false;
    }
    n->ctx->params.flash_attn = true;
    bool ok = stage(n, s.sched_encode, whisper_build_graph_encoder, nothing, &s.embd_enc);
    n->ctx->params.flash_attn = n->packed;
    ok = ok && stage(n, s.sched_cross, whisper_build_graph_cross, nothing, nullptr);
    n->ctx->params.flash_attn = false;
    return ok;
}

int vsp_net_encode(vsp_net *n, const float *samples, int count) {
    vsp_net_forget(n);
    if (stopped(n)) return NET_STOPPED;
    if (whisper_pcm_to_mel_with_state(n->ctx, n->state, samples, count, n->n_threads) != 0) return outcome(n, false);
    return outcome(n, encode(n));
}

static bool run(vsp_net *n, bool attention) {
    return whisper_decode_internal(*n->ctx, *n->state, n->batch, n->n_threads, attention, nullptr, nullptr);
}

int vsp_net_forward(vsp_net *n, int count, const int32_t *tokens, const int32_t *pos, const int32_t *seq, const int8_t *want,
                    const float **logits) {
    if (count <= 0 || count > NET_BATCH) return NET_FAILED;
    if (stopped(n)) return NET_STOPPED;
    auto &b = n->batch;
    b.n_tokens = count;
    for (int i = 0; i < count; i++) {
        b.token[i] = tokens[i];
        b.pos[i] = pos[i];
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = seq[i];
        b.logits[i] = want[i];
    }
    if (!whisper_kv_cache_find_slot(n->state->kv_self, b)) return NET_FULL;
    for (int i = 0; i < count; i++) { // give the cells back; the call below takes the same ones
        auto &cell = n->state->kv_self.cells[n->state->kv_self.head + i];
        cell.pos = -1;
        cell.seq_id.clear();
    }
    const bool ok = run(n, false);
    auto &rows = n->state->logits;
    const size_t width = (size_t)n->ctx->model.hparams.n_vocab;
    for (int i = 0, to = 0; i < count && ok; i++) {
        if (!want[i]) continue;
        if (to < i) std::copy(rows.begin() + i * width, rows.begin() + (i + 1) * width, rows.begin() + to * width);
        to++;
    }
    *logits = rows.data();
    return outcome(n, ok);
}

int vsp_net_attend(vsp_net *n, int count, const int32_t *tokens, int first, const float **weights, int *heads, int *frames) {
    if (count <= 0 || count > NET_BATCH) return NET_FAILED;
    if (stopped(n)) return NET_STOPPED;
    auto &b = n->batch;
    b.n_tokens = count;
    for (int i = 0; i < count; i++) {
        b.token[i] = tokens[i];
        b.pos[i] = first + i;
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = 0;
        b.logits[i] = 0;
    }
    n->state->aheads_cross_QKs = nullptr;
    if (!run(n, true) || !n->state->aheads_cross_QKs) return outcome(n, false);
    const ggml_tensor *t = n->state->aheads_cross_QKs;
    auto &data = n->state->aheads_cross_QKs_data;
    data.resize(ggml_nelements(t));
    ggml_backend_tensor_get(t, data.data(), 0, ggml_nbytes(t));
    *weights = data.data();
    *frames = (int)t->ne[1];
    *heads = (int)t->ne[2];
    return outcome(n, true);
}

void vsp_net_forget(vsp_net *n) {
    if (n->packed) return;
    whisper_kv_cache_seq_rm(n->state->kv_self, -1, -1, -1);
    n->state->kv_self.head = 0;
}

void vsp_net_copy(vsp_net *n, int32_t from, int32_t to, int32_t pos) {
    whisper_kv_cache_seq_cp(n->state->kv_self, from, to, -1, pos);
}
void vsp_net_drop(vsp_net *n, int32_t seq) { whisper_kv_cache_seq_rm(n->state->kv_self, seq, -1, -1); }

void vsp_net_trim(vsp_net *n, int32_t seq, int32_t count) { whisper_kv_cache_seq_rm(n->state->kv_self, seq, count, -1); }

vsp_net_facts vsp_net_about(vsp_net *n) { return n->about; }

int32_t vsp_net_language(vsp_net *n, const char *code) {
    const int id = whisper_lang_id(code);
    return id < 0 ? -1 : whisper_token_lang(n->ctx, id);
}
