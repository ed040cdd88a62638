package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

const deliveryColumns = `id, practice_id, note_id, signature_id, text_sha256, target, state, ehr_id, ehr_version,
	read_back_sha256, error_code, updated_at`

func scanDelivery(row pgx.CollectableRow) (d pipeline.Delivery, err error) {
	err = row.Scan(&d.ID, &d.PracticeID, &d.NoteID, &d.SignatureID, &d.TextSHA256, &d.Target, &d.State, &d.EHRID, &d.EHRVersion,
		&d.ReadBackSHA, &d.ErrorCode, &d.UpdatedAt)
	d.UpdatedAt = d.UpdatedAt.UTC()
	return d, err
}

func (t *tx) InsertDelivery(ctx context.Context, d pipeline.Delivery) error {
	id, err := newID(d.ID)
	if err != nil {
		return err
	}
	if d.State == "" {
		d.State = pipeline.DeliveryPending
	}
	_, err = t.Exec(ctx, `
		INSERT INTO deliveries (id, practice_id, note_id, signature_id, text_sha256, target, state, ehr_id, ehr_version, read_back_sha256, error_code)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		id, t.own(d.PracticeID), d.NoteID, d.SignatureID, d.TextSHA256, d.Target, d.State, d.EHRID, d.EHRVersion, d.ReadBackSHA, d.ErrorCode)
	return wrap("insert delivery", err)
}

func (t *tx) UpdateDelivery(ctx context.Context, d pipeline.Delivery) error {
	return t.one(ctx, "update delivery", notFound(), `
		UPDATE deliveries SET state = $2, ehr_id = $3, ehr_version = $4, read_back_sha256 = $5, error_code = $6, updated_at = now()
		WHERE id = $1`, d.ID, d.State, d.EHRID, d.EHRVersion, d.ReadBackSHA, d.ErrorCode)
}

func (t *tx) DeliveriesOf(ctx context.Context, note uuid.UUID) ([]pipeline.Delivery, error) {
	return list(ctx, t, "list deliveries", scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE note_id = $1 ORDER BY created_at, id`, note)
}
