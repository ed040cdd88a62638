// Where the library keeps what a decoder needs. Included by net.cpp alone.

namespace {

const float *numbers(const ggml_tensor *t) {
    return t->type == GGML_TYPE_F32 && ggml_is_contiguous(t) ? static_cast<const float *>(t->data) : nullptr;
}

vsp_net_matrix matrix(const ggml_tensor *t) {
    const bool known = t->type == GGML_TYPE_Q8_0 && ggml_is_contiguous(t) && t->buffer && ggml_backend_buffer_is_host(t->buffer);
    return {known ? t->data : nullptr, (int)t->ne[1], (int)t->ne[0]};
}

struct model_parts : vsp_net_parts {
    std::vector<vsp_net_layer> layers_;
    std::vector<std::array<int, 2>> align_;

    void read(whisper_context &ctx, const whisper_context_params &params, int live);
    bool each_matrix(int (*pack)(void *, int64_t, int64_t)) const;
};

void model_parts::read(whisper_context &ctx, const whisper_context_params &params, int live) {
    const auto &m = ctx.model;
    const auto &h = m.hparams;
    layers_.clear();
    align_.clear();
    for (int i = 0; i < h.n_text_layer; i++) {
        const auto &l = m.layers_decoder[i];
        layers_.push_back({
            {numbers(l.attn_ln_0_w), numbers(l.attn_ln_0_b)},
            {numbers(l.cross_attn_ln_0_w), numbers(l.cross_attn_ln_0_b)},
            {numbers(l.mlp_ln_w), numbers(l.mlp_ln_b)},
            matrix(l.attn_q_w), matrix(l.attn_k_w), matrix(l.attn_v_w), matrix(l.attn_ln_1_w), matrix(l.cross_attn_q_w),
            matrix(l.cross_attn_ln_1_w), matrix(l.mlp_0_w), matrix(l.mlp_1_w),
            numbers(l.attn_q_b), numbers(l.attn_v_b), numbers(l.attn_ln_1_b), numbers(l.cross_attn_q_b), numbers(l.cross_attn_ln_1_b),
            numbers(l.mlp_0_b), numbers(l.mlp_1_b),
        });
        for (uint32_t head : get_alignment_heads_by_layer(params, i, h.n_text_layer, h.n_text_head)) align_.push_back({i, (int)head});
    }
    state = h.n_text_state;
    heads = h.n_text_head;
    layers = h.n_text_layer;
    text_context = h.n_text_ctx;
    audio_context = h.n_audio_ctx;
    cells = live;
    padded = GGML_PAD(h.n_audio_ctx, 256);
    eps = h.eps;
    layer = layers_.data();
    embedding = matrix(m.d_te);
    positions = numbers(m.d_pe);
    last = {numbers(m.d_ln_w), numbers(m.d_ln_b)};
    n_align = (int)align_.size();
    align = reinterpret_cast<const int (*)[2]>(align_.data());
}

bool model_parts::each_matrix(int (*pack)(void *, int64_t, int64_t)) const {
    std::vector<vsp_net_matrix> all = {embedding};
    for (const auto &l : layers_) all.insert(all.end(), {l.q, l.k, l.v, l.out, l.cross_q, l.cross_out, l.up, l.down});
    for (const auto &m : all) {
        if (!pack(m.data, m.rows, m.k)) return false;
    }
    return true;
}

} // namespace
