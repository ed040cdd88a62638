package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
)

// textBlock is a text that its author approved and inserts by name.
type textBlock struct {
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name" doc:"As it is said: insert my normal NAME"`
	Also    []string  `json:"also" doc:"Other names"`
	Text    string    `json:"text"`
	AddedAt time.Time `json:"added_at" doc:"When the author approved it"`
}

type blocksOutput struct {
	Body struct {
		Items []textBlock `json:"items"`
	}
}

type blockOutput struct {
	Body textBlock
}

type addBlockInput struct {
	Body struct {
		Name string   `json:"name" minLength:"2" maxLength:"60" doc:"As it is said"`
		Also []string `json:"also,omitempty" maxItems:"5" doc:"Other names"`
		Text string   `json:"text" minLength:"1" maxLength:"8000" doc:"What is inserted, as it stands"`
	}
}

func (s *Server) mountBlocks() {
	const tag = "terms"
	add(s, operation(http.MethodGet, "/v1/blocks", tag, "list-blocks", "Texts that a physician inserts by name while dictating"), s.getBlocks)
	create := operation(http.MethodPost, "/v1/blocks", tag, "add-block", "Add a text of one's own; adding it is approving it")
	create.DefaultStatus = http.StatusCreated
	add(s, create, s.addBlock)
	remove := operation(http.MethodPost, "/v1/blocks/{id}/remove", tag, "remove-block", "Take a text out of one's list; notes that hold it keep it")
	remove.DefaultStatus = http.StatusNoContent
	add(s, remove, func(ctx context.Context, a access.Actor, in *termByID) (*nothing, error) {
		return nil, s.svc.RemoveTextBlock(ctx, a, in.ID)
	})
}

func (s *Server) getBlocks(ctx context.Context, a access.Actor, _ *struct{}) (*blocksOutput, error) {
	found, err := s.svc.TextBlocks(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &blocksOutput{}
	out.Body.Items = each(found, viewBlock)
	return out, nil
}

func (s *Server) addBlock(ctx context.Context, a access.Actor, in *addBlockInput) (*blockOutput, error) {
	b, err := s.svc.AddTextBlock(ctx, a, pipeline.TextBlock{Name: in.Body.Name, Also: in.Body.Also, Text: in.Body.Text})
	if err != nil {
		return nil, err
	}
	return &blockOutput{Body: viewBlock(b)}, nil
}

func viewBlock(b pipeline.TextBlock) textBlock {
	v := textBlock{ID: b.ID, Name: b.Name, Also: b.Also, Text: b.Text, AddedAt: b.AddedAt}
	if v.Also == nil {
		v.Also = []string{}
	}
	return v
}
