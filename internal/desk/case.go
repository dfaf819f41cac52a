package desk

import (
	"net/http"
	"time"

	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
)

func (d *desk) caseRoutes(own func(string, web.Handler)) {
	own("GET /desk/applications/{number}", d.show)
	own("GET /desk/applications/{number}/examine", d.askExamine)
	own("POST /desk/applications/{number}/examine", d.examine)
	own("GET /desk/applications/{number}/change", d.askChange)
	own("POST /desk/applications/{number}/change", d.changeCase)
	own("GET /desk/applications/{number}/reject", d.askReject)
	own("POST /desk/applications/{number}/reject", d.reject)
	own("GET /desk/applications/{number}/contact", d.askContact)
	own("POST /desk/applications/{number}/contact", d.contact)
	own("POST /desk/applications/{number}/contact/code", d.contactCode)
	own("GET /desk/applications/{number}/receipt", d.receipt)
	own("GET /desk/applications/{number}/scan", d.scan)
	d.phoneRoutes(own)
	for path, h := range map[string]web.Handler{"keys": d.takeKeys, "identify": d.identify, "override": d.override, "approve": d.approve, "install": d.install} {
		own("GET /desk/applications/{number}/"+path, func(_ http.ResponseWriter, r *web.Request) error { return r.Redirect(back(r)) })
		own("POST /desk/applications/{number}/"+path, h)
	}
}

// The steps of a case, as its page shows them.
const (
	stepExamine  = "examine"
	stepKeys     = "keys"
	stepSign     = "sign"
	stepSecond   = "second" // another operator must approve
	stepApprove  = "approve"
	stepOverride = "override" // a registry says otherwise: the reason is asked first
	stepDirector = "director"
	stepIssue    = "issue"
	stepInstall  = "install"
	stepEnd      = "end"
)

// shownCase is an application as its page shows it to this operator.
type shownCase struct {
	ra.Application
	Step  string
	Call  web.AgentCall
	Place string
	// Deadline is when it ends unless it is decided; zero when it does not wait.
	Deadline time.Time
	// Now is what the registries say now; Stop why nothing goes on.
	Now      ra.Comparison
	Stop     *ra.Refusal
	Override string
}

// open reads a case; nobody opens his own (C-37).
func (d *desk) open(r *web.Request) (ra.Application, error) {
	a, err := d.c.Office.Case(r.Context(), r.PathValue("number"))
	if err == nil && a.Subject.IIN == r.Session().IIN {
		return a, &ra.Refusal{Code: "OPERATOR_SELF"}
	}
	return a, err
}

// openAs reads a case for an act of the operator who is signed in.
func (d *desk) openAs(r *web.Request) (ra.Application, ra.Operator, error) {
	a, err := d.open(r)
	if err != nil {
		return a, ra.Operator{}, err
	}
	by, err := operator(r)
	return a, by, err
}

func (d *desk) show(w http.ResponseWriter, r *web.Request) error {
	v, err := d.shown(r)
	if err != nil {
		return err
	}
	return r.OK(w, casePage(r, v))
}

func (d *desk) shown(r *web.Request) (shownCase, error) {
	a, by, err := d.openAs(r)
	if err != nil {
		return shownCase{}, err
	}
	v := shownCase{Application: a, Deadline: a.Deadline(d.c.Office.Terms().Confirm), Step: step(a), Place: d.place(r, a.Visit.Desk)}
	switch v.Step {
	case stepKeys:
		v.Call = d.generate(r, a)
	case stepSign:
		err = v.sign(r, "identify", by, "")
	case stepSecond:
		if a.Visit.First.IIN == by.IIN {
			return v, nil
		}
		err = d.decide(r, &v, by)
	case stepInstall:
		v.Call, err = installCall(r, a)
	}
	return v, err
}

// step is where a case is, whoever looks.
func step(a ra.Application) string {
	switch a.State {
	case ra.AwaitingDesk:
		switch {
		case a.Visit.By == "" || a.Visit.Scan.Hash == "":
			return stepExamine
		case len(a.Requests) == 0:
			return stepKeys
		case !a.Visit.First.Done():
			return stepSign
		}
		return stepSecond
	case ra.AwaitingDirector:
		return stepDirector
	case ra.Signed, ra.Approved:
		return stepIssue
	case ra.Issued:
		if a.Kind == ra.Issuance {
			return stepInstall
		}
	case ra.Draft, ra.Installed, ra.Rejected, ra.Expired, ra.Withdrawn:
	}
	return stepEnd
}

// decide prepares the second operator's page: what the registries say now, and what he may do.
func (d *desk) decide(r *web.Request, v *shownCase, by ra.Operator) error {
	v.Override = r.Value("desk-override-" + v.Number)
	now, err := d.c.Office.MayApprove(r.Context(), by, v.Application, "")
	v.Now = now
	if now.Verdict == trust.Good {
		v.Override = "" // nothing to pass over any more
	}
	if err != nil && now.Overridable() && v.Override != "" {
		_, err = d.c.Office.MayApprove(r.Context(), by, v.Application, v.Override)
	}
	if err == nil {
		v.Step = stepApprove
		return v.sign(r, "approve", by, v.Override)
	}
	v.Stop = refusalOf(err)
	if v.Stop == nil {
		return err
	}
	if now.Overridable() && v.Stop.Code == now.Code {
		v.Step, v.Stop = stepOverride, nil
	}
	return nil
}

func (v *shownCase) sign(r *web.Request, act string, by ra.Operator, override string) error {
	text, err := v.DeskDocument(act, by, override)
	if err == nil && r.Method == http.MethodGet { // a post takes the challenge of the page before
		v.Call, err = call(r, text)
	}
	return err
}

func (d *desk) generate(r *web.Request, a ra.Application) web.AgentCall {
	set := d.c.Office.KeySet(a)
	profiles := make([]web.Profile, len(set))
	for i, k := range set {
		profiles[i] = web.Profile{Algorithm: k.Algorithm, Usage: k.Usage}
	}
	n := a.Subject
	return web.GenerateKeys(r.Lang(), a.ID(), string(a.Storage), profiles, web.Subject{CommonName: n.CommonName, Surname: n.Surname,
		GivenName: n.Patronymic, IIN: n.IIN, Organization: n.Organization, BIN: n.BIN, Country: "KZ", Email: a.Email})
}

func installCall(r *web.Request, a ra.Application) (web.AgentCall, error) {
	challenge, err := r.AskInstall(ra.Installations([]ra.Application{a}))
	if err != nil {
		return web.AgentCall{}, err
	}
	ders := make([][]byte, len(a.Certificates))
	for i, c := range a.Certificates {
		ders[i] = c.DER
	}
	return web.InstallKeys(r.Lang(), a.ID(), ders, challenge), nil
}

// place names a desk of the list.
func (d *desk) place(r *web.Request, id string) string {
	for _, p := range d.c.Places {
		if p.ID == id {
			return p.Name.In(string(r.Lang()))
		}
	}
	return ""
}
