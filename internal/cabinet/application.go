package cabinet

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/web"
)

// applications is «Статус поданной заявки»: all of them, and a search by number.
func (s *cabinet) applications(w http.ResponseWriter, r *web.Request) error {
	if typed := r.URL.Query().Get("number"); typed != "" {
		return s.search(r, typed)
	}
	list, err := s.c.Office.Mine(r.Context(), viewer(r))
	if err != nil {
		return err
	}
	return r.OK(w, applicationsPage(r, list))
}

// search goes to an application by its number, 30 times an hour for each session.
func (s *cabinet) search(r *web.Request, typed string) error {
	if err := s.mayAsk(r); err != nil {
		return err
	}
	number, err := ra.ParseNumber(typed)
	if err != nil {
		return err
	}
	if _, err := s.c.Office.Find(r.Context(), viewer(r), number); err != nil {
		return err
	}
	return r.Redirect("/applications/" + number)
}

// mayAsk counts a question about a number against the session.
func (s *cabinet) mayAsk(r *web.Request) error {
	wait := s.searches.Take(r.SID())
	if wait == 0 {
		return nil
	}
	until := s.c.Now().Add(wait).Truncate(time.Minute).Add(time.Minute) // pages show minutes
	return web.Refusal{Code: "TOO_MANY_SEARCHES", Status: http.StatusTooManyRequests, Evidence: map[string]string{"until": until.UTC().Format(time.RFC3339)},
		Next: []web.Link{{Text: "cabinet.next.applications", Href: "/applications"}}}
}

// application shows one, with the step its applicant is at.
func (s *cabinet) application(w http.ResponseWriter, r *web.Request) error {
	a, err := s.c.Office.Find(r.Context(), viewer(r), r.PathValue("number"))
	if err != nil {
		if limited := s.mayAsk(r); limited != nil { // an address typed is a search too
			return limited
		}
		return err
	}
	v := s.show(r, a)
	v.Consent = s.wantsConsent(r, a)
	if v.Own && len(a.Certificates) > 0 {
		if v.Firsts, err = s.c.Office.FirstSignatures(r.Context(), r.Session().IIN, a.Number); err != nil {
			return err
		}
	}
	if v.Own && v.Step == 5 {
		if v.Call, err = install(r, a); err != nil {
			return err
		}
	}
	if v.Own && v.Step == 3 {
		if v.Factor, err = s.factorFor(r, a.FactorAbout(), "/applications/"+a.Number); err != nil {
			return err
		}
		if v.Factor == "" { // its bytes were fixed with the requests, so the challenge stands beside them
			if _, err := r.Bind(purposeApply, a.Document); err != nil {
				return err
			}
		}
	}
	return r.OK(w, applicationPage(r, v))
}

// toApplication answers a GET of an address that is only posted to.
func (s *cabinet) toApplication(_ http.ResponseWriter, r *web.Request) error {
	return r.Redirect("/applications/" + r.PathValue("number"))
}

// shown is an application as its page shows it.
type shown struct {
	ra.Application
	// Closes is when it ends unconfirmed; Forgotten: its keys were not installed for so long that they had better be revoked.
	Closes    time.Time
	Forgotten bool
	// Consent: it waits for the applicant's consent, and he may be asked for it.
	Consent bool
	// Own: the applicant looks, and may act. Decide: a confirmer looks, and it waits for him.
	Own    bool
	Decide bool
	Step   int
	Call   web.AgentCall
	Offer  bool
	// Firsts are the first signatures of the new keys, shown to the applicant.
	Firsts []ra.ProvedFirst
	// Factor is the page of the second factor, when it is to be passed before the signature.
	Factor string
}

// show decides which step an application is at and what the agent is asked there.
func (s *cabinet) show(r *web.Request, a ra.Application) shown {
	terms := s.c.Office.Terms()
	v := shown{Application: a, Closes: a.SignedAt.Add(terms.Confirm), Forgotten: r.Now().Sub(a.Changed) >= terms.Install, Own: a.Subject.IIN == r.Session().IIN}
	switch a.State {
	case ra.Draft:
		v.Step, v.Call = 2, generate(r, a, s.c.Office.KeySet(a))
		if len(a.Requests) > 0 {
			v.Step, v.Call = 3, web.SignXML(r.Lang(), a.Document, web.Signer{Serial: a.SignerSerial})
		}
	case ra.Signed, ra.Approved, ra.AwaitingDirector, ra.AwaitingDesk:
		v.Step = 4
		if cert, err := r.Certificate(); err == nil && !v.Own {
			v.Decide = s.c.Office.MayDecide(r.Context(), cert, a)
		}
	case ra.Issued:
		v.Step = 5
	case ra.Installed:
		v.Offer = a.Replaces != "" && !a.Offered
	case ra.Rejected, ra.Expired, ra.Withdrawn:
	}
	return v
}

func generate(r *web.Request, a ra.Application, set []ra.KeySpec) web.AgentCall {
	profiles := make([]web.Profile, len(set))
	for i, k := range set {
		profiles[i] = web.Profile{Algorithm: k.Algorithm, Usage: k.Usage}
	}
	return web.GenerateKeys(r.Lang(), a.ID(), string(a.Storage), profiles, agentSubject(a))
}

// install asks for the keys to be installed, and to sign that they are.
func install(r *web.Request, a ra.Application) (web.AgentCall, error) {
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

// takeKeys takes the requests the agent made.
func (s *cabinet) takeKeys(_ http.ResponseWriter, r *web.Request) error {
	number, here := r.PathValue("number"), "/applications/"+r.PathValue("number")
	a, err := s.own(r, number)
	if err != nil {
		return err
	}
	keys, err := web.NewKeys(r.Field("answer"), a.ID())
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: here}
	}
	if a, err = s.c.Office.Requests(r.Context(), r.Session().IIN, number, web.Requests(keys)); err != nil {
		return back(err, here)
	}
	return s.toFactor(r, a.FactorAbout(), here)
}

// takeSignature takes the signed application.
func (s *cabinet) takeSignature(_ http.ResponseWriter, r *web.Request) error {
	number, here := r.PathValue("number"), "/applications/"+r.PathValue("number")
	a, err := s.own(r, number)
	if err != nil {
		return err
	}
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: here}
	}
	under, err := r.TakeChallenge(purposeApply, here)
	if err != nil {
		return err
	}
	if !under.About(a.Document) { // another application, or this one before its requests were made anew
		return web.Refusal{Code: auth.CodeStale, Retry: here}
	}
	if _, err := s.c.Office.Submit(r.Context(), r.Session().IIN, number, signed); err != nil {
		return back(err, here)
	}
	return r.Redirect(here)
}

// takeInstalled takes the agent's report that the keys stand in their files.
func (s *cabinet) takeInstalled(_ http.ResponseWriter, r *web.Request) error {
	number, here := r.PathValue("number"), "/applications/"+r.PathValue("number")
	a, err := s.own(r, number)
	if err != nil {
		return err
	}
	files, err := web.Installed(r.Field("answer"), a.ID())
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: here}
	}
	about := ra.Installations([]ra.Application{a})
	got, err := r.TakeInstall(about, web.Signatures(files))
	if err != nil {
		return err
	}
	signed, bad := firstSignatures(about, got)
	if bad {
		return web.Refusal{Code: auth.CodeSignature, Retry: here}
	}
	if _, err := s.c.Office.Installed(r.Context(), r.Session().IIN, number, web.Serials(files), signed...); err != nil {
		return back(err, here)
	}
	return r.Redirect(here)
}

// firstSignature gives the applicant the first signature of one of his new keys with all that proves it.
func (s *cabinet) firstSignature(w http.ResponseWriter, r *web.Request) error {
	all, err := s.c.Office.FirstSignatures(r.Context(), r.Session().IIN, r.PathValue("number"))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(f ra.ProvedFirst) bool { return f.Serial == r.PathValue("serial") })
	if i < 0 {
		return web.ErrNotFound
	}
	f := all[i]
	files := []web.BundleFile{{Name: "signed.p7s", Body: f.Signature}}
	names, count := map[string]string{"tst": "stamp", "ocsp": "answer", "crl": "list"}, map[string]int{}
	for _, p := range f.Proofs {
		count[p.Kind]++
		files = append(files, web.BundleFile{Name: names[p.Kind] + "-" + strconv.Itoa(count[p.Kind]) + "." + p.Kind, Body: p.Body})
	}
	files = append(files, web.BundleFile{Name: "checks-1.json", Body: f.Checks}, web.BundleFile{Name: web.ContentFile, Body: []byte(f.Challenge)})
	if f.Installation != "" {
		files = append(files, web.BundleFile{Name: "installed.txt", Body: []byte(f.About)}, web.BundleFile{Name: "installation.txt", Body: []byte(f.Installation)})
	}
	files = append(files, web.BundleFile{Name: "certificate.cer", Body: f.Certificate})
	return web.SendBundle(w, "first-signature-"+f.Serial, f.At, files)
}

// firstSignatures are those that are there; bad when one is none of our challenge.
func firstSignatures(about string, got []web.FirstSignature) (list []ra.KeySignature, bad bool) {
	for _, f := range got {
		bad = bad || f.Bad
		if f.Certificate != nil {
			list = append(list, ra.KeySignature{Certificate: f.Certificate, Purpose: f.Purpose, Challenge: f.Challenge, Signature: f.Signature, About: about})
		}
	}
	return list, bad
}

// withdraw ends an application; later answers the offer to revoke the replaced key with "not now".
func (s *cabinet) withdraw(_ http.ResponseWriter, r *web.Request) error {
	if _, err := s.c.Office.Withdraw(r.Context(), r.Session().IIN, r.PathValue("number")); err != nil {
		return err
	}
	return r.Redirect("/applications/" + r.PathValue("number"))
}

func (s *cabinet) later(_ http.ResponseWriter, r *web.Request) error {
	if err := s.c.Office.Answered(r.Context(), r.Session().IIN, r.PathValue("number")); err != nil {
		return err
	}
	return r.Redirect("/keys")
}

// askEdit and edit change what was typed; the page says what that cancels.
func (s *cabinet) askEdit(w http.ResponseWriter, r *web.Request) error {
	a, err := s.own(r, r.PathValue("number"))
	if err != nil {
		return err
	}
	return r.OK(w, editPage(r, a, ra.Form{Email: a.Email, City: a.City, Storage: a.Storage}, nil))
}

func (s *cabinet) edit(w http.ResponseWriter, r *web.Request) error {
	a, err := s.own(r, r.PathValue("number"))
	if err != nil {
		return err
	}
	f := form(r)
	if errs := formErrors(r, f); len(errs) > 0 {
		return r.Invalid(w, editPage(r, a, f, errs))
	}
	if _, err := s.c.Office.Edit(r.Context(), r.Session().IIN, a.Number, f); err != nil {
		return err
	}
	return r.Redirect("/applications/" + a.Number)
}

// own reads an application its applicant may act on.
func (s *cabinet) own(r *web.Request, number string) (ra.Application, error) {
	return s.c.Office.Find(r.Context(), ra.Viewer{IIN: r.Session().IIN}, number)
}
