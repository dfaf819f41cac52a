package cabinet

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"senim/internal/ra"
	"senim/internal/web"
)

// waitShown is how long a page waits for what goes on by itself before it offers the next step anyway.
const waitShown = 2 * time.Minute

// batchView is a bulk renewal as its page shows it.
type batchView struct {
	ID    string
	Lines []batchLine
	// Counts are the numbers of items by what they wait for.
	Counts []batchCount
	// Directors are the organisations whose head must confirm, with the number of applications.
	Directors []director
	// Forms are what the agent can be asked now, the main one first.
	Forms []web.Agent
	// Waiting: something goes on by itself; the page reloads.
	Waiting bool
	// Factor is the page of the second factor, when it is to be passed before the signatures.
	Factor string
	Done   int
}

type batchLine struct {
	ra.BatchLine
	Card web.Key
	// Old: the key that was replaced has force still, and the visitor may revoke it.
	Old bool
}

type batchCount struct {
	Word string // of the texts batch.count.…
	N    int
}

type director struct {
	Organization, BIN string
	N                 int
}

// batch shows a bulk renewal, to its maker only.
func (s *cabinet) batch(w http.ResponseWriter, r *web.Request) error {
	b, lines, err := s.c.Office.Batch(r.Context(), r.Session().IIN, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := batchView{ID: b.ID}
	for _, l := range lines {
		old, err := s.replaced(r, l)
		if err != nil {
			return err
		}
		v.Lines = append(v.Lines, batchLine{l, cardOf(r, l.Certificate, s.c.Now()), old})
	}
	v.count(lines)
	if err := s.steps(r, &v, lines, true); err != nil {
		return err
	}
	if signs := func(f web.Agent) bool { return last(f.Action) == "sign" }; slices.ContainsFunc(v.Forms, signs) {
		if v.Factor, err = s.factorFor(r, ra.BatchFactorAbout(b.ID), "/many/"+b.ID); err != nil {
			return err
		}
		if v.Factor != "" {
			v.Forms = slices.DeleteFunc(v.Forms, signs)
		}
	}
	return r.OK(w, batchPage(r, v))
}

// replaced reports a key whose successor is installed, that has force still and that the visitor may revoke.
func (s *cabinet) replaced(r *web.Request, l ra.BatchLine) (bool, error) {
	if word(l) != "done" {
		return false, nil
	}
	c, err := r.Certificate()
	if err != nil {
		return false, err
	}
	k, _, err := s.c.Office.Revocable(r.Context(), c.Holder(), l.Item.Serial)
	if _, refused := errors.AsType[*ra.Refusal](err); refused {
		return false, nil
	}
	return k.Live(s.c.Now()), err
}

// word says what an item waits for.
func word(l ra.BatchLine) string {
	if l.Application == nil {
		return "not"
	}
	switch l.Application.State {
	case ra.Draft:
		if final(l.Item.Reason.Code) {
			return "not"
		}
		if l.Application.Document == "" {
			return "keys"
		}
		return "sign"
	case ra.Signed, ra.Approved:
		return "issuing"
	case ra.AwaitingDirector:
		return "director"
	case ra.AwaitingDesk:
		return "desk"
	case ra.Issued:
		return "install"
	case ra.Installed:
		return "done"
	case ra.Rejected, ra.Expired, ra.Withdrawn:
	}
	return "not"
}

// final reports a reason that trying once more cannot change.
func final(code string) bool {
	switch code {
	case "CERT_REVOKED", "CERT_EXPIRED", "NOT_OUR_KEY", "KEY_REPLACED", "APPLICATION_OPEN", "AGENT_DOES_NOT_FIT", "FACTOR_OWNER":
		return true
	}
	return false
}

func (v *batchView) count(lines []ra.BatchLine) {
	n := map[string]int{}
	companies := map[string]director{}
	for _, l := range lines {
		what := word(l)
		n[what]++
		if what == "director" {
			d := companies[l.Application.Subject.BIN]
			d.Organization, d.BIN, d.N = l.Application.Subject.Organization, l.Application.Subject.BIN, d.N+1
			companies[d.BIN] = d
		}
	}
	for _, what := range []string{"keys", "sign", "issuing", "director", "desk", "install", "done", "not"} {
		if n[what] > 0 {
			v.Counts = append(v.Counts, batchCount{what, n[what]})
		}
	}
	v.Done = n["done"]
	v.Directors = slices.SortedFunc(maps.Values(companies), func(a, b director) int { return cmp.Compare(a.Organization, b.Organization) })
}

// steps decides what the agent is asked: first what nobody tried yet, in the order of the work;
// then, beside it, once more what failed. Ask opens the challenge that new keys sign.
func (s *cabinet) steps(r *web.Request, v *batchView, lines []ra.BatchLine, ask bool) error {
	by, fresh := map[string][]ra.Application{}, map[string]bool{}
	for _, l := range lines {
		what := word(l)
		if l.Application != nil {
			by[what] = append(by[what], *l.Application)
			fresh[what] = fresh[what] || l.Item.Reason.Code == ""
		}
		v.Waiting = v.Waiting || (l.Waits() && s.c.Now().Sub(l.Application.Changed) < waitShown)
	}
	form := func(what string) (err error) {
		if len(by[what]) > 0 {
			challenge := ""
			if what == "install" && ask {
				challenge, err = r.AskInstall(ra.Installations(by[what]))
			}
			v.Forms = append(v.Forms, web.Agent{Action: "/many/" + v.ID + "/" + what, Call: s.manyCall(r, what, by[what], challenge),
				Button: r.T("batch.button."+what, "n", len(by[what])), Secondary: len(v.Forms) > 0})
			delete(by, what)
		}
		return err
	}
	for _, what := range []string{"keys", "sign"} {
		if fresh[what] {
			v.Waiting = false
			return form(what) // one question at a time
		}
	}
	if v.Waiting {
		return nil
	}
	for _, what := range []string{"install", "sign", "keys"} {
		if err := form(what); err != nil {
			return err
		}
	}
	return nil
}

// manyCall is what the agent is asked for the applications of one step.
func (s *cabinet) manyCall(r *web.Request, what string, list []ra.Application, challenge string) web.AgentCall {
	switch what {
	case "keys":
		orders := make([]web.Order, len(list))
		for i, a := range list {
			orders[i] = s.order(a)
		}
		return web.GenerateMany(r.Lang(), string(ra.PKCS12), orders)
	case "sign":
		documents := make([]web.ToSign, len(list))
		for i, a := range list {
			documents[i] = web.ToSign{ID: a.ID(), XML: a.Document, Serial: a.SignerSerial}
		}
		return web.SignMany(r.Lang(), documents)
	}
	sets := make([]web.ToInstall, len(list))
	for i, a := range list {
		sets[i].RequestID = a.ID()
		for _, c := range a.Certificates {
			sets[i].Certificates = append(sets[i].Certificates, c.DER)
		}
	}
	return web.InstallMany(r.Lang(), sets, challenge)
}

// order is one application's keys to make.
func (s *cabinet) order(a ra.Application) web.Order {
	o := web.Order{RequestID: a.ID(), Subject: agentSubject(a)}
	if a.Storage != ra.PKCS12 {
		o.Storage = string(a.Storage)
	}
	for _, k := range s.c.Office.KeySet(a) {
		o.Profiles = append(o.Profiles, web.Profile{Algorithm: k.Algorithm, Usage: k.Usage})
	}
	return o
}

func agentSubject(a ra.Application) web.Subject {
	n := a.Subject
	return web.Subject{CommonName: n.CommonName, Surname: n.Surname, GivenName: n.Patronymic, IIN: n.IIN,
		Organization: n.Organization, BIN: n.BIN, Country: "KZ", Email: a.Email}
}
