package web_test

import (
	"context"

	"github.com/google/uuid"

	"vesper/pipeline"
	"vesper/storage/objects"
)

func (v vault) SealPart(practice, upload uuid.UUID, number int, plain []byte) (pipeline.ArrivingPart, error) {
	p, err := v.Store.SealPart(practice, upload, number, plain)
	return pipeline.ArrivingPart{
		PracticeID: practice, Upload: upload, Number: number, Size: p.Size, Key: p.Key, SHA256: p.SHA256, SealedKey: p.SealedKey, Sealed: p.Sealed,
	}, err
}

func (v vault) PutPart(ctx context.Context, p pipeline.ArrivingPart) error {
	return v.Store.PutPart(ctx, part(p))
}

func (v vault) GetPart(ctx context.Context, p pipeline.ArrivingPart) ([]byte, error) {
	return v.Store.GetPart(ctx, part(p))
}

func part(p pipeline.ArrivingPart) objects.Part {
	return objects.Part{
		Practice: p.PracticeID, Upload: p.Upload, Number: p.Number, Size: p.Size, Key: p.Key, SHA256: p.SHA256, SealedKey: p.SealedKey, Sealed: p.Sealed,
	}
}
