package desk

import (
	"errors"
	"net/http"
	"strings"

	"senim/internal/ra"
	"senim/internal/web"
)

func (d *desk) phoneRoutes(own func(string, web.Handler)) {
	own("GET /desk/applications/{number}/phone", d.askPhone)
	own("POST /desk/applications/{number}/phone", d.sendPhoneCode)
	own("GET /desk/applications/{number}/phone/code", d.askPhoneCode)
	own("POST /desk/applications/{number}/phone/code", d.checkPhone)
}

// phoneOf reads a case and the phone of its person.
func (d *desk) phoneOf(r *web.Request) (a ra.Application, by ra.Operator, phone string, err error) {
	if a, by, err = d.openAs(r); err != nil {
		return a, by, "", err
	}
	phone, err = d.c.Office.DeskPhone(r.Context(), by, a.Number)
	return a, by, phone, err
}

func (d *desk) askPhone(w http.ResponseWriter, r *web.Request) error {
	a, _, phone, err := d.phoneOf(r)
	if err != nil {
		return err
	}
	return r.OK(w, phonePage(r, a, phone))
}

// sendPhoneCode sends the code; one sent less than a minute ago is still good.
func (d *desk) sendPhoneCode(_ http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	err = d.c.Office.SendPhoneCode(r.Context(), by, a.Number)
	if no, refused := errors.AsType[*ra.Refusal](err); err != nil && (!refused || no.Code != "CODE_SOON") {
		return err
	}
	return r.Redirect("/desk/applications/" + a.Number + "/phone/code")
}

func (d *desk) askPhoneCode(w http.ResponseWriter, r *web.Request) error {
	a, _, phone, err := d.phoneOf(r)
	if err != nil {
		return err
	}
	return r.OK(w, phoneCodePage(r, a, phone, nil))
}

// checkPhone takes the code that the person reads from his phone.
func (d *desk) checkPhone(w http.ResponseWriter, r *web.Request) error {
	a, by, phone, err := d.phoneOf(r)
	if err != nil {
		return err
	}
	err = d.c.Office.ConfirmPhone(r.Context(), by, a.Number, strings.Join(strings.Fields(r.Field("code")), ""))
	if no, ok := errors.AsType[*ra.Refusal](err); ok && strings.HasPrefix(no.Code, "CODE_") {
		r.Keep("code", "")
		return r.Invalid(w, phoneCodePage(r, a, phone, web.Errors{{Field: "code", Text: words(r, no.Code, no.Evidence)}}))
	}
	if err != nil {
		return err
	}
	return r.Redirect("/desk/applications/" + a.Number)
}
