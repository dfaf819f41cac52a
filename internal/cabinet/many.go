package cabinet

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"senim/internal/ra"
	"senim/internal/web"
)

// manyRoutes is «Ключи моих организаций»: the keys of a folder in one table, and their renewal in one go.
func (s *cabinet) manyRoutes(at routes) {
	at.own("GET /many", s.many)
	at.own("POST /many/list", s.takeFolder)
	at.own("POST /many/forget", s.forget)
	at.own("POST /many/choose", s.choose)
	at.own("POST /many/batches", s.newBatch)
	at.own("GET /many/{id}", s.batch)
	for path, h := range map[string]web.Handler{"keys": s.takeManyKeys, "sign": s.takeManySignatures, "install": s.takeManyInstalled} {
		at.own("GET /many/{id}/"+path, s.toBatch)
		at.own("POST /many/{id}/"+path, h)
	}
	for _, path := range []string{"list", "forget", "choose", "batches"} {
		at.own("GET /many/"+path, s.toMany)
	}
}

// manyView is what the page of the folder shows.
type manyView struct {
	Rows []manyRow
	// Foreign counts the keys just shown that another authority issued.
	Foreign int
	// Tick marks what ends within so many days; zero marks nothing.
	Tick    int
	Batches []ra.Batch
}

// manyRow is one key of the folder.
type manyRow struct {
	ra.Watching
	Card   web.Key
	Ticked bool
}

// many shows the folder: the key that ends first stands first.
func (s *cabinet) many(w http.ResponseWriter, r *web.Request) error {
	v := manyView{Foreign: small(r, "foreign"), Tick: small(r, "tick")}
	var err error
	if v.Rows, err = s.folder(r); err != nil {
		return err
	}
	for i, row := range v.Rows {
		left := row.Key.NotAfter.Sub(s.c.Now()).Hours() / 24
		v.Rows[i].Ticked = row.Why == "" && v.Tick > 0 && left <= float64(v.Tick)
	}
	if v.Batches, err = s.c.Office.Batches(r.Context(), r.Session().IIN); err != nil {
		return err
	}
	return r.OK(w, manyPage(r, v))
}

func (s *cabinet) folder(r *web.Request) ([]manyRow, error) {
	list, err := s.c.Office.FolderKeys(r.Context(), r.Session().IIN)
	if err != nil {
		return nil, err
	}
	rows := make([]manyRow, len(list))
	for i, k := range list {
		rows[i] = manyRow{Watching: k, Card: cardOf(r, k.Certificate, s.c.Now())}
		switch k.Why {
		case "revoked":
			rows[i].Card.Kind, rows[i].Card.State = "stop", r.T("cabinet.key.revoked", "date", r.Date(k.Key.RevokedAt))
		case "hold":
			rows[i].Card.Kind, rows[i].Card.State = "stop", r.T("cabinet.key.hold")
		}
	}
	return rows, nil
}

// small reads a number of the address; anything else is none.
func small(r *web.Request, name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 || n > 999 {
		return 0
	}
	return n
}

// takeFolder takes the keys the agent was allowed to show.
func (s *cabinet) takeFolder(_ http.ResponseWriter, r *web.Request) error {
	list, err := web.ListedCertificates(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/many"}
	}
	ours, foreign, err := s.c.Office.Watch(r.Context(), r.Session().IIN, list)
	if err != nil {
		return back(err, "/many")
	}
	if ours == 0 {
		return web.Refusal{Code: "FOLDER_EMPTY", Evidence: map[string]string{"n": strconv.Itoa(foreign)}, Retry: "/many"}
	}
	if foreign > 0 {
		return r.Redirect("/many?foreign=" + strconv.Itoa(foreign))
	}
	return r.Redirect("/many")
}

// forget takes the ticked keys off the list.
func (s *cabinet) forget(_ http.ResponseWriter, r *web.Request) error {
	if chosen := ticked(r); len(chosen) > 0 {
		if err := s.c.Office.Unwatch(r.Context(), r.Session().IIN, chosen); err != nil {
			return err
		}
	}
	return r.Redirect("/many")
}

// ticked are the serials of a posted selection.
func ticked(r *web.Request) []string {
	return slices.Compact(slices.Sorted(slices.Values(r.PostForm["serial"])))
}

// chosenView is the page that asks once for all keys chosen.
type chosenView struct {
	Rows []manyRow
	Form ra.BatchForm
	Errs web.Errors
}

// choose asks, for the ticked keys, what is the same for all.
func (s *cabinet) choose(w http.ResponseWriter, r *web.Request) error {
	rows, err := s.chosenRows(r)
	if err != nil {
		return err
	}
	account, err := s.c.Office.Account(r.Context(), r.Session().IIN)
	if err != nil && !errors.Is(err, ra.ErrNotFound) {
		return err
	}
	return r.OK(w, chosenPage(r, chosenView{Rows: rows, Form: ra.BatchForm{City: account.City, Storage: ra.PKCS12}}))
}

// chosenRows finds the ticked rows of the folder; a key that is not in it is like none.
func (s *cabinet) chosenRows(r *web.Request) ([]manyRow, error) {
	serials := ticked(r)
	rows, err := s.folder(r)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row manyRow) bool { return !slices.Contains(serials, row.Key.Serial) })
	switch {
	case len(serials) == 0:
		return nil, web.Refusal{Code: "BATCH_EMPTY", Retry: "/many"}
	case len(rows) != len(serials):
		return nil, web.Refusal{Code: "KEY_UNKNOWN", Status: http.StatusNotFound, Next: []web.Link{{Text: "batch.title", Href: "/many"}}}
	}
	return rows, nil
}

// newBatch prepares the applications.
func (s *cabinet) newBatch(w http.ResponseWriter, r *web.Request) error {
	f := ra.BatchForm{Email: r.Field("email"), City: r.Field("city"), Storage: ra.Storage(r.Field("storage")), Lang: r.Lang()}
	one := ra.Form{Email: f.Email, City: f.City, Storage: f.Storage}
	if one.Email == "" {
		one.Email = "each@example.kz" // each key keeps its own
	}
	if one.City == "" {
		one.City = "–" // each keeps the one of its application
	}
	if errs := formErrors(r, one); len(errs) > 0 {
		rows, err := s.chosenRows(r)
		if err != nil {
			return err
		}
		return r.Invalid(w, chosenPage(r, chosenView{Rows: rows, Form: f, Errs: errs}))
	}
	b, err := s.c.Office.NewBatch(r.Context(), r.Session().IIN, ticked(r), f)
	if err != nil {
		return back(err, "/many")
	}
	return r.Redirect("/many/" + b.ID)
}

// toMany answers a GET of an address that is only posted to.
func (s *cabinet) toMany(_ http.ResponseWriter, r *web.Request) error { return r.Redirect("/many") }

// toBatch does the same below a batch.
func (s *cabinet) toBatch(_ http.ResponseWriter, r *web.Request) error {
	return r.Redirect("/many/" + r.PathValue("id"))
}

// manyAnswers reads what the agent did and gives it to take.
func (s *cabinet) manyAnswers(r *web.Request, take func([]ra.BatchAnswer, []web.ManyAnswer) error) error {
	here := "/many/" + r.PathValue("id")
	got, err := web.ManyAnswers(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: here}
	}
	if err := take(batchAnswers(got), got); err != nil {
		if no, ok := errors.AsType[*ra.Refusal](err); ok && no.Code == "BATCH_UNKNOWN" {
			return err
		}
		return back(err, here)
	}
	return r.Redirect(here)
}

func batchAnswers(got []web.ManyAnswer) []ra.BatchAnswer {
	list := make([]ra.BatchAnswer, len(got))
	for i, a := range got {
		list[i] = ra.BatchAnswer{ID: a.ID, Requests: a.Requests, Signed: a.XML, Serials: a.Serials, Refused: a.Refused}
	}
	return list
}

func (s *cabinet) takeManyKeys(_ http.ResponseWriter, r *web.Request) error {
	return s.manyAnswers(r, func(list []ra.BatchAnswer, _ []web.ManyAnswer) error {
		return s.c.Office.BatchRequests(r.Context(), r.Session().IIN, r.PathValue("id"), list)
	})
}

func (s *cabinet) takeManySignatures(_ http.ResponseWriter, r *web.Request) error {
	return s.manyAnswers(r, func(list []ra.BatchAnswer, _ []web.ManyAnswer) error {
		return s.c.Office.BatchSign(r.Context(), r.Session().IIN, r.PathValue("id"), list)
	})
}

func (s *cabinet) takeManyInstalled(_ http.ResponseWriter, r *web.Request) error {
	return s.manyAnswers(r, func(list []ra.BatchAnswer, got []web.ManyAnswer) error {
		return s.batchInstalled(r, r.PathValue("id"), list, got)
	})
}

// batchInstalled takes the report of many installations, and what the new keys signed of them. A key that signed anything but
// that is told as one the agent did not install, and stops no other.
func (s *cabinet) batchInstalled(r *web.Request, id string, answers []ra.BatchAnswer, got []web.ManyAnswer) error {
	_, lines, err := s.c.Office.Batch(r.Context(), r.Session().IIN, id)
	if err != nil {
		return err
	}
	var asked []ra.Application
	var signatures [][]byte
	for _, one := range got {
		for _, l := range lines {
			if l.Application != nil && l.Application.ID() == one.ID {
				asked = append(asked, *l.Application)
			}
		}
		signatures = append(signatures, one.Signatures...)
	}
	about := ra.Installations(asked)
	taken, err := r.TakeInstall(about, signatures)
	if err != nil {
		return err
	}
	for i, one := range got {
		signed, bad := firstSignatures(about, taken[:len(one.Signatures)])
		if taken = taken[len(one.Signatures):]; bad {
			answers[i].Refused = "signature"
		}
		answers[i].First = signed
	}
	return s.c.Office.BatchInstalled(r.Context(), r.Session().IIN, id, answers)
}
