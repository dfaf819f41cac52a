package store

import (
	"senim/internal/lang"
	"senim/internal/ra"
)

const accounts = `select a.iin, a.email, a.city, a.lang, a.confirmed, a.consent, a.created, a.changed from ra_accounts a `

func account(r row) (a ra.Account, err error) {
	var tag string
	var confirmed, consent, created, changed int64
	err = r.Scan(&a.IIN, &a.Email, &a.City, &tag, &confirmed, &consent, &created, &changed)
	a.Lang, a.ConfirmedAt, a.ConsentAt, a.Created, a.Changed = lang.Tag(tag), at(confirmed), at(consent), at(created), at(changed)
	return a, err
}
