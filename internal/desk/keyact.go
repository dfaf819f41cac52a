package desk

import (
	"net/http"

	"senim/internal/ra"
	"senim/internal/web"
)

func (d *desk) keyRoutes(own func(string, web.Handler)) {
	own("GET /desk/keys/{serial}", d.askAct)
	own("POST /desk/keys/{serial}", d.beginAct)
	own("GET /desk/acts/{id}", d.showAct)
	own("POST /desk/acts/{id}", d.decideAct)
}

// key reads a key; nobody does anything to his own here (C-37).
func (d *desk) key(r *web.Request) (ra.Key, web.Key, error) {
	k, err := d.c.Office.DeskKey(r.Context(), r.PathValue("serial"))
	if err != nil {
		return k, web.Key{}, err
	}
	if k.IIN == r.Session().IIN {
		return k, web.Key{}, &ra.Refusal{Code: "OPERATOR_SELF"}
	}
	card, err := d.card(r, k)
	card.Actions = nil
	return k, card, err
}

func onHold(k ra.Key) bool { return !k.RevokedAt.IsZero() && k.Reason == "certificateHold" }

func (d *desk) askAct(w http.ResponseWriter, r *web.Request) error {
	k, card, err := d.key(r)
	if err != nil {
		return err
	}
	return r.OK(w, keyActPage(r, card, onHold(k), ra.KeyAct{Serial: k.Serial}, nil))
}

func (d *desk) beginAct(w http.ResponseWriter, r *web.Request) error {
	k, card, err := d.key(r)
	if err != nil {
		return err
	}
	by, err := operator(r)
	if err != nil {
		return err
	}
	want := ra.KeyAct{Serial: k.Serial, Act: r.Field("act"), Document: r.Field("document"), Reason: r.Field("reason"), Text: r.Field("text")}
	made, err := d.c.Office.BeginAct(r.Context(), by, want)
	if errs := mistakes(r, err); errs != nil {
		return r.Invalid(w, keyActPage(r, card, onHold(k), want, errs))
	}
	if err != nil {
		return err
	}
	return r.Redirect("/desk/acts/" + made.ID)
}

// actOf reads an act. A draft is its operator's own; one's own key is nobody's to decide about.
func (d *desk) actOf(r *web.Request) (ra.KeyAct, error) {
	k, err := d.c.Office.Act(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		return k, err
	case k.IIN == r.Session().IIN:
		return k, &ra.Refusal{Code: "OPERATOR_SELF"}
	case k.State == ra.ActDraft && k.By != r.Session().IIN:
		return k, web.ErrNotFound
	}
	return k, nil
}

func (d *desk) showAct(w http.ResponseWriter, r *web.Request) error {
	k, err := d.actOf(r)
	if err != nil {
		return err
	}
	key, err := d.c.Office.DeskKey(r.Context(), k.Serial)
	if err != nil {
		return err
	}
	card, err := d.card(r, key)
	card.Actions = nil
	if err != nil {
		return err
	}
	var ask web.AgentCall
	if k.State == ra.ActDraft || k.State == ra.ActWaiting && k.Made.IIN != r.Session().IIN {
		if ask, err = call(r, k.XML(do(k), d.c.Site.Origin)); err != nil {
			return err
		}
	}
	return r.OK(w, actPage(r, k, card, ask))
}

// decideAct takes a signature over an act, or ends it.
func (d *desk) decideAct(_ http.ResponseWriter, r *web.Request) error {
	k, err := d.actOf(r)
	if err != nil {
		return err
	}
	by, err := operator(r)
	if err != nil {
		return err
	}
	switch r.Field("do") {
	case "reject":
		_, err = d.c.Office.RejectAct(r.Context(), by, k.ID)
	case "record", "confirm":
		var signed []byte
		if signed, by, err = d.signedDesk(r, k.XML(do(k), d.c.Site.Origin), k.Serial, back(r)); err == nil {
			_, err = d.c.Office.SignAct(r.Context(), by, k.ID, signed)
		}
	default:
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return r.Redirect(back(r))
}

// do is what a signature over an act means now.
func do(k ra.KeyAct) string {
	if k.State == ra.ActDraft {
		return "record"
	}
	return "confirm"
}
