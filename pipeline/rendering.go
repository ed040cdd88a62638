package pipeline

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/render"
	"vesper/notes/templates"
)

// Rendering is a version of a note as a file.
type Rendering struct {
	Name        string // of the file; says nothing about the patient
	ContentType string
	Bytes       []byte
	SHA256      string // of Bytes
	Version     int
}

// Rendering makes a file of one version of a note; number 0 means the newest. Taking a note away is an event, which names
// the version, the format and the hash of the very bytes that are handed out.
func (s *Service) Rendering(ctx context.Context, actor access.Actor, id uuid.UUID, number int, format render.Format) (Rendering, error) {
	format, err := render.ParseFormat(string(format))
	if err != nil {
		return Rendering{}, err
	}
	var v render.Version
	err = s.inTx(ctx, actor, access.Download, id, func(ctx context.Context, tx Tx) (err error) {
		v, err = renderable(ctx, tx, actor, id, number)
		return err
	})
	if err != nil {
		return Rendering{}, err
	}
	raw, err := render.Render(format, v) // outside of the transaction: a long PDF takes seconds
	if err != nil {
		return Rendering{}, err
	}
	out := Rendering{
		Name: fmt.Sprintf("note-%s-v%d%s", id.String()[len(id.String())-12:], v.Number, format.Extension()), ContentType: format.ContentType(),
		Bytes: raw, SHA256: SHA256(raw), Version: v.Number,
	}
	err = s.inTx(ctx, actor, access.Download, id, func(ctx context.Context, tx Tx) error {
		if _, _, err := allowed(ctx, tx, actor, access.Download, id, false); err != nil {
			return err
		}
		return tx.Audit(ctx, done(actor, access.Download, id, map[string]string{
			"version": itoa(v.Number), "content_sha256": v.ContentHash, "format": string(format), "file_sha256": out.SHA256,
		}))
	})
	if err != nil {
		return Rendering{}, err
	}
	return out, nil
}

// renderable reads a version with what is printed around it. Only the version that was signed carries the signature.
func renderable(ctx context.Context, tx Tx, actor access.Actor, id uuid.UUID, number int) (render.Version, error) {
	d, _, err := allowed(ctx, tx, actor, access.Download, id, false)
	if err != nil {
		return render.Version{}, err
	}
	if !possible(access.Download, d.State, actor.Role) {
		return render.Version{}, tooLate("no_note", "There is no note to download yet.")
	}
	n, err := tx.NoteOf(ctx, id)
	if err != nil {
		return render.Version{}, err
	}
	if number == 0 {
		number = n.Latest
	}
	v, err := tx.Version(ctx, n.ID, number)
	if err != nil {
		return render.Version{}, err
	}
	author, err := tx.Person(ctx, d.AuthorID)
	if err != nil {
		return render.Version{}, err
	}
	out := render.Version{
		Document: v.Document, Number: v.Number, ContentHash: v.ContentHash, At: v.At, SavedBy: v.ByName, Title: d.WorkType, NoteID: n.ID.String(),
		Author: notes.Person{ID: author.ID.String(), Name: author.Name, Credential: author.Credential},
	}
	if tpl, err := templates.Find(d.WorkType); err == nil {
		out.Title = tpl.Name
	}
	if n.ParentID != nil {
		out.Addendum = n.ParentID.String()
	}
	if d.PatientID != nil {
		p, err := tx.Patient(ctx, *d.PatientID)
		if err != nil {
			return out, err
		}
		out.Patient = render.Patient{Name: p.Name, MRN: p.MRN, BirthDate: p.BirthDate}
	}
	return out, signedAs(ctx, tx, n, &out)
}

// signedAs adds the signature of the version, if it is the one that was signed.
func signedAs(ctx context.Context, tx Tx, n Note, out *render.Version) error {
	sig, err := tx.SignatureOf(ctx, n.ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil || sig.Version != out.Number {
		return err
	}
	name := sig.SignerName
	if sig.Credential != "" {
		name += ", " + sig.Credential
	}
	out.Signature = &render.Signature{Name: name, At: sig.SignedAt, Meaning: sig.Meaning, TextSHA256: sig.TextSHA256}
	return nil
}
