package agent

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"time"

	"senim/internal/cabinet/client"
	"senim/internal/keystore"
	"senim/internal/ncalayer"
)

// issueWait is how long the window waits for certificates that are being issued; they can be fetched
// by another renewal later.
const issueWait = time.Minute

// renewal is the renewal of one person's keys, in a session of his own with the cabinet. What was done
// stands on the server: after a failure on the way the same step is tried again.
type renewal struct {
	task    *renewing
	by      *keystore.Key // signs in
	keys    []oldKey
	cabinet *client.Client
	in      bool              // signed in
	open    []string          // renewals still to be looked at; nil before they are known
	now     client.Renewal    // the one being worked on
	part    *renewalPart      // the step being worked on
	tried   map[string]bool   // steps done in this window, by renewal and name
	late    time.Time         // when waiting ends
	ended   map[string]string // serials and states that were told
	why     map[string]string // by serial: what went wrong here, in words
	results []renewedKey
}

// advance does the next thing; over when there is none.
func (g *renewal) advance(ctx context.Context, w *window, code string) (over bool, p *Problem) {
	var err error
	switch {
	case !g.in:
		err = g.signIn(ctx, w)
	case g.open == nil:
		err = g.start(ctx, w)
	case g.part != nil:
		err = g.work(ctx, w)
	case len(g.open) == 0:
		return true, nil
	case g.now.Factor != nil && g.now.Factor.Sent && code != "" && g.now.ID == g.open[0]:
		err = g.take(g.cabinet.Code(ctx, g.open[0], code))
	default:
		p, err = g.look(ctx, w)
	}
	no, refused := errors.AsType[*client.Refusal](err)
	switch {
	case err == nil:
		return len(g.open) == 0 && g.open != nil, p
	case refused && g.open == nil: // this person cannot; the others can
		for _, k := range g.keys {
			w.agent.setRenewing(k.key.Certificate, k.begun)
			g.results = append(g.results, renewedKey{k.owner(), "not", no.Text})
		}
		return true, nil
	}
	return false, w.cabinetProblem(err)
}

// take keeps what the cabinet answered; after an error what was known before stays.
func (g *renewal) take(r client.Renewal, err error) error {
	if err == nil {
		g.now = r
	}
	return err
}

// signIn begins a session of who signs in.
func (g *renewal) signIn(ctx context.Context, w *window) (err error) {
	if g.cabinet, err = w.signInTo(ctx, g.task.site, g.by); err != nil {
		return err
	}
	g.in, g.tried, g.ended, g.why = true, map[string]bool{}, map[string]string{}, map[string]string{}
	return nil
}

// signInTo signs in to a cabinet: its challenge must be its own and for this.
func (w *window) signInTo(ctx context.Context, at site, by *keystore.Key) (*client.Client, error) {
	cabinet, err := client.New(at.Origin, string(w.lang), w.agent.transport())
	if err != nil {
		return nil, err
	}
	challenge, err := cabinet.Challenge(ctx)
	if err != nil {
		return nil, err
	}
	purpose, _ := readChallenge(challenge, w.lang)
	if _, bad := relayed(challenge, at); bad || purpose != "sign-in" {
		return nil, errOrigin
	}
	signature, err := w.agent.sign(by, message{content: challenge}, true)
	if err != nil {
		return nil, err
	}
	return cabinet, cabinet.SignIn(ctx, signature)
}

// start finds renewals of these keys that were begun before, and begins one for the rest.
func (g *renewal) start(ctx context.Context, w *window) error {
	list, err := g.cabinet.List(ctx)
	if err != nil {
		return err
	}
	open, begun := []string{}, map[string]bool{}
	for _, r := range list {
		mine := false
		for _, k := range r.Keys {
			if g.old(k.Serial) != nil && k.State != "not" && !begun[plainSerial(k.Serial)] {
				mine, begun[plainSerial(k.Serial)] = true, true
			}
		}
		if mine {
			open = append(open, r.ID)
		}
	}
	var fresh [][]byte
	for _, k := range g.keys {
		if !begun[k.serial()] {
			fresh = append(fresh, k.key.Certificate.Raw)
		}
	}
	if len(fresh) > 0 {
		r, err := g.cabinet.Start(ctx, fresh)
		if err != nil {
			return err
		}
		open = append(open, r.ID)
	}
	g.open, g.late = open, w.agent.now().Add(issueWait)
	return nil
}

func (g *renewal) old(serial string) *oldKey {
	for i := range g.keys {
		if g.keys[i].serial() == plainSerial(serial) {
			return &g.keys[i]
		}
	}
	return nil
}

// look reads a renewal and takes up its next step, asks for the code, waits, or is done with it.
func (g *renewal) look(ctx context.Context, w *window) (*Problem, error) {
	id := g.open[0]
	r, err := g.cabinet.Renewal(ctx, id)
	if err != nil {
		return nil, err
	}
	g.now = r
	for _, s := range r.Steps {
		if !g.tried[id+s.Name] {
			g.part, err = g.partOf(s)
			return nil, err
		}
	}
	if r.Factor != nil {
		if !r.Factor.Sent {
			if err := g.take(g.cabinet.Code(ctx, id, "")); err != nil {
				return nil, err
			}
		}
		if f := g.now.Factor; f != nil {
			return &Problem{Code: "code_needed", Field: "code", Text: w.lang.Text("agent.problem.code_needed", "to", f.To)}, nil
		}
		return nil, nil
	}
	if r.Waiting && w.agent.now().Before(g.late) {
		tick := time.NewTimer(500 * time.Millisecond)
		defer tick.Stop()
		select {
		case <-tick.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	g.tell(w, r)
	g.open = g.open[1:]
	return nil, nil
}

// tell notes the end of each key of a renewal; a key of two is told once.
func (g *renewal) tell(w *window, r client.Renewal) {
	for _, k := range r.Keys {
		old := g.old(k.Serial)
		if old == nil || g.ended[old.serial()] != "" {
			continue
		}
		g.ended[old.serial()] = k.State
		if k.State == "done" || k.State == "not" {
			w.agent.setRenewing(old.key.Certificate, false)
		}
		g.results = append(g.results, renewedKey{old.owner(), k.State, cmp.Or(g.why[old.serial()], k.Text)})
	}
}

// renewalPart is one step's call, done part by part: one of its three lists is filled.
type renewalPart struct {
	name     string
	orders   []ncalayer.GenerateCall
	papers   []ncalayer.ManyDocument
	sets     []ncalayer.InstallCall
	made     ncalayer.GeneratedMany
	signed   ncalayer.SignedMany
	finished ncalayer.InstalledMany
}

// partOf reads the call of a step as a page's would be read.
func (g *renewal) partOf(s client.Step) (*renewalPart, error) {
	p := &renewalPart{name: s.Name}
	r, err := ncalayer.ReadRequest(s.Call)
	if err != nil || r.Module != ncalayer.ModuleKeys {
		return nil, errors.New("the cabinet asks for something else")
	}
	var refusal *ncalayer.Refusal
	switch {
	case s.Name == client.StepKeys && r.Method == "generateMany":
		var c *ncalayer.GenerateManyCall
		if c, refusal = r.GenerateMany(); refusal == nil {
			p.orders = c.Orders
		}
	case s.Name == client.StepSign && r.Method == "signMany":
		var c *ncalayer.SignManyCall
		if c, refusal = r.SignMany(); refusal == nil {
			p.papers = c.Documents
		}
	case s.Name == client.StepInstall && r.Method == "installMany":
		var c *ncalayer.InstallManyCall
		if c, refusal = r.InstallMany(); refusal == nil {
			p.sets = c.Orders
		}
	default:
		return nil, errors.New("the cabinet asks for something else")
	}
	if refusal != nil {
		return nil, errors.New(refusal.Details)
	}
	return p, nil
}

// work does one part, or brings the result when all are done.
func (g *renewal) work(ctx context.Context, w *window) (err error) {
	p, id := g.part, g.open[0]
	switch {
	case len(p.made.Orders) < len(p.orders):
		p.made.Orders = append(p.made.Orders, g.make(w, p.orders[len(p.made.Orders)]))
		return nil
	case len(p.signed.Documents) < len(p.papers):
		p.signed.Documents = append(p.signed.Documents, g.sign(w, p.papers[len(p.signed.Documents)]))
		return nil
	case len(p.finished.Orders) < len(p.sets):
		p.finished.Orders = append(p.finished.Orders, g.finish(w, p.sets[len(p.finished.Orders)]))
		return nil
	case p.orders != nil:
		err = g.take(g.cabinet.Answer(ctx, id, p.name, p.made))
	case p.papers != nil:
		err = g.take(g.cabinet.Answer(ctx, id, p.name, p.signed))
	default:
		err = g.take(g.cabinet.Answer(ctx, id, p.name, p.finished))
	}
	if err == nil {
		g.part, g.tried[id+p.name] = nil, true
	}
	return err
}

// oldOf is the key an application renews.
func (g *renewal) oldOf(id string) *oldKey {
	for _, k := range g.now.Keys {
		if k.ID == id && id != "" {
			return g.old(k.Serial)
		}
	}
	return nil
}

// make makes the keys of one application, beside the file of the old one or on its token, and for the same holder.
func (g *renewal) make(w *window, call ncalayer.GenerateCall) ncalayer.GeneratedOne {
	one := ncalayer.GeneratedOne{RequestID: call.RequestID}
	old := g.oldOf(call.RequestID)
	if old == nil {
		one.Error = &ncalayer.ManyError{Code: ncalayer.CodeGenerating, Details: "not_unlocked: the key was not opened"}
		return one
	}
	h := old.key.Certificate.Holder()
	if call.Subject.IIN != h.IIN || call.Subject.BIN != h.BIN {
		one.Error = &ncalayer.ManyError{Code: ncalayer.CodeGenerating, Details: "invalid_subject: another holder"}
		return one
	}
	order := orderOf(g.task.site.Origin, call)
	order.Many, order.On = true, old.key.Place()
	if order.On == nil {
		order.Folder = filepath.Dir(old.file.Path)
	}
	if (order.On != nil) != (order.Storage != "") || order.On != nil && order.Storage != order.On.Storage {
		one.Error = &ncalayer.ManyError{Code: ncalayer.CodeGenerating, Details: "storage_unavailable: the old key is in another storage"}
		g.why[old.serial()] = w.lang.Text("agent.renew.storage")
		return one
	}
	notes, err := w.agent.keeper.Generate(order)
	if err != nil {
		one.Error = asRefusal(w.agent.failed(err), ncalayer.CodeGenerating).Part()
		if errors.Is(err, keystore.ErrCannot) || errors.Is(err, keystore.ErrToken) {
			g.why[old.serial()] = why(err, w.lang)
		}
	}
	one.Keys = w.agent.generated(notes)
	return one
}

// sign signs one application when it is just that.
func (g *renewal) sign(w *window, d ncalayer.ManyDocument) ncalayer.SignedOne {
	no := func(details string) ncalayer.SignedOne {
		return ncalayer.SignedOne{ID: d.ID, Error: &ncalayer.ManyError{Code: ncalayer.CodeSigning, Details: details}}
	}
	old := g.oldOf(d.ID)
	if old == nil || plainSerial(d.Serial) != old.serial() {
		return no("not_unlocked: the key was not opened")
	}
	if f := w.agent.fit(old.key.Certificate, g.task.wish(), w.lang); len(f.Reasons) > 0 {
		return no("does_not_fit: " + f.Reasons[0].Code)
	}
	if err := g.applicationFor(w, d, old); err != nil {
		w.agent.log.Warn("renewal refused to sign", "why", err)
		return no("not_an_application: " + err.Error())
	}
	out, err := signXML(old.key, element{xml: d.XML}, false)
	if err != nil {
		return no("internal: the document was not signed")
	}
	return ncalayer.SignedOne{ID: d.ID, XML: string(out)}
}

// finish installs the certificates of one application under the new password, when the keys were made
// for it and the issuer is known.
func (g *renewal) finish(w *window, call ncalayer.InstallCall) ncalayer.InstalledOne {
	one := ncalayer.InstalledOne{RequestID: call.RequestID}
	certs, refusal := certificates(call)
	if refusal != nil {
		one.Error = refusal.Part()
		return one
	}
	matches, err := w.agent.keeper.Match(certs)
	if err == nil {
		err = g.issuedFor(w, call.RequestID, matches)
	}
	var files []keystore.Installed
	if err == nil {
		if old := g.oldOf(call.RequestID); old != nil && old.key.Place() != nil {
			files, err = w.agent.keeper.Certify(certs, old.key.Place())
		} else {
			files, err = w.agent.keeper.Install(certs, g.task.password)
		}
	}
	if err != nil {
		one.Error = asRefusal(w.agent.failed(err), ncalayer.CodeImporting).Part()
		return one
	}
	one.Files = w.agent.told(files, certs)
	return one
}
