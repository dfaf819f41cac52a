package desk

import (
	"errors"
	"net/http"

	"senim/internal/registry"
	"senim/internal/web"
)

// listed is a change in the list.
type listed struct {
	registry.Change
	Organization string
}

func (d *desk) list(w http.ResponseWriter, r *web.Request) error {
	changes, err := d.c.Book.Changes(r.Context(), 100)
	if err != nil {
		return err
	}
	loads, err := d.c.Book.Loads(r.Context(), 5)
	if err != nil {
		return err
	}
	var waiting, decided []listed
	for _, c := range changes {
		l := listed{c, d.organization(r, c)}
		if c.State == registry.Waiting {
			waiting = append(waiting, l)
		} else {
			decided = append(decided, l)
		}
	}
	return r.OK(w, listPage(r, waiting, decided, loads, d.c.Book.NextLoad(r.Context())))
}

// organization is the name of a change's organisation in the reader's language; its BIN when there
// is none.
func (d *desk) organization(r *web.Request, c registry.Change) string {
	e := d.c.Book.Entity(r.Context(), c.BIN).Value
	switch {
	case r.Lang() == "kk" && e.NameKK != "":
		return e.NameKK
	case r.Lang() == "en" && e.NameEN != "":
		return e.NameEN
	case e.NameRU != "":
		return e.NameRU
	}
	return string(c.BIN)
}

func (d *desk) askNew(w http.ResponseWriter, r *web.Request) error { return r.OK(w, newPage(r, nil)) }

// takeNew checks the form and leads to the page where it is signed.
func (d *desk) takeNew(w http.ResponseWriter, r *web.Request) error {
	scan, err := file(r, "scan")
	if err != nil {
		return err
	}
	c, err := d.c.Book.Draft(r.Context(), clerk(r), registry.Form{BIN: r.Field("bin"), IIN: r.Field("iin"),
		Surname: r.Field("surname"), Name: r.Field("name"), Patronymic: r.Field("patronymic"), Position: r.Field("position"),
		AppointedOn: r.Field("appointed_on"), Document: r.Field("document"), Scan: scan})
	if wrong, ok := errors.AsType[*registry.FieldError](err); ok {
		var errs web.Errors
		errs.Add(wrong.Field, r.T("desk.error."+wrong.Code))
		return r.Invalid(w, newPage(r, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect("/desk/registry/" + c.ID)
}

// change shows a change, with what this clerk may do about it.
func (d *desk) change(w http.ResponseWriter, r *web.Request) error {
	c, err := d.c.Book.Change(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	mine := c.MadeBy.IIN == clerk(r).IIN
	if c.State == registry.Draft && !mine {
		return web.ErrNotFound // a draft is its clerk's own
	}
	var name, head string
	if d.c.OpenNames != nil && (c.State == registry.Draft || c.State == registry.Waiting) {
		name, head = d.c.OpenNames(r.Context(), c.BIN)
	}
	var ask web.AgentCall
	switch {
	case c.State == registry.Draft:
		ask, err = call(r, string(c.XML("record")))
	case c.State == registry.Waiting && !mine:
		ask, err = call(r, string(c.XML("confirm")))
	}
	if err != nil {
		return err
	}
	return r.OK(w, changePage(r, listed{c, d.organization(r, c)}, ask, mine, name, head))
}

// changeScan gives the scan of a change's document to whoever may see the change.
func (d *desk) changeScan(w http.ResponseWriter, r *web.Request) error {
	c, err := d.c.Book.Change(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if c.State == registry.Draft && c.MadeBy.IIN != clerk(r).IIN || c.Scan.Hash == "" {
		return web.ErrNotFound
	}
	body, err := d.c.Book.Scanned(r.Context(), c, clerk(r))
	if err != nil {
		return err
	}
	return attach(w, body, c.ID+c.Scan.Ext())
}

// act takes what a clerk does about a change: record and confirm with a signature, or reject.
func (d *desk) act(w http.ResponseWriter, r *web.Request) error {
	id, act := r.PathValue("id"), r.Field("act")
	c, err := d.c.Book.Change(r.Context(), id)
	if err != nil {
		return err
	}
	switch act {
	case "record", "confirm":
		signed, err := d.signed(r, c, act)
		if err != nil {
			return err
		}
		if act == "record" {
			_, err = d.c.Book.Sign(r.Context(), id, clerk(r), signed)
		} else {
			_, err = d.c.Book.Confirm(r.Context(), id, clerk(r), signed)
		}
		if err != nil {
			return err
		}
	case "reject":
		if _, err := d.c.Book.Reject(r.Context(), id, clerk(r)); err != nil {
			return err
		}
	default:
		return web.ErrNotFound
	}
	return r.Redirect("/desk/registry/" + id)
}
