package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

type previewOutput struct{ Body preview }

type signInput struct {
	ByID
	Body struct {
		Version     int    `json:"version" minimum:"1"`
		ContentHash string `json:"content_hash" minLength:"1" maxLength:"200" doc:"As in the preview that was read"`
		Password    string `json:"password" minLength:"1" maxLength:"1000"`
	}
}

type signatureOutput struct{ Body signature }

type addendumInput struct {
	ByID
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"100000"`
	}
}

type createdOutput struct {
	Body struct {
		ID uuid.UUID `json:"id"`
	}
}

func (s *Server) mountSigning() {
	const tag = "signing"
	add(s, operation(http.MethodGet, "/v1/dictations/{id}/signature-preview", tag, "preview-signature", "What is about to be signed"), s.previewSignature)
	sign := operation(http.MethodPost, "/v1/dictations/{id}/signature", tag, "sign-dictation", "Sign exactly what was seen")
	sign.DefaultStatus = http.StatusCreated
	add(s, sign, s.sign)
	add(s, step("return", tag, "Send the note back to the editors"), s.giveBack)
	amend := operation(http.MethodPost, "/v1/dictations/{id}/addendum", tag, "add-addendum", "Add a later note to a signed one")
	amend.DefaultStatus = http.StatusCreated
	add(s, amend, s.addendum)
}

func (s *Server) previewSignature(ctx context.Context, a access.Actor, in *ByID) (*previewOutput, error) {
	p, err := s.svc.SignaturePreview(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	return &previewOutput{viewPreview(p)}, nil
}

// sign counts wrong passwords per person, so that a stolen session cannot be used to guess.
func (s *Server) sign(ctx context.Context, a access.Actor, in *signInput) (*signatureOutput, error) {
	giveBack, err := gate{{s.attempts.sign, a.ID.String()}}.pass()
	if err != nil {
		return nil, err
	}
	sig, err := s.signHashed(ctx, a, in)
	if err == nil || fault.As(err).Code != "password_wrong" {
		giveBack()
	}
	if err != nil {
		return nil, err
	}
	return &signatureOutput{viewSignature(sig)}, nil
}

func (s *Server) signHashed(ctx context.Context, a access.Actor, in *signInput) (pipeline.Signature, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return pipeline.Signature{}, ctx.Err()
	}
	return s.svc.Sign(ctx, a, in.ID, pipeline.SignRequest{
		Version: in.Body.Version, ContentHash: in.Body.ContentHash, Password: in.Body.Password,
	})
}

func (s *Server) giveBack(ctx context.Context, a access.Actor, in *reasonInput) (*nothing, error) {
	return nil, s.svc.Return(ctx, a, in.ID, in.Body.Reason)
}

func (s *Server) addendum(ctx context.Context, a access.Actor, in *addendumInput) (*createdOutput, error) {
	id, err := s.svc.Addendum(ctx, a, in.ID, in.Body.Text)
	if err != nil {
		return nil, err
	}
	out := &createdOutput{}
	out.Body.ID = id
	return out, nil
}
