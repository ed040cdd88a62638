package pipeline

import (
	"context"
	"fmt"

	"vesper/ehr"
	"vesper/internal/access"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
	"vesper/notes/templates"
)

// parcel is all that a delivery needs, read in one transaction.
type parcel struct {
	dictation Dictation
	delivery  Delivery
	doc       ehr.Document
}

// deliver writes one signed note to the EHR: the row says "sending" before the network is touched, the target files it
// at most once by its identifier, and what stands there is read back and compared with the signed bytes.
func (w *Worker) deliver(ctx context.Context, job Job) error {
	crashpoint.At("deliver.claimed")
	p, err := w.pack(ctx, job)
	if err != nil {
		return err
	}
	crashpoint.At("deliver.before-send")
	receipt, copied, err := ehr.Send(ctx, w.Target, p.doc)
	crashpoint.At("deliver.after-send")
	if receipt.ID != "" {
		p.delivery.EHRID, p.delivery.EHRVersion, p.delivery.ReadBackSHA = receipt.ID, receipt.VersionID, copied.BodySHA256
	}
	if err != nil {
		return w.undelivered(ctx, job, p, err)
	}
	defer crashpoint.At("deliver.after-commit")
	return w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if err := tx.FinishJob(ctx, job.ID, job.LeaseToken); err != nil {
			return err
		}
		p.delivery.State, p.delivery.ErrorCode = DeliveryDelivered, ""
		if err := tx.UpdateDelivery(ctx, p.delivery); err != nil {
			return err
		}
		if err := tx.Move(ctx, job.DictationID, Origins(Delivered, access.System), Delivered, ""); err != nil {
			return err
		}
		defer crashpoint.At("deliver.before-commit")
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, job.DictationID, map[string]string{
			"job": string(job.Kind), "result": "delivered", "target": p.delivery.Target, "ehr_id": receipt.ID, "outcome": string(receipt.Outcome),
			"text_sha256": p.delivery.TextSHA256, "read_back_sha256": copied.BodySHA256,
		}))
	})
}

// pack reads what is to be sent and marks the delivery as sending.
func (w *Worker) pack(ctx context.Context, job Job) (parcel, error) {
	var p parcel
	err := w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if err := tx.HoldJob(ctx, job.ID, job.LeaseToken); err != nil { // first of all, as in the other commits of a delivery
			return err
		}
		d, err := tx.DictationForUpdate(ctx, job.DictationID)
		if err != nil {
			return err
		}
		n, err := tx.NoteOf(ctx, d.ID)
		if err != nil {
			return err
		}
		sig, err := tx.SignatureOf(ctx, n.ID)
		if err != nil {
			return err
		}
		p.dictation = d
		if p.delivery, err = w.openDelivery(ctx, tx, n); err != nil {
			return err
		}
		if p.doc, err = w.document(ctx, tx, d, n, sig); err != nil {
			return err
		}
		p.delivery.State = DeliverySending
		if err := tx.UpdateDelivery(ctx, p.delivery); err != nil {
			return err
		}
		return tx.Audit(ctx, done(access.SystemActor(job.PracticeID), access.Process, d.ID, map[string]string{
			"job": string(job.Kind), "result": "sending", "target": p.delivery.Target, "text_sha256": sig.TextSHA256, "attempt": itoa(job.Attempt),
		}))
	})
	return p, err
}

func (w *Worker) openDelivery(ctx context.Context, tx Tx, n Note) (Delivery, error) {
	all, err := tx.DeliveriesOf(ctx, n.ID)
	if err != nil {
		return Delivery{}, err
	}
	for _, d := range all {
		if d.Target == w.Target.Name() {
			return d, nil
		}
	}
	return Delivery{}, fault.New(fault.Invalid, "target_changed", "The EHR this note was signed for is not the one that is configured now. An administrator must look at the configuration.")
}

// document builds what the target needs from the practice's references.
func (w *Worker) document(ctx context.Context, tx Tx, d Dictation, n Note, sig Signature) (ehr.Document, error) {
	tpl, err := templates.Find(n.WorkType)
	if err != nil {
		return ehr.Document{}, err
	}
	author, err := tx.Person(ctx, d.AuthorID)
	if err != nil {
		return ehr.Document{}, err
	}
	signer, err := tx.Person(ctx, sig.SignerID)
	if err != nil {
		return ehr.Document{}, err
	}
	if d.PatientID == nil {
		return ehr.Document{}, fault.New(fault.Invalid, "patient_missing", "No patient is bound to this note.")
	}
	patient, err := tx.Patient(ctx, *d.PatientID)
	if err != nil {
		return ehr.Document{}, err
	}
	doc := ehr.Document{
		Identifier: ehr.Identifier{System: w.System, Value: fmt.Sprintf("%s/v%d", n.ID, sig.Version)},
		Master:     "urn:uuid:" + sig.ID.String(),
		Type:       ehr.Coding{Code: tpl.LOINC.Code, Display: tpl.LOINC.Display},
		Title:      tpl.Name,
		Patient:    ehr.Reference{Ref: patient.EHRRef, Display: patient.Name},
		Author:     ehr.Reference{Ref: author.EHRRef, Display: printed(author.Name, author.Credential)},
		Signer:     ehr.Reference{Ref: signer.EHRRef, Display: printed(sig.SignerName, sig.Credential)},
		SignedAt:   sig.SignedAt, ContentType: ehr.PlainText, Body: ehr.Text(sig.Text), BodySHA256: sig.TextSHA256,
	}
	if d.EncounterID != nil {
		e, err := tx.Encounter(ctx, *d.EncounterID)
		if err != nil {
			return doc, err
		}
		doc.Encounter, doc.VisitStart = ehr.Reference{Ref: e.EHRRef}, e.Starts
	}
	return doc, w.relate(ctx, tx, n, &doc)
}

// relate links an addendum to the document it adds to, which must stand in the EHR first.
func (w *Worker) relate(ctx context.Context, tx Tx, n Note, doc *ehr.Document) error {
	if n.ParentID == nil {
		return nil
	}
	doc.Title += " (addendum)"
	parents, err := tx.DeliveriesOf(ctx, *n.ParentID)
	if err != nil {
		return err
	}
	for _, p := range parents {
		if p.Target == w.Target.Name() && p.State == DeliveryDelivered {
			doc.RelatesTo = []ehr.Relation{{Code: ehr.Appends, Target: p.EHRID}}
			return nil
		}
	}
	return fault.New(fault.Unavailable, "parent_not_delivered", "The note this addendum belongs to is not in the EHR yet; the addendum follows it.")
}

// undelivered records how a delivery stands after an error: unknown while it may still be found there, rejected once a
// person must look. The error goes on to decide whether the job runs again. A worker that lost its lease writes nothing: its
// successor knows better.
func (w *Worker) undelivered(ctx context.Context, job Job, p parcel, cause error) error {
	p.delivery.State, p.delivery.ErrorCode = DeliveryUnknown, fault.As(cause).Code
	if ehr.NeedsPerson(cause) {
		p.delivery.State = DeliveryRejected
	}
	ctx = context.WithoutCancel(ctx)
	err := w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		if err := tx.HoldJob(ctx, job.ID, job.LeaseToken); err != nil {
			return err
		}
		if err := tx.UpdateDelivery(ctx, p.delivery); err != nil {
			return err
		}
		return tx.Audit(ctx, event(access.SystemActor(job.PracticeID), access.Process, "dictation", job.DictationID, "refused", map[string]string{
			"job": string(job.Kind), "result": string(p.delivery.State), "code": p.delivery.ErrorCode, "attempt": itoa(job.Attempt),
		}))
	})
	if err != nil && fault.As(err).Code == "job_fenced" {
		return err
	}
	if err != nil {
		w.Log.ErrorContext(ctx, "record failed delivery", "job", job.ID, "err", err)
	}
	return cause
}

func printed(name, credential string) string {
	if credential == "" {
		return name
	}
	return name + ", " + credential
}
