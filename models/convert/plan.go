package convert

import (
	"fmt"
	"strings"
)

// tensor says where one tensor of the ggml file comes from.
type tensor struct {
	name   string
	dims   []int64 // row-major; written reversed, as ggml wants it
	offset int64   // of the float16 data in the source
	f32    bool    // widen to float32
}

// planner collects tensors and the first failure.
type planner struct {
	m    *CT2
	list []tensor
	err  error
}

// plan lists the tensors in the order of OpenAI's checkpoints, with their names there. The published ggml files keep
// that order, and the checkpoints hold every number as float16 (the encoder's sinusoids too), so what comes out here is
// the published file, byte for byte, and its published digest vouches for it.
func (m *CT2) plan(d dims) ([]tensor, error) {
	p := &planner{m: m}
	p.add("decoder.positional_embedding", "decoder/position_encodings/encodings", d.textCtx, d.state)
	p.add("encoder.positional_embedding", "encoder/position_encodings/encodings", d.audioCtx, d.state)
	p.add("decoder.token_embedding.weight", "decoder/embeddings/weight", d.vocab, d.state)
	for i := range d.textLayer {
		p.block(fmt.Sprintf("decoder.blocks.%d.", i), fmt.Sprintf("decoder/layer_%d/", i), d.state, true)
	}
	p.norm("decoder.ln", "decoder/layer_norm", d.state)
	p.conv("encoder.conv1", "encoder/conv1", d.state, d.mels)
	p.conv("encoder.conv2", "encoder/conv2", d.state, d.state)
	for i := range d.audioLayer {
		p.block(fmt.Sprintf("encoder.blocks.%d.", i), fmt.Sprintf("encoder/layer_%d/", i), d.state, false)
	}
	p.norm("encoder.ln_post", "encoder/layer_norm", d.state)
	return p.list, p.err
}

// part adds rows [from, from+dims[0]) of a source variable whose first dimension is whole.
func (p *planner) part(name, src string, whole, from int64, dims ...int64) {
	if p.err != nil {
		return
	}
	want := append([]int64{whole}, dims[1:]...)
	v, err := p.m.need(src, ct2F16, want...)
	if err != nil {
		p.err = err
		return
	}
	row := int64(2)
	for _, d := range dims[1:] {
		row *= d
	}
	f32 := len(dims) == 1 || strings.HasSuffix(src, "position_encodings/encodings")
	p.list = append(p.list, tensor{name: name, dims: dims, offset: v.Offset + from*row, f32: f32})
}

func (p *planner) add(name, src string, dims ...int64) { p.part(name, src, dims[0], 0, dims...) }

func (p *planner) norm(name, src string, n int64) {
	p.add(name+".weight", src+"/gamma", n)
	p.add(name+".bias", src+"/beta", n)
}

func (p *planner) linear(name, src string, out, in int64) {
	p.add(name+".weight", src+"/weight", out, in)
	p.add(name+".bias", src+"/bias", out)
}

// conv adds a convolution; ggml wants its bias as a column.
func (p *planner) conv(name, src string, out, in int64) {
	p.add(name+".weight", src+"/weight", out, in, 3)
	p.add(name+".bias", src+"/bias", out)
	if p.err == nil {
		p.list[len(p.list)-1].dims = []int64{out, 1}
	}
}

func (p *planner) block(name, src string, n int64, cross bool) {
	p.norm(name+"mlp_ln", src+"ffn/layer_norm", n)
	p.linear(name+"mlp.0", src+"ffn/linear_0", 4*n, n)
	p.linear(name+"mlp.2", src+"ffn/linear_1", n, 4*n)
	p.norm(name+"attn_ln", src+"self_attention/layer_norm", n)
	p.attention(name+"attn.", src+"self_attention/linear_0", 0, 3, src+"self_attention/linear_0", src+"self_attention/linear_1", n)
	if cross {
		p.norm(name+"cross_attn_ln", src+"attention/layer_norm", n)
		p.attention(name+"cross_attn.", src+"attention/linear_0", -1, 2, src+"attention/linear_1", src+"attention/linear_2", n)
	}
}

// attention splits the stacked projections. Self-attention stacks q, k and v in one matrix; cross-attention has q apart
// and stacks k and v. base is the row block of q in kv, or -1 when q is apart. k has no bias in Whisper.
func (p *planner) attention(name, q string, base, blocks int64, kv, out string, n int64) {
	whole := blocks * n
	if base < 0 {
		p.linear(name+"query", q, n, n)
	} else {
		p.part(name+"query.weight", kv+"/weight", whole, 0, n, n)
		p.part(name+"query.bias", kv+"/bias", whole, 0, n)
	}
	p.part(name+"key.weight", kv+"/weight", whole, (base+1)*n, n, n)
	p.part(name+"value.weight", kv+"/weight", whole, (base+2)*n, n, n)
	p.part(name+"value.bias", kv+"/bias", whole, (base+2)*n, n)
	p.linear(name+"out", out, n, n)
}
