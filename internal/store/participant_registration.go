package store

import (
	"context"
	"errors"
	"time"

	"senim/internal/ident"
	"senim/internal/participant"
)

const registrationColumns = `id, owner, category, state, reason, lang, iin, tin, certificate, proved, person, subject, evidence,
	entered, password, known, data_at, agreement, signature, signer, signed_at, letters, last_letter, started, expires, ended`

func scanRegistration(r row) (g participant.Registration, err error) {
	var proved, known, data, signed, letter, started, expires, ended int64
	var person, subject, entered string
	err = r.Scan(&g.ID, &g.Owner, &g.Category, &g.State, &g.Reason, &g.Lang, &g.IIN, &g.TIN, &g.Certificate, &proved, &person, &subject,
		&g.Evidence, &entered, &g.Password, &known, &data, &g.Agreement, &g.Signature, &g.Signer, &signed, &g.Letters, &letter,
		&started, &expires, &ended)
	if err != nil {
		return g, err
	}
	g.Proved, g.DataAt, g.SignedAt, g.LastLetter = at(proved), at(data), at(signed), at(letter)
	g.Started, g.Expires, g.Ended, g.Known = at(started), at(expires), at(ended), known != 0
	return g, errors.Join(fromText(person, &g.Person), fromText(subject, &g.Subject), fromText(entered, &g.Entered))
}

func (t participantTx) Registration(ctx context.Context, id string) (participant.Registration, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanRegistration,
		`select `+registrationColumns+` from participant_registrations where id = $1`, id)
}

func (t participantTx) RegistrationByLink(ctx context.Context, hash string) (participant.Registration, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanRegistration, `select `+registrationColumns+` from participant_registrations
		where id = (select registration from participant_links where hash = $1)`, hash)
}

func (t participantTx) OpenRegistrations(ctx context.Context, tin string) ([]participant.Registration, error) {
	return list(ctx, t.tx, scanRegistration, `select `+registrationColumns+` from participant_registrations
		where tin = $1 and ended = 0 order by started, id`, tin)
}

func (t participantTx) DueRegistrations(ctx context.Context, moment time.Time, limit int) ([]participant.Registration, error) {
	return list(ctx, t.tx, scanRegistration, `select `+registrationColumns+` from participant_registrations
		where ended = 0 and expires <= $1 order by expires, id limit $2`, ms(moment), int64(limit))
}

func (t participantTx) PutRegistration(ctx context.Context, g participant.Registration) error {
	person, err1 := text(g.Person)
	subject, err2 := text(g.Subject)
	entered, err3 := text(g.Entered)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err := t.exec(ctx, `insert into participant_registrations (`+registrationColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
		on conflict (id) do update set state = excluded.state, reason = excluded.reason, lang = excluded.lang, iin = excluded.iin,
			tin = excluded.tin, certificate = excluded.certificate, proved = excluded.proved, person = excluded.person,
			subject = excluded.subject, evidence = excluded.evidence, entered = excluded.entered, password = excluded.password,
			known = excluded.known, data_at = excluded.data_at, agreement = excluded.agreement, signature = excluded.signature,
			signer = excluded.signer, signed_at = excluded.signed_at, letters = excluded.letters, last_letter = excluded.last_letter,
			expires = excluded.expires, ended = excluded.ended`,
		g.ID, g.Owner, string(g.Category), string(g.State), g.Reason, string(g.Lang), string(g.IIN), g.TIN, g.Certificate, ms(g.Proved),
		person, subject, g.Evidence, entered, g.Password, bit(g.Known), ms(g.DataAt), g.Agreement, g.Signature, g.Signer, ms(g.SignedAt),
		int64(g.Letters), ms(g.LastLetter), ms(g.Started), ms(g.Expires), ms(g.Ended))
	return err
}

func (t participantTx) LettersSince(ctx context.Context, iin ident.IIN, since time.Time) (int, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (n int, err error) {
		err = r.Scan(&n)
		return n, err
	}, `select coalesce(sum(letters), 0) from participant_registrations where iin = $1 and last_letter > $2`, string(iin), ms(since))
}

func (t participantTx) Evidence(ctx context.Context, id string) (participant.Evidence, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (e participant.Evidence, err error) {
		var moment int64
		var checks string
		if err = r.Scan(&e.ID, &e.Registration, &moment, &checks); err != nil {
			return e, err
		}
		e.At = at(moment)
		return e, fromText(checks, &e.Checks)
	}, `select id, registration, moment, checks from participant_evidence where id = $1`, id)
}

func (t participantTx) PutEvidence(ctx context.Context, e participant.Evidence) error {
	checks, err := text(e.Checks)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_evidence (id, registration, moment, checks) values ($1, $2, $3, $4)`,
		e.ID, e.Registration, ms(e.At), checks)
	return err
}

// agreements reads versions with the moment by which they must be signed again.
const agreements = `select a.version, a.valid_from, coalesce(e.must_resign_by, 0), a.texts
	from participant_agreements a left join participant_agreement_ends e on e.version = a.version `

func scanAgreement(r row) (a participant.Agreement, err error) {
	var from, by int64
	var texts string
	if err = r.Scan(&a.Version, &from, &by, &texts); err != nil {
		return a, err
	}
	a.From, a.MustResignBy = at(from), at(by)
	return a, fromText(texts, &a.Text)
}

func (t participantTx) Agreement(ctx context.Context, version string, moment time.Time) (participant.Agreement, error) {
	if version == "" {
		return one(ctx, t.tx, participant.ErrNotFound, scanAgreement, agreements+`where valid_from <= $1 order by valid_from desc, a.version desc limit 1`, ms(moment))
	}
	return one(ctx, t.tx, participant.ErrNotFound, scanAgreement,
		agreements+`where a.version = $1`, version)
}

func (t participantTx) PutAgreement(ctx context.Context, a participant.Agreement) error {
	texts, err := text(a.Text)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_agreements (version, valid_from, texts) values ($1, $2, $3)`, a.Version, ms(a.From), texts)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_agreement_ends (version, must_resign_by) values ($1, $2)`, a.Version, ms(a.MustResignBy))
	return err
}

func (t participantTx) Signature(ctx context.Context, id string) (participant.AgreementSignature, error) {
	return one(ctx, t.tx, participant.ErrNotFound, func(r row) (s participant.AgreementSignature, err error) {
		var moment int64
		err = r.Scan(&s.ID, &s.Registration, &s.Version, &s.Lang, &s.Document, &s.Certificate, &s.Evidence, &moment, &s.TimeStamp, &s.IIN, &s.TIN, &s.Type)
		s.At = at(moment)
		return s, err
	}, `select id, registration, version, lang, document, certificate, evidence, moment, timestamp_token,
		coalesce(h.iin, ''), coalesce(h.tin, ''), coalesce(y.type, '')
		from participant_signatures left join participant_signature_holders h on h.signature = id
		left join participant_signature_types y on y.signature = id where id = $1`, id)
}

func (t participantTx) PutSignature(ctx context.Context, s participant.AgreementSignature) error {
	_, err := t.exec(ctx, `insert into participant_signatures
		(id, registration, version, lang, document, certificate, evidence, moment, timestamp_token)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.ID, s.Registration, s.Version, string(s.Lang), s.Document, s.Certificate, s.Evidence, ms(s.At), s.TimeStamp)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_signature_holders (signature, iin, tin) values ($1, $2, $3)`, s.ID, string(s.IIN), s.TIN)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into participant_signature_types (signature, type) values ($1, $2)`, s.ID, string(s.Type))
	return err
}
