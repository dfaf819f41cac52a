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

// notices says to the person why a page was answered at once and no: it wants a module which is not here, or what is never done.
// Each is said once, never while something else is shown, and goes away when something else is.
type notices struct {
	mu    sync.Mutex
	said  map[string]bool // under mu, by origin and what it wants
	shown *oneNotice      // under mu
}

// maxNotices bounds what pages can have said.
const maxNotices = 256

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
	if t.agent.blocked(t.site) {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := t.agent.notices.begin(t.site.Origin+" "+what, cancel)
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

// begin makes way for a notice, unless it was said or another is shown: then end is nil. end says that this
// one is over, and touches no later one.
func (n *notices) begin(what string, cancel func()) (end func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shown != nil || n.said[what] || len(n.said) >= maxNotices {
		return nil
	}
	if n.said == nil {
		n.said = map[string]bool{}
	}
	mine := &oneNotice{cancel}
	n.said[what], n.shown = true, mine
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
