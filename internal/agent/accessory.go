package agent

import (
	"context"
	"sync"

	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// accessory tells pages which modules are here, and takes their requests to have one installed: nothing
// is ever installed.
func (t *talk) accessory(ctx context.Context, r *ncalayer.Request) ([]byte, string) {
	switch r.Method {
	case "getBundles":
		return ncalayer.Bundles(t.agent.config.Version), "ok"
	case "getServices":
		return ncalayer.Services(), "ok"
	case "installBundle":
		if ncalayer.Builtin(r.Symname()) {
			return ncalayer.Success(), "ok"
		}
		t.missing(ctx, r.Symname())
	case "showSettings", "showBundleManager":
		t.agent.settingsWished(t.site, tag(t.locale, lang.RU))
		return ncalayer.Success(), "ok"
	}
	return ncalayer.ModuleNotFound(), "MODULE_NOT_FOUND"
}

// notices says to the person what a page gets no window for, as it was answered at once: that it wants a module which is not here, a
// token whose driver is not, or what is never done. One at a time, which goes away when something else is shown.
type notices struct {
	mu    sync.Mutex
	said  map[string]map[string]bool // under mu, by origin and what it wants
	shown *oneNotice                 // under mu
}

// How much one site can have said, and how many sites.
const (
	maxNotices = 8
	maxNoticed = 256
)

// silent are the modules that pages only ask for to find out which program is here.
var silent = map[string]bool{"kz.digiflow.mobile.extensions": true, "kz.ncalayer.web.verify": true, "nca": true}

// missing says that a site wants a module.
func (t *talk) missing(ctx context.Context, module string) {
	if !silent[module] && moduleName(module) {
		window := tag(t.locale, lang.RU)
		t.tell(ctx, module, window, notice{refused{why: window.Text("agent.notice.module", "module", module)}, "agent.title.notice"})
	}
}

// tell says why a page was answered as it was. It has its answer at once, whatever the person does.
func (t *talk) tell(ctx context.Context, what string, window lang.Tag, n notice) {
	if !t.agent.blocked(t.site) {
		t.say(ctx, window, n, t.agent.notices.once(t.site.Origin, what))
	}
}

// say shows a notice if it may be; nobody waits for its end.
func (t *talk) say(ctx context.Context, window lang.Tag, n task, may func() bool) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := t.agent.notices.begin(may, cancel)
	if end == nil {
		cancel()
		return
	}
	a := t.agent
	if !a.crew.join() {
		end()
		return
	}
	go func() {
		defer a.crew.leave()
		defer end()
		a.show(ctx, t.site, window, n)
	}()
}

// moduleName tells a name that a person can be shown from whatever else a page sends.
func moduleName(s string) bool {
	if len(s) < 4 || len(s) > 80 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// notice is a window without a question: it makes way for every other.
type notice struct {
	refused
	title string // key of its text
}

func (notice) kind() string { return "notice" }

func (n notice) show(w *window, v *View) {
	n.refused.show(w, v)
	v.Title = w.lang.Text(n.title)
}

// never says that what a site asks for is never done here.
func never(why, named string) notice { return notice{refused{why, named}, "agent.title.refused"} }

// oneNotice is the notice that is shown, or waits to be.
type oneNotice struct{ cancel func() }

// once lets a site have something said once; for [notices.begin].
func (n *notices) once(origin, what string) (may func() bool) {
	return func() bool {
		said := n.said[origin]
		if said[what] || len(said) >= maxNotices || said == nil && len(n.said) >= maxNoticed {
			return false
		}
		if said == nil {
			if n.said == nil {
				n.said = map[string]map[string]bool{}
			}
			said = map[string]bool{}
			n.said[origin] = said
		}
		said[what] = true
		return true
	}
}

// begin makes way for a notice, unless another is shown or it may not be said, which is asked last and counts: then end is nil.
// end says that this one is over, and touches no later one.
func (n *notices) begin(may func() bool, cancel func()) (end func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shown != nil || !may() {
		return nil
	}
	mine := &oneNotice{cancel}
	n.shown = mine
	return func() {
		cancel()
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.shown == mine {
			n.shown = nil
		}
	}
}

// withdraw takes the notice away.
func (n *notices) withdraw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shown != nil {
		n.shown.cancel()
		n.shown = nil
	}
}
