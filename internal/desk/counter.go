package desk

import (
	"errors"
	"net/http"

	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

func (d *desk) counterRoutes(own func(string, web.Handler)) {
	own("GET /desk/find", d.askFind)
	own("POST /desk/find", d.find)
	own("GET /desk/folder", d.folder)
	own("GET /desk/take", d.askTake)
	own("POST /desk/take", d.take)
}

func (d *desk) askFind(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, findPage(r, "", nil))
}

// find takes a number of either kind. A person's goes into the session, never into an address.
func (d *desk) find(w http.ResponseWriter, r *web.Request) error {
	typed := r.Field("q")
	if number, err := ra.ParseNumber(typed); err == nil {
		if _, err := d.c.Office.Case(r.Context(), number); err == nil {
			return r.Redirect("/desk/applications/" + number)
		}
	}
	by, err := operator(r)
	if err != nil {
		return err
	}
	if _, iin, err := d.c.Office.Folder(r.Context(), by, typed); err == nil {
		if err := d.c.Office.Sought(r.Context(), by, iin); err != nil {
			return err
		}
		if err := r.Set(map[string]string{"desk-iin": iin}); err != nil {
			return err
		}
		return r.Redirect("/desk/folder")
	} else if _, ok := errors.AsType[*ra.Refusal](err); !ok {
		return err
	}
	return r.Invalid(w, findPage(r, typed, web.Errors{{Field: "q", Text: r.T("desk.find.none")}}))
}

// folder shows a person's keys and applications. An operator's own is not for himself (C-37).
func (d *desk) folder(w http.ResponseWriter, r *web.Request) error {
	iin := r.Value("desk-iin")
	if iin == "" {
		return r.Redirect("/desk/find")
	}
	if iin == r.Session().IIN {
		return &ra.Refusal{Code: "OPERATOR_SELF"}
	}
	by, err := operator(r)
	if err != nil {
		return err
	}
	f, _, err := d.c.Office.Folder(r.Context(), by, iin)
	if err != nil {
		return err
	}
	cards := make([]web.Key, 0, len(f.Keys))
	for _, k := range f.Keys {
		card, err := d.card(r, k)
		if err != nil {
			return err
		}
		cards = append(cards, card)
	}
	return r.OK(w, folderPage(r, iin, f, cards))
}

// card shows a key with the way to what a desk does with it.
func (d *desk) card(r *web.Request, k ra.Key) (web.Key, error) {
	c, err := pki.ParseCertificate(k.Raw)
	if err != nil {
		return web.Key{}, err
	}
	h := c.Holder()
	card := web.Key{Owner: h.CommonName + " " + h.Given, Company: h.Organization, IIN: h.IIN, BIN: h.BIN, Role: role(r, ra.RoleOf(h)),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, Serial: k.Serial, Kind: "good", State: r.T("desk.key.valid")}
	switch {
	case !k.RevokedAt.IsZero() && k.Reason == "certificateHold":
		card.Kind, card.State = "soon", r.T("desk.key.hold")
	case !k.RevokedAt.IsZero():
		card.Kind, card.State = "stop", r.T("desk.key.revoked")
	case d.c.Now().Before(c.NotBefore):
		card.Kind, card.State = "soon", r.T("cabinet.verdict.not_yet")
	case !k.Live(d.c.Now()):
		card.Kind, card.State = "stop", r.T("desk.key.expired")
	}
	if k.RevokedAt.IsZero() || k.Reason == "certificateHold" {
		card.Actions = []web.Link{{Text: r.T("desk.key.act"), Href: "/desk/keys/" + k.Serial}}
	}
	return card, nil
}

func (d *desk) askTake(w http.ResponseWriter, r *web.Request) error {
	f := ra.DeskForm{Storage: ra.PKCS12, Role: ra.RoleIndividual}
	if r.URL.Query().Get("who") == "folder" {
		f.IIN = r.Value("desk-iin")
	}
	return r.OK(w, takePage(r, f, nil))
}

// take makes an application for the person at the desk.
func (d *desk) take(w http.ResponseWriter, r *web.Request) error {
	by, err := operator(r)
	if err != nil {
		return err
	}
	f := ra.DeskForm{IIN: r.Field("iin"), BIN: r.Field("bin"), Role: r.Field("role"), Surname: r.Field("surname"), Name: r.Field("name"),
		Patronymic: r.Field("patronymic"), Email: r.Field("email"), City: r.Field("city"), Storage: ra.Storage(r.Field("storage")), Lang: r.Lang()}
	a, err := d.c.Office.Take(r.Context(), by, f)
	if errs := mistakes(r, err); errs != nil {
		return r.Invalid(w, takePage(r, f, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect("/desk/applications/" + a.Number)
}

// mistakes puts what was typed wrong beside its field; nil when the refusal is about something else.
func mistakes(r *web.Request, err error) web.Errors {
	no, ok := errors.AsType[*ra.Refusal](err)
	if !ok {
		return nil
	}
	field := map[string]string{"IIN_INVALID": "iin", "BIN_INVALID": "bin", "ROLE_INVALID": "role", "NAME_INVALID": "surname", "EMAIL_INVALID": "email",
		"CITY_INVALID": "city", "STORAGE_INVALID": "storage", "DOCUMENT_INVALID": "document", "DOCUMENT_DATE": "expires", "DOCUMENT_EXPIRED": "expires",
		"ATTORNEY_INVALID": "attorney_number", "ATTORNEY_DATE": "attorney_date", "SCAN_INVALID": "scan", "SCAN_TOO_LARGE": "scan",
		"REASON_REQUIRED": "text", "REASON_INVALID": "text", "REASON_LONG": "text"}[no.Code]
	if field == "" {
		return nil
	}
	return web.Errors{{Field: field, Text: words(r, no.Code, no.Evidence)}}
}
