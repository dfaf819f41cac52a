package agent

import (
	"context"
	"fmt"

	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// modules answer the requests that name them.
var modules = map[string]func(*talk, context.Context, *ncalayer.Request) (reply []byte, result string){
	ncalayer.ModuleCommon: (*talk).common, ncalayer.ModuleBasics: (*talk).basics, ncalayer.ModuleKeys: (*talk).keys,
	ncalayer.ModuleAccessory: (*talk).accessory, ncalayer.ModuleApplet: (*talk).applet, ncalayer.ModuleCMSSign: (*talk).cmsSign,
	ncalayer.ModuleNUR: (*talk).nur, ncalayer.ModuleKNP: (*talk).knp,
}

// handle answers one frame; nil is no reply. It writes the one log line of the request: never
// contents, names, numbers, paths or passwords.
func (t *talk) handle(ctx context.Context, frame []byte) (reply []byte) {
	start := t.agent.now()
	module, method, result := "", "", "ok"
	defer func() {
		if r := recover(); r != nil {
			t.agent.log.Error("request died", "module", module, "method", method, "type", fmt.Sprintf("%T", r))
			reply, result = ncalayer.CommonError("internal", ""), "internal"
		}
		t.agent.log.Info("request", "origin", t.site.Origin, "module", module, "method", method, "result", result,
			"in", len(frame), "out", len(reply), "ms", t.agent.now().Sub(start).Milliseconds())
	}()
	r, err := ncalayer.ReadRequest(frame)
	if err != nil {
		result = "unreadable"
		return ncalayer.Unreadable(err)
	}
	if r.Empty {
		return nil
	}
	if !r.HasModule {
		r.Module = ncalayer.ModuleApplet
	}
	answer, here := modules[r.Module]
	if !here {
		t.missing(ctx, r.Module)
		result = "MODULE_NOT_FOUND"
		return ncalayer.ModuleNotFound()
	}
	module, method = r.Module, known(r.Method)
	reply, result = answer(t, ctx, r)
	return reply
}

// known keeps a page from writing what it likes into our log.
func known(method string) string {
	for _, c := range method {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return "?"
		}
	}
	if len(method) > 40 {
		return "?"
	}
	return method
}

// tag is a language for a window; what a page names and we do not know is otherwise.
func tag(locale string, otherwise lang.Tag) lang.Tag {
	if locale == "kz" {
		return lang.KK
	}
	if t, ok := lang.Parse(locale); ok {
		return t
	}
	return otherwise
}
