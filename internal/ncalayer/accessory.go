package ncalayer

import "slices"

// bundles are the modules of NCALayer that are really served here, under the names and versions pages
// look for.
var bundles = map[string]string{
	"kz.gov.pki.osgi.layer.common":                 "0.3.4",
	"kz.gov.pki.api.layer.NCALayerServices":        "0.7.3",
	"kz.gov.pki.osgi.layer.websocket":              "0.4.1",
	"kz.gov.pki.knca.applet.knca_applet":           "0.4.10",
	"kz.gov.pki.cms.NLDocSignerModule":             "1.1.0",
	"kz.ecc.NurSignBundle":                         "5.1.2",
	"kz.inessoft.kgd.knp.sono_knp_ncalayer_module": "1.2.0",
}

// Bundles answers getBundles; version is the agent's own.
func Bundles(version string) []byte {
	all := map[string]string{ModuleAgent: version}
	for name, v := range bundles {
		all[name] = v
	}
	return encode(all)
}

var services = []string{
	ModuleAccessory, ModuleApplet, ModuleBasics, ModuleCMSSign, ModuleCommon, ModuleKeys, ModuleKNP, ModuleNUR,
}

// Services answers getServices.
func Services() []byte { return encode(map[string][]string{"services": services}) }

// Builtin tells whether a bundle or a module of this name is here.
func Builtin(name string) bool {
	_, is := bundles[name]
	return is || name == ModuleAgent || slices.Contains(services, name)
}

// Symname is what installBundle names.
func (r *Request) Symname() string {
	name, _ := stringOf(r.object, "symname")
	return name
}

// Success is the answer of the accessory module to what it does.
func Success() []byte { return []byte(`{"success":true}`) }
