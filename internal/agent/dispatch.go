package agent

import (
	"context"
	"fmt"

	"senim/internal/lang"
	"senim/internal/ncalayer"
)

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
	switch r.Module {
	case ncalayer.ModuleCommon:
		module, method = r.Module, known(r.Method)
		reply, result = t.common(ctx, r)
	case ncalayer.ModuleBasics:
		module, method = r.Module, known(r.Method)
		reply, result = t.basics(ctx, r)
	case ncalayer.ModuleKeys:
		module, method = r.Module, known(r.Method)
		reply, result = t.keys(ctx, r)
	case ncalayer.ModuleAccessory:
		module, method = r.Module, known(r.Method)
		reply, result = t.accessory(r)
	case ncalayer.ModuleApplet:
		module, method = r.Module, known(r.Method)
		reply, result = t.applet(ctx, r)
	default:
		result = "MODULE_NOT_FOUND"
		reply = ncalayer.ModuleNotFound()
	}
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

// accessory tells pages which modules are here. It lists only what is really served.
func (t *talk) accessory(r *ncalayer.Request) ([]byte, string) {
	switch r.Method {
	case "getBundles":
		return ncalayer.Plain(map[string]string{
			"kz.gov.pki.osgi.layer.common": "0.3.4", "kz.gov.pki.api.layer.NCALayerServices": "0.7.3",
			"kz.gov.pki.osgi.layer.websocket": "0.4.1", "kz.senim.agent": t.agent.config.Version,
		}), "ok"
	case "getServices":
		return ncalayer.Plain(map[string][]string{"services": {
			ncalayer.ModuleAccessory, ncalayer.ModuleBasics, ncalayer.ModuleCommon, ncalayer.ModuleKeys,
		}}), "ok"
	}
	return ncalayer.ModuleNotFound(), "MODULE_NOT_FOUND"
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
