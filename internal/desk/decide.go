package desk

import (
	"errors"
	"net/http"

	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/web"
)

func refusalOf(err error) *ra.Refusal {
	no, _ := errors.AsType[*ra.Refusal](err)
	return no
}

// takeKeys takes the requests the agent on this machine made: the person typed his password there.
func (d *desk) takeKeys(_ http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	keys, err := web.NewKeys(r.Field("answer"), a.ID())
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: back(r)}
	}
	if _, err := d.c.Office.DeskRequests(r.Context(), by, a.Number, web.Requests(keys)); err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// identify takes the first operator's signature.
func (d *desk) identify(_ http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	document, err := a.DeskDocument("identify", by, "")
	if err != nil {
		return err
	}
	signed, by, err := d.signedDesk(r, document, "application "+ra.FormatNumber(a.Number), back(r))
	if err != nil {
		return err
	}
	if _, err := d.c.Office.Identify(r.Context(), by, a.Number, document, signed); err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// override keeps the second operator's reason for his signature, which names it.
func (d *desk) override(w http.ResponseWriter, r *web.Request) error {
	v, err := d.shown(r)
	if err != nil {
		return err
	}
	text := r.Field("text")
	if v.Step != stepOverride && v.Step != stepApprove {
		return r.Redirect(back(r))
	}
	if text == "" || len([]rune(text)) > 500 {
		v.Step = stepOverride
		return r.Invalid(w, casePage(r, v, web.FieldError{Field: "text", Text: r.T("desk.error.REASON_REQUIRED")}))
	}
	if err := r.Set(map[string]string{"desk-override-" + v.Number: text}); err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// approve takes the second operator's signature.
func (d *desk) approve(_ http.ResponseWriter, r *web.Request) error {
	v, err := d.shown(r)
	if err != nil {
		return err
	}
	by, err := operator(r)
	if err != nil {
		return err
	}
	if v.Step != stepApprove { // say why before looking at a signature
		_, err := d.c.Office.Approve(r.Context(), by, v.Number, v.Override, "", nil)
		return err
	}
	document, err := v.DeskDocument("approve", by, v.Override)
	if err != nil {
		return err
	}
	signed, by, err := d.signedDesk(r, document, "application "+ra.FormatNumber(v.Number), back(r))
	if err != nil {
		return err
	}
	if _, err := d.c.Office.Approve(r.Context(), by, v.Number, v.Override, document, signed); err != nil {
		return err
	}
	if err := r.Set(map[string]string{"desk-override-" + v.Number: ""}); err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// install takes the agent's report that the keys stand in the person's file or carrier.
func (d *desk) install(_ http.ResponseWriter, r *web.Request) error {
	a, by, err := d.openAs(r)
	if err != nil {
		return err
	}
	files, err := web.Installed(r.Field("answer"), a.ID())
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: back(r)}
	}
	about := ra.Installations([]ra.Application{a})
	got, err := r.TakeInstall(about, web.Signatures(files))
	if err != nil {
		return err
	}
	var signed []ra.KeySignature
	for _, f := range got {
		if f.Bad {
			return web.Refusal{Code: auth.CodeSignature, Retry: back(r)}
		}
		if f.Certificate != nil {
			signed = append(signed, ra.KeySignature{Certificate: f.Certificate, Purpose: f.Purpose, Challenge: f.Challenge, Signature: f.Signature, About: about})
		}
	}
	if _, err := d.c.Office.InstalledAtDesk(r.Context(), by, a.Number, web.Serials(files), signed...); err != nil {
		return err
	}
	return r.Redirect(back(r))
}
