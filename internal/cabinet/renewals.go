package cabinet

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"senim/internal/auth"
	"senim/internal/cabinet/client"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
)

// renewalRoutes is the renewal of many keys for a program on the person's machine: what /many does, as
// JSON, with the same session and the same rules; and the list of keys of /keys. Package client is its other side.
func (s *cabinet) renewalRoutes(at routes) {
	at.open("POST /api/renewals/challenge", asJSON(s.renewalChallenge))
	at.open("POST /api/renewals/signin", asJSON(s.renewalSignIn))
	for pattern, h := range map[string]jsonHandler{"POST /api/renewals": s.newRenewal, "GET /api/renewals": s.renewals, "GET /api/renewals/{id}": s.renewal,
		"POST /api/renewals/{id}/keys": s.renewalStep(client.StepKeys), "POST /api/renewals/{id}/sign": s.renewalStep(client.StepSign),
		"POST /api/renewals/{id}/install": s.renewalStep(client.StepInstall), "POST /api/renewals/{id}/code": s.renewalCode} {
		at.open(pattern, asJSON(withSession(h)))
	}
	at.open("GET /api/keys", asJSON(withSession(s.listedKeys)))
}

// withSession refuses who has no session.
func withSession(h jsonHandler) jsonHandler {
	return func(r *web.Request) (any, error) {
		if !r.Session().SignedIn() {
			return nil, web.Refusal{Code: auth.CodeStale, Status: http.StatusUnauthorized}
		}
		return h(r)
	}
}

// jsonHandler gives the answer, or the refusal.
type jsonHandler func(r *web.Request) (any, error)

// asJSON answers a program: refusals too, in the words of their page.
func asJSON(h jsonHandler) web.Handler {
	return func(w http.ResponseWriter, r *web.Request) error {
		var answer any
		err := refusals(func(_ http.ResponseWriter, r *web.Request) (err error) { answer, err = h(r); return err })(w, r)
		status := http.StatusOK
		if no, ok := errors.AsType[web.Refusal](web.RefusalOf(err, "")); ok {
			_, text := refusalText(r, &ra.Refusal{Code: no.Code, Evidence: no.Evidence})
			if text == "" {
				text = no.Code
			}
			if status = no.Status; status == 0 {
				status = http.StatusForbidden
			}
			answer, err = client.Refusal{Code: no.Code, Text: text}, nil
		}
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		return json.NewEncoder(w).Encode(answer)
	}
}

func (s *cabinet) renewalChallenge(r *web.Request) (any, error) {
	c, err := r.Ask(purposeSignIn, "")
	return client.Challenge{Challenge: []byte(c.Text())}, err
}

// renewalSignIn opens a session as the page does. Who has no account accepts the rules on the page first.
func (s *cabinet) renewalSignIn(r *web.Request) (any, error) {
	proof, err := s.prove(r, purposeSignIn, trust.SignIn, "/signin")
	if err != nil {
		return nil, err
	}
	if proof.Holder.IIN == "" {
		return nil, web.Refusal{Code: "NOT_A_PERSON"}
	}
	if _, err := s.c.Office.Account(r.Context(), proof.Holder.IIN); errors.Is(err, ra.ErrNotFound) {
		return nil, web.Refusal{Code: client.NoAccount}
	} else if err != nil {
		return nil, err
	}
	if err := r.SignInWith(proof); err != nil {
		return nil, err
	}
	return struct{}{}, s.c.Office.Used(r.Context(), proof.Certificate.SerialHex())
}

// newRenewal takes the certificates of the keys to renew and prepares their applications. Each new key goes where
// the old one is.
func (s *cabinet) newRenewal(r *web.Request) (any, error) {
	if list := r.PostForm["certificate"]; len(list) == 0 || len(list) > ra.MaxBatch {
		return nil, web.Refusal{Code: "BATCH_EMPTY", Status: http.StatusUnprocessableEntity}
	}
	var ders [][]byte
	for _, text := range r.PostForm["certificate"] {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, web.Refusal{Code: "BAD_REQUEST", Status: http.StatusBadRequest}
		}
		ders = append(ders, der)
	}
	if ours, _, err := s.c.Office.Watch(r.Context(), r.Session().IIN, ders); err != nil {
		return nil, err
	} else if ours == 0 {
		return nil, web.Refusal{Code: "NOT_OUR_KEY"}
	}
	list, err := s.c.Office.FolderKeys(r.Context(), r.Session().IIN)
	if err != nil {
		return nil, err
	}
	var serials []string
	for _, k := range list {
		if slices.ContainsFunc(ders, func(der []byte) bool { return string(der) == string(k.Certificate.Raw) }) {
			serials = append(serials, k.Key.Serial)
		}
	}
	b, err := s.c.Office.NewBatch(r.Context(), r.Session().IIN, serials, ra.BatchForm{Lang: r.Lang()})
	if err != nil {
		return nil, err
	}
	return s.renewalOf(r, b.ID, true)
}

// renewals lists what is not at its end, latest first; new keys are installed by what one says by itself.
func (s *cabinet) renewals(r *web.Request) (any, error) {
	list, err := s.c.Office.Batches(r.Context(), r.Session().IIN)
	if err != nil {
		return nil, err
	}
	out := []client.Renewal{}
	for _, b := range list {
		one, err := s.renewalOf(r, b.ID, false)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(one.Keys, func(k client.Key) bool { return k.State != "done" && k.State != "not" }) {
			out = append(out, one)
		}
	}
	return out, nil
}

func (s *cabinet) renewal(r *web.Request) (any, error) {
	return s.renewalOf(r, r.PathValue("id"), true)
}

// renewalOf is a batch as its page has it. Ask opens the challenge that new keys sign when they are installed.
func (s *cabinet) renewalOf(r *web.Request, id string, ask bool) (client.Renewal, error) {
	b, lines, err := s.c.Office.Batch(r.Context(), r.Session().IIN, id)
	if err != nil {
		return client.Renewal{}, err
	}
	out := client.Renewal{ID: b.ID, Keys: []client.Key{}, Steps: []client.Step{}}
	for _, l := range lines {
		k := client.Key{Serial: l.Item.Serial, State: word(l), Reason: l.Item.Reason.Code}
		if l.Application != nil {
			k.ID = l.Application.ID()
		}
		if k.Reason != "" {
			_, k.Text = refusalText(r, &ra.Refusal{Code: k.Reason, Evidence: l.Item.Reason.Evidence})
		}
		out.Keys = append(out.Keys, k)
	}
	var v batchView
	v.ID = b.ID
	if err := s.steps(r, &v, lines, ask); err != nil {
		return client.Renewal{}, err
	}
	out.Waiting = v.Waiting
	for _, f := range v.Forms {
		call, err := json.Marshal(f.Call)
		if err != nil {
			return client.Renewal{}, err
		}
		out.Steps = append(out.Steps, client.Step{Name: last(f.Action), Call: call})
	}
	signs := func(p client.Step) bool { return p.Name == client.StepSign }
	if !slices.ContainsFunc(out.Steps, signs) {
		return out, nil
	}
	open, err := s.c.Office.FactorOpen(r.Context(), r.Session().IIN, ra.BatchFactorAbout(id))
	if err != nil || open {
		return out, err
	}
	out.Steps = slices.DeleteFunc(out.Steps, signs)
	offer, err := s.c.Office.FactorOffer(r.Context(), r.Session().IIN, ra.BatchFactorAbout(id))
	if err != nil {
		return out, err
	}
	out.Factor = &client.Factor{Sent: offer.Last.Open(s.c.Now())}
	if way, ok := offer.Way(offer.Last.Kind); ok && out.Factor.Sent {
		out.Factor.To = way.Masked
	} else if len(offer.Ways) > 0 {
		out.Factor.To = offer.Ways[0].Masked
	}
	return out, nil
}

// renewalStep takes what the agent did in one step.
func (s *cabinet) renewalStep(step string) jsonHandler {
	return func(r *web.Request) (any, error) {
		id := r.PathValue("id")
		got, err := web.ManyAnswers(r.Field("answer"))
		if err != nil {
			return nil, web.Refusal{Code: "AGENT_ANSWER", Status: http.StatusUnprocessableEntity}
		}
		take := map[string]func([]ra.BatchAnswer) error{
			client.StepKeys:    func(l []ra.BatchAnswer) error { return s.c.Office.BatchRequests(r.Context(), r.Session().IIN, id, l) },
			client.StepSign:    func(l []ra.BatchAnswer) error { return s.c.Office.BatchSign(r.Context(), r.Session().IIN, id, l) },
			client.StepInstall: func(l []ra.BatchAnswer) error { return s.batchInstalled(r, id, l, got) },
		}[step]
		if err := take(batchAnswers(got)); err != nil {
			return nil, err
		}
		return s.renewalOf(r, id, true)
	}
}

// renewalCode sends a code of the second factor by the first way there is, or takes the one typed.
func (s *cabinet) renewalCode(r *web.Request) (any, error) {
	id := r.PathValue("id")
	if _, _, err := s.c.Office.Batch(r.Context(), r.Session().IIN, id); err != nil {
		return nil, err // nobody else's
	}
	about := ra.BatchFactorAbout(id)
	offer, err := s.c.Office.FactorOffer(r.Context(), r.Session().IIN, about)
	if err != nil {
		return nil, err
	}
	if code := strings.Join(strings.Fields(r.Field("code")), ""); code != "" {
		_, err = s.c.Office.CheckFactor(r.Context(), r.Session().IIN, offer.Last.Handle, code)
	} else if !offer.Last.Open(s.c.Now()) {
		var kind ra.FactorKind
		if len(offer.Ways) > 0 {
			kind = offer.Ways[0].Kind
		}
		_, err = s.c.Office.StartFactor(r.Context(), r.Session().IIN, about, kind)
	}
	if err != nil {
		return nil, err
	}
	return s.renewalOf(r, id, true)
}
