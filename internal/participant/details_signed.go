package participant

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
)

// Details is what a person may change in «Мои реквизиты», beside address and password.
type Details struct {
	Lang  lang.Tag
	Phone string
	Document
}

// Changed is one field of details with what it was and what it will be.
type Changed struct {
	Field    string // lang, phone, docnumber, docdate or docissuer
	Old, New string
}

// changes lists the fields that differ, in the order of the form.
func (d Details) changes(next Details) []Changed {
	var all []Changed
	for _, c := range []Changed{
		{"lang", string(d.Lang), string(next.Lang)}, {"phone", d.Phone, next.Phone}, {"docnumber", d.Number, next.Number},
		{"docdate", d.Issued, next.Issued}, {"docissuer", d.Issuer, next.Issuer},
	} {
		if c.Old != c.New {
			all = append(all, c)
		}
	}
	return all
}

// with gives the details after the changes; false when what one of them calls old is not what is there.
func (d Details) with(changes []Changed) (Details, bool) {
	l := string(d.Lang)
	at := map[string]*string{"lang": &l, "phone": &d.Phone, "docnumber": &d.Number, "docdate": &d.Issued, "docissuer": &d.Issuer}
	for _, c := range changes {
		if at[c.Field] == nil || *at[c.Field] != c.Old {
			return d, false
		}
		*at[c.Field] = c.New
	}
	d.Lang = lang.Tag(l)
	return d, true
}

// detailsXML is what a person signs: what changes from what to what (section 13).
type detailsXML struct {
	XMLName xml.Name     `xml:"details"`
	IIN     string       `xml:"iin"`
	Changes []changedXML `xml:"change"`
	Time    string       `xml:"time"`
	Origin  string       `xml:"origin"`
}

type changedXML struct {
	Field string `xml:"field,attr"`
	Old   string `xml:"old"`
	New   string `xml:"new"`
}

// Changes reads what a details act changes.
func (a Act) Changes() ([]Changed, error) {
	var d detailsXML
	if err := xml.Unmarshal([]byte(a.Details), &d); err != nil {
		return nil, fmt.Errorf("read details: %w", err)
	}
	all := make([]Changed, len(d.Changes))
	for i, c := range d.Changes {
		all[i] = Changed(c)
	}
	return all, nil
}

// Details reads what the person may change.
func (o *Office) Details(ctx context.Context, iin ident.IIN) (Details, error) {
	var d Details
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		_, d, err = o.details(ctx, tx, iin)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("read details: %w", err)
	}
	return d, nil
}

func (o *Office) details(ctx context.Context, tx Tx, iin ident.IIN) (Account, Details, error) {
	a, err := o.owner(ctx, tx, iin)
	if err != nil {
		return a, Details{}, err
	}
	doc, err := tx.Document(ctx, iin)
	return a, Details{Lang: a.Lang, Phone: a.Phone, Document: doc}, err
}

// AskDetails takes the form of a signed-in person: [FieldErrors], or an act whose document lists old and
// new values, to be signed.
func (o *Office) AskDetails(ctx context.Context, sid string, iin ident.IIN, next Details) error {
	was, err := o.Details(ctx, iin)
	if err != nil {
		return err
	}
	wrong := FieldErrors{}
	l, ok := lang.Parse(string(next.Lang))
	if !ok {
		wrong["lang"] = "LANG_INVALID"
	}
	e := trimmed(Entered{Phone: next.Phone, DocNumber: next.Number, DocDate: next.Issued, DocIssuer: next.Issuer})
	checkEntered(e, Known{Account: true}, o.now(), wrong)
	e = normal(e)
	next = Details{Lang: l, Phone: e.Phone, Document: Document{Number: e.DocNumber, Issued: e.DocDate, Issuer: e.DocIssuer}}
	changes := was.changes(next)
	if len(wrong) == 0 && len(changes) == 0 {
		wrong["lang"] = "NOTHING_CHANGED"
	}
	if len(wrong) > 0 {
		return wrong
	}
	d := detailsXML{IIN: string(iin), Time: moment(o.now()), Origin: o.c.Origin}
	for _, c := range changes {
		d.Changes = append(d.Changes, changedXML(c))
	}
	doc, err := writeDocument(d)
	if err != nil {
		return err
	}
	return o.keepAct(ctx, sid, Act{Kind: ActDetails, IIN: iin, Details: string(doc)})
}

// ChangeDetails takes the signed document: SIGNATURE_INVALID, CERT_OTHER_PERSON, a closed gate, ACT_STALE,
// or RACE_RETRY when what was shown as old is not true any more.
func (o *Office) ChangeDetails(ctx context.Context, sid string, iin ident.IIN, signed []byte) error {
	act, err := o.Act(ctx, sid, ActDetails)
	if err != nil {
		return err
	}
	if act.IIN != iin {
		return deny("ACT_STALE")
	}
	s, err := o.signedDocument(ctx, signed, []byte(act.Details), signerIs{iin: iin, act: "details"})
	if err == nil {
		err = raced(o.changeDetails(ctx, sid, act, s))
	}
	code := refusalCode(err)
	if code == "" {
		return err
	}
	aerr := o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "details.saved", Actor: tx.Hash(string(iin)), Result: code})
	})
	if aerr != nil {
		return fmt.Errorf("refuse details (%w): %w", err, aerr)
	}
	return err
}

func (o *Office) changeDetails(ctx context.Context, sid string, shown Act, s signing) error {
	changes, err := shown.Changes()
	if err != nil {
		return err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		act, err := o.openAct(ctx, tx, sid, ActDetails)
		if err != nil {
			return err
		}
		a, was, err := o.details(ctx, tx, act.IIN)
		if err != nil {
			return err
		}
		next, ok := was.with(changes)
		if !ok || act.Details != shown.Details {
			return ErrRace
		}
		signature, err := o.keepSigned(ctx, tx, ActDetails, a.IIN, s)
		if err != nil {
			return err
		}
		a.Phone, a.Lang = next.Phone, next.Lang
		if err := errors.Join(tx.PutAccount(ctx, a), tx.PutDocument(ctx, a.IIN, next.Document), tx.DropAct(ctx, act.Browser, ActDetails)); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "details.saved", Actor: tx.Hash(string(a.IIN)), Object: signature, Result: "ok"})
	})
	if err != nil {
		return fmt.Errorf("change details: %w", err)
	}
	return nil
}
