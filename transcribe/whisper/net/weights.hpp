// Weights in memory that the children of one pool share: the first child fills it, the others find it filled. The pool
// hands the same unnamed file to each child. Included by net.cpp alone.

namespace {

// The head of the shared memory. ready is set after all weights are in; a child that dies before that leaves it unset, and
// the next one fills the memory again.
struct shared_head {
    uint64_t ready;
    uint64_t size; // of the weights
};

constexpr size_t weights_at = 4096; // a page for the head

struct shared_weights {
    int fd;
    char *base = nullptr;
    size_t size = 0;
    bool filled = false; // by an earlier child
    // prepare looks at a model that was just loaded, and packs it unless an earlier child did; false: no memory.
    std::function<bool(whisper_context *, bool filled)> prepare;

    explicit shared_weights(int fd) : fd(fd) {}

    whisper_context *load(const char *path, whisper_context_params params);
    ggml_backend_buffer_t place(ggml_context *ctx, ggml_backend_buffer_type_t type);
    bool map(size_t need);
    void lock(short kind) const;
};

// The one that is loading; the library's loader calls back without a place for it.
shared_weights *loading = nullptr;

size_t padded_size(const ggml_tensor *t) { return GGML_PAD(ggml_nbytes(t), 64); }

bool shared_weights::map(size_t need) {
    const size_t total = weights_at + need;
    struct stat st;
    if (fstat(fd, &st) != 0) return false;
    if ((size_t)st.st_size < total && ftruncate(fd, (off_t)total) != 0) return false;
    void *at = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) return false;
    base = static_cast<char *>(at);
    size = total;
    const auto *head = reinterpret_cast<const shared_head *>(base);
    filled = head->ready == 1 && head->size == need;
    return true;
}

// lock waits for the other children. A record lock belongs to a process and ends with it; the file itself is one and the
// same open file in all of them.
void shared_weights::lock(short kind) const {
    struct flock l = {};
    l.l_type = kind;
    l.l_whence = SEEK_SET;
    if (fd >= 0) fcntl(fd, F_SETLKW, &l);
}

// place puts the tensors of ctx one after another into the shared memory. The mapping lives as long as the process.
ggml_backend_buffer_t shared_weights::place(ggml_context *ctx, ggml_backend_buffer_type_t type) {
    size_t need = 0;
    for (ggml_tensor *t = ggml_get_first_tensor(ctx); t; t = ggml_get_next_tensor(ctx, t)) need += padded_size(t);
    if (fd < 0 || base || type != ggml_backend_cpu_buffer_type() || !map(need)) {
        return ggml_backend_alloc_ctx_tensors_from_buft(ctx, type);
    }
    ggml_backend_buffer_t buffer = ggml_backend_cpu_buffer_from_ptr(base + weights_at, need);
    size_t at = 0;
    for (ggml_tensor *t = ggml_get_first_tensor(ctx); t; t = ggml_get_next_tensor(ctx, t)) {
        if (ggml_backend_tensor_alloc(buffer, t, base + weights_at + at) != GGML_STATUS_SUCCESS) return nullptr;
        at += padded_size(t);
    }
    return buffer;
}

// A reader of the model file that leaves out what is in the shared memory already.
struct model_file {
    shared_weights *shared;
    FILE *file;
};

size_t read_model(void *user, void *to, size_t n) {
    auto *m = static_cast<model_file *>(user);
    const char *dst = static_cast<char *>(to);
    const auto *s = m->shared;
    if (s->filled && dst >= s->base && dst < s->base + s->size) {
        return fseek(m->file, (long)n, SEEK_CUR) == 0 ? n : 0;
    }
    return fread(to, 1, n, m->file);
}

bool at_end(void *user) { return feof(static_cast<model_file *>(user)->file) != 0; }

void leave_open(void *) {} // closed by load, also when the library gives up early

whisper_context *shared_weights::load(const char *path, whisper_context_params params) {
    FILE *file = fopen(path, "rb");
    if (!file) return nullptr;
    lock(F_WRLCK);
    model_file source = {this, file};
    whisper_model_loader loader = {&source, read_model, at_end, leave_open};
    loading = this;
    whisper_context *ctx = whisper_init_with_params_no_state(&loader, params);
    loading = nullptr;
    if (ctx && !prepare(ctx, filled)) {
        whisper_free(ctx);
        ctx = nullptr;
    }
    if (ctx && base) {
        if (!filled) {
            auto *head = reinterpret_cast<shared_head *>(base);
            head->size = size - weights_at;
            head->ready = 1;
        }
        mprotect(base, size, PROT_READ); // a stray write crashes one child and harms no other
    }
    lock(F_UNLCK);
    fclose(file);
    return ctx;
}

} // namespace

static ggml_backend_buffer_t vsp_alloc_weights(ggml_context *ctx, ggml_backend_buffer_type_t type) {
    return loading ? loading->place(ctx, type) : ggml_backend_alloc_ctx_tensors_from_buft(ctx, type);
}
