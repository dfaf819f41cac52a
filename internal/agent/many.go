package agent

import (
	"context"
	"slices"
	"strings"

	"senim/internal/ident"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// OrderView is one of many orders in the window: for whom, and which keys.
type OrderView struct {
	Owner        string   `json:"owner"`
	IIN          string   `json:"iin"` // grouped
	Organization string   `json:"organization,omitempty"`
	BIN          string   `json:"bin,omitempty"` // grouped
	Email        string   `json:"email"`
	Profiles     []string `json:"profiles"` // in words
}

// many ends a call for many: each part has its own success or failure.
func (t *talk) many(ctx context.Context, window lang.Tag, task task, otherwise string) (any, *ncalayer.Refusal) {
	out := t.agent.show(ctx, t.site, window, task)
	switch {
	case out.err != nil:
		return nil, asRefusal(out.err, otherwise)
	case !out.done:
		return nil, nil
	}
	return out.result, nil
}

// orderOf is what the keystore is asked for, by a site.
func orderOf(origin string, call ncalayer.GenerateCall) keystore.Order {
	s := call.Subject
	order := keystore.Order{Origin: origin, RequestID: call.RequestID, Subject: pki.Holder{
		CommonName: s.CommonName, Surname: s.Surname, Given: s.GivenName, IIN: s.IIN, BIN: s.BIN,
		Organization: s.Organization, Country: s.Country, Email: s.Email,
	}}
	if call.Storage != ncalayer.PKCS12 {
		order.Storage = call.Storage
	}
	for _, p := range call.Profiles {
		order.Profiles = append(order.Profiles, keystore.Profile(p))
	}
	return order
}

func (t *talk) generateMany(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.GenerateMany()
	if refusal != nil {
		return nil, refusal
	}
	task := &generatingMany{hint: call.Folder, again: true}
	if !slices.ContainsFunc(call.Orders, func(o ncalayer.GenerateCall) bool { return o.Storage == ncalayer.PKCS12 }) {
		return nil, &ncalayer.Refusal{Code: ncalayer.CodeGenerating, Details: "storage_unavailable: keys on a token are made by generate"}
	}
	for _, one := range call.Orders { // one for a token fails alone: no token is open here
		order := orderOf(t.site.Origin, one)
		made, err := t.agent.keeper.Made(order)
		task.again = task.again && (err != nil || len(made) > 0)
		task.orders = append(task.orders, order)
		if err == nil && len(made) == 0 && order.Storage == "" {
			task.keys += len(order.Profiles)
		}
	}
	return t.many(ctx, tag(call.Locale, lang.KK), task, ncalayer.CodeGenerating)
}

// generatingMany is the consent to make the key pairs of many orders; one step makes one order's.
type generatingMany struct {
	orders []keystore.Order
	hint   string
	again  bool // all were made before
	keys   int  // to be made now
	beyond bool // more than may wait without the person's word for it, which he gave
	folder string
	out    ncalayer.GeneratedMany
}

func (*generatingMany) kind() string { return "generate-many" }
func (*generatingMany) wish() wish   { return wish{} }

func (t *generatingMany) show(w *window, v *View) {
	tag := w.lang
	v.Again = t.again
	if len(t.out.Orders) == 0 && !w.agent.keeper.Room(w.site.Origin, t.keys) {
		v.Confirm = tag.Text("agent.ui.confirm-many", "n", t.keys, "wait", len(w.agent.keeper.Waiting(w.site.Origin)))
	}
	for _, o := range t.orders {
		s := o.Subject
		view := OrderView{Owner: strings.TrimSpace(s.CommonName + " " + s.Given), IIN: ident.FormatIIN(s.IIN), Organization: s.Organization,
			BIN: ident.FormatIIN(s.BIN), Email: s.Email}
		for _, p := range o.Profiles {
			view.Profiles = append(view.Profiles, tag.Text("agent.profile."+p.Algorithm+"-"+p.Usage))
		}
		v.Orders = append(v.Orders, view)
	}
	w.proposeFolder(v, t.hint)
}

func (t *generatingMany) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	if len(t.out.Orders) == 0 {
		if !t.again {
			var p *Problem
			if t.folder, p = d.folder(); p != nil {
				return outcome{}, p
			}
		}
		if t.beyond = !w.agent.keeper.Room(w.site.Origin, t.keys); t.beyond && !d.Confirm {
			return outcome{}, &Problem{Code: "confirm", Field: "confirm"}
		}
	}
	order := t.orders[len(t.out.Orders)]
	order.Folder, order.Many = t.folder, t.beyond
	one := ncalayer.GeneratedOne{RequestID: order.RequestID}
	notes, err := w.agent.keeper.Generate(order)
	if err != nil {
		one.Error = asRefusal(err, ncalayer.CodeGenerating).Part()
	}
	one.Keys = w.agent.generated(notes)
	t.out.Orders = append(t.out.Orders, one)
	return steps(len(t.out.Orders), len(t.orders), t.out), nil
}

// steps is the outcome of one step of many: the last one ends the window.
func steps(at, of int, result any) outcome {
	if at < of {
		return outcome{at: at, of: of}
	}
	return outcome{done: true, result: result}
}
