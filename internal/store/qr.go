package store

import (
	"context"
	"time"

	"senim/internal/qr"
)

// QR is the store of requests for signatures on a phone.
func (s *Store) QR() qr.Store {
	return domain[qr.Tx]{s, func(t *tx) qr.Tx { return qrTx{t} }}
}

type qrTx struct{ *tx }

// qrContent is what is sealed of a request.
type qrContent struct {
	Ask    qr.Ask
	Answer []string
}

func (t qrTx) Put(ctx context.Context, r qr.Request) error {
	plain, err := text(qrContent{r.Ask, r.Answer})
	if err != nil {
		return err
	}
	sealed, err := t.s.seal("qr/"+r.Handle, []byte(plain))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `insert into qr_requests (handle, code, token, session, site, state, content, made, expires, signed)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (handle) do update set state = excluded.state, content = excluded.content, signed = excluded.signed`,
		r.Handle, r.Code, r.Token, r.Session, r.Site, string(r.State), sealed, ms(r.Made), ms(r.Expires), ms(r.Signed))
	return err
}

const qrRequests = `select handle, code, token, session, site, state, content, made, expires, signed from qr_requests where `

func (t qrTx) Request(ctx context.Context, handle string) (qr.Request, error) {
	return one(ctx, t.tx, qr.ErrNotFound, t.request, qrRequests+`handle = $1`, handle)
}

func (t qrTx) ByCode(ctx context.Context, code string) (qr.Request, error) {
	return one(ctx, t.tx, qr.ErrNotFound, t.request, qrRequests+`code = $1`, code)
}

func (t qrTx) request(row row) (r qr.Request, err error) {
	var state string
	var sealed []byte
	var made, expires, signed int64
	if err := row.Scan(&r.Handle, &r.Code, &r.Token, &r.Session, &r.Site, &state, &sealed, &made, &expires, &signed); err != nil {
		return r, err
	}
	r.State, r.Made, r.Expires, r.Signed = qr.State(state), at(made), at(expires), at(signed)
	plain, err := t.s.open("qr/"+r.Handle, sealed)
	if err != nil {
		return r, err
	}
	var c qrContent
	err = fromText(string(plain), &c)
	r.Ask, r.Answer = c.Ask, c.Answer
	return r, err
}

func (t qrTx) Sweep(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, `delete from qr_requests where expires < $1`, ms(before))
	return err
}
