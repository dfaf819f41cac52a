package desk

import (
	"strings"

	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
)

// words is a code in the reader's language, with its evidence.
func words(r *web.Request, code string, evidence map[string]string) string {
	vars := make([]any, 0, 2*len(evidence))
	for k, v := range evidence {
		vars = append(vars, k, moment(r, v))
	}
	for _, area := range []string{"desk.error.", "codes.", "cabinet.code.", "web.code."} {
		if lang.Has(area + code) {
			return r.T(area+code, vars...)
		}
	}
	return code
}

// role names a role of the authority's profiles.
func role(r *web.Request, name string) string {
	if name == ra.RoleHead {
		name = "first-head"
	}
	if lang.Has("web.role." + name) {
		return r.T("web.role." + name)
	}
	return name
}

func kind(r *web.Request, a ra.Application) string { return r.T("cabinet.kind." + string(a.Kind)) }

func fullName(a ra.Application) string {
	return strings.TrimSpace(a.Subject.CommonName + " " + a.Subject.Patronymic)
}

func roles(r *web.Request) (all []web.Option) {
	for _, name := range ra.DeskRoles() {
		all = append(all, web.Option{Value: name, Text: role(r, name)})
	}
	return all
}

func storages(r *web.Request) (all []web.Option) {
	for _, s := range ra.DeskStorages() {
		hint := r.T("desk.storage.years3")
		if s == ra.PKCS12 {
			hint = r.T("desk.storage.year1")
		}
		all = append(all, web.Option{Value: string(s), Text: storage(r, s), Hint: hint})
	}
	return all
}

func storage(r *web.Request, s ra.Storage) string {
	if lang.Has("cabinet.storage." + string(s)) {
		return r.T("cabinet.storage." + string(s))
	}
	return r.T("desk.storage." + string(s))
}

func placeOptions(r *web.Request, all []ra.Place) []web.Option {
	out := []web.Option{{Value: "", Text: r.T("desk.place.other")}}
	for _, p := range all {
		out = append(out, web.Option{Value: p.ID, Text: p.Name.In(string(r.Lang())) + ", " + p.Address.In(string(r.Lang()))})
	}
	return out
}
