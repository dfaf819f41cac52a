package desk

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"senim/internal/ra"
	"senim/internal/web"
)

func (d *desk) askExamine(w http.ResponseWriter, r *web.Request) error {
	a, err := d.open(r)
	if err != nil {
		return err
	}
	if a.State != ra.AwaitingDesk {
		return r.Redirect(back(r))
	}
	return r.OK(w, examinePage(r, a, a.Visit.Finding, d.c.Places, nil))
}

// examine takes what the operator copied from the papers, and their scan.
func (d *desk) examine(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	f := ra.Finding{Desk: r.Field("desk"), Number: r.Field("document"), Expires: r.Field("expires"), Surname: r.Field("surname"), Name: r.Field("name"),
		Patronymic: r.Field("patronymic")}
	if p := (ra.Attorney{Name: r.Field("attorney_name"), IIN: r.Field("attorney_iin"), Number: r.Field("attorney_number"), Notary: r.Field("attorney_notary"),
		Date: r.Field("attorney_date")}); p != (ra.Attorney{}) {
		f.Attorney = &p
	}
	if d.place(r, f.Desk) == "" {
		f.Desk = ""
	}
	scan, err := file(r, "scan")
	if err != nil {
		return err
	}
	errs := web.Errors{}
	if len(scan) == 0 && a.Visit.Scan.Hash == "" {
		errs.Add("scan", r.T("desk.error.SCAN_MISSING"))
	} else {
		_, err = d.c.Office.Examine(r.Context(), by, a.Number, f, scan)
		errs = mistakes(r, err)
	}
	if len(errs) > 0 {
		return r.Invalid(w, examinePage(r, a, f, d.c.Places, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// file reads an uploaded file; none is no error. Its name and its type as told are not looked at.
func file(r *web.Request, name string) ([]byte, error) {
	f, _, err := r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, web.Refusal{Code: "BAD_REQUEST", Status: http.StatusBadRequest}
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read an uploaded file: %w", err)
	}
	return b, nil
}

// scan gives the scan as a file to be saved: a browser never shows it as a page of ours.
func (d *desk) scan(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	if a.Visit.Scan.Hash == "" {
		return web.ErrNotFound
	}
	body, err := d.c.Office.Scanned(r.Context(), by, a)
	if err != nil {
		return err
	}
	return attach(w, body, a.Number+a.Visit.Scan.Ext())
}

// attach gives a scan as a file to be saved.
func attach(w http.ResponseWriter, body []byte, name string) error {
	web.Attach(w, "application/octet-stream", name)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return err
}

func (d *desk) askChange(w http.ResponseWriter, r *web.Request) error {
	a, err := d.open(r)
	if err != nil {
		return err
	}
	return r.OK(w, changeCasePage(r, a, a.Email, a.Storage, nil))
}

// changeCase takes another address or storage.
func (d *desk) changeCase(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	email, storage := r.Field("email"), ra.Storage(r.Field("storage"))
	_, err = d.c.Office.Change(r.Context(), by, a.Number, email, storage)
	if errs := mistakes(r, err); errs != nil {
		return r.Invalid(w, changeCasePage(r, a, email, storage, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect(back(r))
}

func (d *desk) askReject(w http.ResponseWriter, r *web.Request) error {
	a, err := d.open(r)
	if err != nil {
		return err
	}
	return r.OK(w, rejectPage(r, a, nil))
}

func (d *desk) reject(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	_, err = d.c.Office.Refuse(r.Context(), by, a.Number, r.Field("text"))
	if errs := mistakes(r, err); errs != nil {
		return r.Invalid(w, rejectPage(r, a, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect(back(r))
}

func (d *desk) askContact(w http.ResponseWriter, r *web.Request) error {
	a, err := d.open(r)
	if err != nil {
		return err
	}
	return r.OK(w, contactPage(r, a, a.Email, nil))
}

// contact keeps the address the person told; a letter with a link goes there.
func (d *desk) contact(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	email := r.Field("email")
	err = d.c.Office.TellContact(r.Context(), by, a.Number, email, a.Lang)
	if errs := mistakes(r, err); errs != nil {
		return r.Invalid(w, contactPage(r, a, email, errs))
	}
	if err != nil {
		return err
	}
	return r.OK(w, contactCodePage(r, a, email, nil))
}

// contactCode takes the code that the person reads from the letter: his address is confirmed on the spot.
func (d *desk) contactCode(w http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	email, err := d.c.Office.ConfirmContact(r.Context(), by, a.Number, strings.Join(strings.Fields(r.Field("code")), ""))
	if no, ok := errors.AsType[*ra.Refusal](err); ok && strings.HasPrefix(no.Code, "CODE_") {
		r.Keep("code", "")
		account, err := d.c.Office.Account(r.Context(), a.Subject.IIN)
		if err != nil {
			return err
		}
		return r.Invalid(w, contactCodePage(r, a, account.Awaits(), web.Errors{{Field: "code", Text: words(r, no.Code, no.Evidence)}}))
	}
	if err != nil {
		return err
	}
	return r.OK(w, contactDonePage(r, a, email))
}

// receipt is the paper the person takes home.
func (d *desk) receipt(w http.ResponseWriter, r *web.Request) error {
	a, err := d.open(r)
	if err != nil {
		return err
	}
	if !a.Visit.First.Done() {
		return r.Redirect(back(r))
	}
	return r.OK(w, receiptPage(r, a, d.place(r, a.Visit.Desk)))
}
