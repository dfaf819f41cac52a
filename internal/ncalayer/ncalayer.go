// Package ncalayer reads and writes the messages of NCALayer, the protocol between web pages and
// the signing agent on a person's machine. It knows bytes only: no socket, no window, no key.
//
// [ReadRequest] reads one text frame; [Request.Common], [Request.Sign], [Request.Generate],
// [Request.Install] and [Request.List] turn it into a checked call of one module, or into the exact
// reply that NCALayer gives to such a mistake. Replies are built by [CommonReply], [BasicsReply] and
// their companions, in NCALayer's own order of members, so that they are equal byte for byte.
//
// Old pages send text that is not quite JSON (names without quotes, single quotes, trailing
// commas); [Read] takes it. It refuses what could make the thing shown differ from the thing
// signed: a name given twice, text that is not UTF-8, half a surrogate pair; and it is bounded in
// depth and in the number of values.
package ncalayer

// Heartbeat is the text frame that is answered by itself, at any moment.
const Heartbeat = "--heartbeat--"

// The modules this package has messages for.
const (
	ModuleCommon    = "kz.gov.pki.knca.commonUtils"
	ModuleBasics    = "kz.gov.pki.knca.basics"
	ModuleAccessory = "kz.gov.pki.ncalayerservices.accessory"
	ModuleKeys      = "kz.senim.keys"
	ModuleAgent     = "kz.senim.agent" // asked nothing; its version among the bundles is ours
)

// PKCS12 is the storage name of key files.
const PKCS12 = "PKCS12"

// Greeting is the first frame of a connection, sent unasked: 28 bytes that clients compare.
func Greeting() []byte { return []byte(`{"result":{"version":"1.4"}}`) }

// Storage tells what a storage name is: a file store or a token we know the name of.
func Storage(name string) (known, token bool) {
	switch name {
	case PKCS12, "JKS":
		return true, false
	case "AKKaztokenStore", "AKKZIDCardStore", "AKEToken72KStore", "AKEToken5110Store", "AKJaCartaStore", "AKAKEYStore":
		return true, true
	}
	return false, false
}
