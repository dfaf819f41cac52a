package store

import (
	"context"
	"errors"
	"time"

	"senim/internal/ident"
	"senim/internal/participant"
)

func (t participantTx) Agreements(ctx context.Context) ([]participant.Agreement, error) {
	return list(ctx, t.tx, func(r row) (a participant.Agreement, err error) {
		var from, by int64
		err = r.Scan(&a.Version, &from, &by)
		a.From, a.MustResignBy = at(from), at(by)
		return a, err
	}, `select a.version, a.valid_from, coalesce(e.must_resign_by, 0) from participant_agreements a
		left join participant_agreement_ends e on e.version = a.version order by a.valid_from, a.version`)
}

func (t participantTx) Signatures(ctx context.Context, iin ident.IIN) ([]participant.AgreementSignature, error) {
	return list(ctx, t.tx, func(r row) (s participant.AgreementSignature, err error) {
		var moment int64
		err = r.Scan(&s.ID, &s.Registration, &s.IIN, &s.TIN, &s.Type, &s.Version, &s.Lang, &s.Evidence, &moment)
		s.At = at(moment)
		return s, err
	}, `select s.id, s.registration, h.iin, h.tin, coalesce(y.type, ''), s.version, s.lang, s.evidence, s.moment
		from participant_signatures s join participant_signature_holders h on h.signature = s.id
		left join participant_signature_types y on y.signature = s.id
		where h.iin = $1 order by s.moment desc, s.id`, string(iin))
}

func (t participantTx) Document(ctx context.Context, iin ident.IIN) (participant.Document, error) {
	d, err := one(ctx, t.tx, errNoRow, func(r row) (d participant.Document, err error) {
		err = r.Scan(&d.Number, &d.Issued, &d.Issuer)
		return d, err
	}, `select number, issued, issuer from participant_documents where iin = $1`, string(iin))
	if errors.Is(err, errNoRow) {
		return participant.Document{}, nil
	}
	return d, err
}

func (t participantTx) PutDocument(ctx context.Context, iin ident.IIN, d participant.Document) error {
	_, err := t.exec(ctx, `insert into participant_documents (iin, number, issued, issuer) values ($1, $2, $3, $4)
		on conflict (iin) do update set number = excluded.number, issued = excluded.issued, issuer = excluded.issuer`,
		string(iin), d.Number, d.Issued, d.Issuer)
	return err
}

const adminColumns = `id, kind, object, name, lift, reason, state, made, made_by, made_xml, decided, decided_by, decided_xml`

func scanAdmin(r row) (a participant.AdminAct, err error) {
	var lift, made, decided int64
	var madeBy, decidedBy string
	err = r.Scan(&a.ID, &a.Kind, &a.Object, &a.Name, &lift, &a.Reason, &a.State, &made, &madeBy, &a.MadeXML, &decided, &decidedBy, &a.DecidedXML)
	if err != nil {
		return a, err
	}
	a.Lift, a.Made, a.Decided = lift != 0, at(made), at(decided)
	return a, errors.Join(fromText(madeBy, &a.MadeBy), fromText(decidedBy, &a.DecidedBy))
}

func (t participantTx) AdminAct(ctx context.Context, id string) (participant.AdminAct, error) {
	return one(ctx, t.tx, participant.ErrNotFound, scanAdmin, `select `+adminColumns+` from participant_admin_acts where id = $1`, id)
}

func (t participantTx) PutAdminAct(ctx context.Context, a participant.AdminAct) error {
	madeBy, err1 := text(a.MadeBy)
	decidedBy, err2 := text(a.DecidedBy)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, err := t.exec(ctx, `insert into participant_admin_acts (`+adminColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (id) do update set state = excluded.state, made_by = excluded.made_by, made_xml = excluded.made_xml,
			decided = excluded.decided, decided_by = excluded.decided_by, decided_xml = excluded.decided_xml`,
		a.ID, string(a.Kind), a.Object, a.Name, bit(a.Lift), a.Reason, string(a.State), ms(a.Made), madeBy, a.MadeXML, ms(a.Decided), decidedBy, a.DecidedXML)
	return err
}

func (t participantTx) AdminActs(ctx context.Context, limit int) ([]participant.AdminAct, error) {
	return list(ctx, t.tx, scanAdmin, `select `+adminColumns+` from participant_admin_acts where state <> 'DRAFT' order by made desc, id limit $1`, int64(limit))
}

func (t participantTx) SweepAdminActs(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from participant_admin_acts where state = 'DRAFT' and made < $1`, ms(before))
	return err
}
