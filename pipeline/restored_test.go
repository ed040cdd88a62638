package pipeline_test

import (
	"testing"

	"vesper/internal/testkit"
	"vesper/pipeline"
)

// A restored database knows nothing of what was delivered after the backup, and its queue is empty.
func TestWhatWasDeliveredAfterTheBackupIsFoundInTheEHRAndNotSentAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.signed()
	w.drain()
	w.wantState(id, pipeline.Delivered)
	before := w.delivery(id)
	testkit.Exec(t, w.admin, `
		SET session_replication_role = replica; -- as a dump is loaded: no triggers
		UPDATE dictations SET state = 'signed';
		UPDATE deliveries SET state = 'pending', ehr_id = '', ehr_version = '', read_back_sha256 = '';
		UPDATE jobs SET state = 'queued', attempt = 0, finished_at = NULL, dispatched_at = NULL WHERE kind = 'deliver'`)
	w.wantState(id, pipeline.Signed)
	w.drain()
	w.wantState(id, pipeline.Delivered)
	if after := w.delivery(id); after.EHRID != before.EHRID || after.ReadBackSHA != before.ReadBackSHA {
		t.Errorf("delivered as %+v, before the backup as %+v", after, before)
	}
	if n := w.inEHR(id); n != 1 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}
